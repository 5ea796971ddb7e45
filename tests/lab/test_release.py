"""A VRRP process that dies whenever it starts: the addresses are given up, and taken again when it can live."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.net import wait_until
from tests.lab.test_handover import segment, stand
from tests.lab.test_vrrp_interop import V3, Segment

__all__ = ["segment"]
pytestmark = pytest.mark.lab


def test_the_addresses_of_a_vrrp_process_that_cannot_live_are_released(segment: Segment) -> None:
    stand(segment, "keepalived", V3)
    path: Path = segment.folder / "a.log"
    killed: set[int] = set()
    end = time.monotonic() + 8
    while "addresses_released" not in path.read_text() and time.monotonic() < end:
        for pid in started(path):
            if pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    assert "addresses_released" in path.read_text()
    wait_until(lambda: segment.holders() == ["b"], 2, "b alone holds the address")
    wait_until(lambda: segment.holders() == ["a"], 10, "a takes part again, and is the better one")


def started(log: Path) -> list[int]:
    """The pids of all VRRP processes so far."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{" and line[-1:] == "}"]
    return [line["child_pid"] for line in lines if line["event"] == "child_started" and line["child"] == "vrrp"]

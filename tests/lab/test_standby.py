"""`pyhadctl vrrp standby` and `takeback` on a running pair, with a client that asks each 2 ms."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.net import wait_until
from tests.lab.test_handover import GAP_MS, Client, client, segment, stand
from tests.lab.test_vrrp_interop import V3, Segment

__all__ = ["client", "segment"]
pytestmark = pytest.mark.lab
PYHADCTL = str(Path(sys.executable).with_name("pyhadctl"))


def ctl(segment: Segment, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [PYHADCTL, "--run-dir", str(segment.folder / "a.run"), *words], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def vrrp_pid(segment: Segment) -> int:
    _, text = ctl(segment, "-j", "status", "processes")
    return next(int(one["pid"]) for one in json.loads(text)["processes"] if one["name"] == "vrrp")


@pytest.mark.parametrize("backup", ["pyhad", "keepalived"])
def test_an_operator_moves_mastership_away_and_back_and_no_client_notices(
    segment: Segment, client: Client, backup: str
) -> None:
    stand(segment, backup, V3)
    client.start()
    assert ctl(segment, "vrrp", "standby", "VI_1") == (0, "VI_1: held back until taken back\n")
    wait_until(lambda: segment.holders() == ["b"], 3, "b alone holds the address")
    time.sleep(0.3)
    gap_ms = client.longest_gap_ms()
    print(f"longest gap {gap_ms:.1f} ms")
    assert gap_ms < GAP_MS
    code, text = ctl(segment, "-j", "status", "vrrp")
    router = json.loads(text)["vrrp"]["routers"][0]
    assert (code, router["state"], router["admin"], router["standby_left_s"]) == (0, "BACKUP", "standby", None)
    os.kill(vrrp_pid(segment), signal.SIGKILL)
    time.sleep(1.5)
    assert segment.holders() == ["b"], "kept over a respawn"
    segment.daemons["a"].signal(signal.SIGHUP)
    time.sleep(1.5)
    assert segment.holders() == ["b"], "kept over a reload"
    client.start()
    assert ctl(segment, "vrrp", "takeback", "all")[0] == 0
    wait_until(lambda: segment.holders() == ["a"], 3, "a took it back")
    time.sleep(0.3)
    gap_ms = client.longest_gap_ms()
    print(f"longest gap {gap_ms:.1f} ms")
    assert gap_ms < GAP_MS, "and keepalived as the other one lets go before we have announced"


def test_a_standby_ends_by_itself_and_an_unknown_name_is_said(segment: Segment) -> None:
    stand(segment, "pyhad", V3)
    assert ctl(segment, "vrrp", "standby", "NOBODY")[0] == 3
    assert ctl(segment, "vrrp", "standby", "VI_1", "--for", "4s")[0] == 0
    wait_until(lambda: segment.holders() == ["b"], 2, "b has it")
    wait_until(lambda: segment.holders() == ["a"], 4, "a has it again")

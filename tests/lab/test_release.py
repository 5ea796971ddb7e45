"""A VRRP process that dies whenever it starts: the addresses are given up, and taken again when it can live."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_handover import segment, stand
from tests.lab.test_hangs import children
from tests.lab.test_vrrp_interop import V3, Segment
from tests.lab.test_vrrp_vmac import VIP, VIP6, Segment as VmacSegment, config as vmac_config

__all__ = ["segment"]
pytestmark = pytest.mark.lab


def test_the_addresses_of_a_vrrp_process_that_cannot_live_are_released(segment: Segment) -> None:
    stand(segment, "keepalived", V3)
    kill_until_released(segment.folder / "a.log")
    wait_until(lambda: segment.holders() == ["b"], 2, "b alone holds the address")
    wait_until(lambda: segment.holders() == ["a"], 10, "a takes part again, and is the better one")


def kill_until_released(path: Path) -> None:
    """Each VRRP process that this log tells of, as soon as it does."""
    killed: set[int] = set()
    end = time.monotonic() + 60
    while "addresses_released" not in path.read_text() and time.monotonic() < end:
        for pid in children(path):
            if pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    assert "addresses_released" in path.read_text()


def test_so_are_those_on_virtual_macs_and_the_routes_that_go_with_them(lab: Lab, open_folder: Path) -> None:
    made = VmacSegment(lab, open_folder)
    path = "virtual_routes { 10.70.0.0/16 dev eth0 }\n"
    routed = vmac_config(150).replace("    virtual_ipaddress {", f"{path}    virtual_ipaddress {{", 1)
    made.start("a", "pyhad", routed)
    made.start("b", "keepalived", vmac_config(100))
    made.wait_for("a", 10)
    wait_until(lambda: "10.70.0.0/16" in lab.run("a", "ip", "route"), 5, "the route is there")
    kill_until_released(open_folder / "a.log")
    wait_until(lambda: all(made.holders(one) == ["b"] for one in (VIP, VIP6)), 5, "b alone holds the addresses")
    has_route = lambda: "10.70.0.0/16" in lab.run("a", "ip", "route")  # noqa: E731
    wait_until(lambda: not has_route(), 5, "the route has gone with them")
    made.wait_for("a", 30)
    wait_until(has_route, 5, "and is back with them")

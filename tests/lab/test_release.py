"""A VRRP process that dies whenever it starts: the addresses are given up, and taken again when it can live."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_handover import segment, stand
from tests.lab.test_vrrp_interop import V3, Segment
from tests.lab.test_vrrp_vmac import VIP, VIP6, Segment as VmacSegment, config as vmac_config

__all__ = ["segment"]
pytestmark = pytest.mark.lab


def test_the_addresses_of_a_vrrp_process_that_cannot_live_are_released(segment: Segment) -> None:
    stand(segment, "keepalived", replace(V3, leases=False))  # or the kernel would do it some seconds later
    kill_until_released(segment.folder / "a.log")
    segment.daemons["a"].signal(signal.SIGSTOP)  # or it would start another VRRP process before anybody has looked
    wait_until(lambda: segment.holders() == ["b"], 2, "b alone holds the address")
    segment.daemons["a"].signal(signal.SIGCONT)
    wait_until(lambda: segment.holders() == ["a"], 10, "a takes part again, and is the better one")


def kill_until_released(path: Path) -> None:
    """Each VRRP process that this log tells of, as soon as it does: in real time, as they run themselves."""
    end, rest = time.monotonic() + 60, ""
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(20))
    try:
        with path.open() as log:
            while time.monotonic() < end:
                *lines, rest = (rest + log.read()).split("\n")
                for line in lines:
                    if '"addresses_released"' in line:
                        return
                    if '"child_started"' in line and '"child": "vrrp"' in line:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(json.loads(line)["child_pid"], signal.SIGKILL)
                time.sleep(0.002)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    raise AssertionError("what it held was not released")


def test_so_are_those_on_virtual_macs_and_the_routes_and_rules_that_go_with_them(lab: Lab, open_folder: Path) -> None:
    def paths() -> list[str]:
        words = ("route", "show", "table", "all"), ("-6", "route", "show", "table", "77"), ("rule",)
        shown = "".join(lab.run("a", "ip", *one, check=False) for one in words)
        return [
            one
            for one in ("10.70.0.0/16", "10.71.0.0/16", "2001:db8:7::/48", "from 10.70.0.0/16 lookup 77")
            if one in shown
        ]

    made = VmacSegment(lab, open_folder)
    path = """
        virtual_routes {
            10.70.0.0/16 dev eth0
            10.71.0.0/16 via 10.0.0.10 src 10.0.0.100 table 77
            2001:db8:7::/48 dev eth0 table 77
        }
        virtual_rules {
            from 10.70.0.0/16 lookup 77
        }
    """
    routed = vmac_config(150).replace("    virtual_ipaddress {", f"{path}    virtual_ipaddress {{", 1)
    no_lease = "global_defs {\n    pyhad_vip_lease off\n}\n"
    daemon = made.start("a", "pyhad", no_lease + routed)
    made.start("b", "keepalived", vmac_config(100))
    made.wait_for("a", 10)
    wait_until(lambda: len(paths()) == 4, 5, "all are there")
    kill_until_released(open_folder / "a.log")
    daemon.signal(signal.SIGSTOP)
    wait_until(lambda: all(made.holders(one) == ["b"] for one in (VIP, VIP6)), 5, "b alone holds the addresses")
    wait_until(lambda: paths() == [], 5, "nothing of them is left")
    daemon.signal(signal.SIGCONT)
    made.wait_for("a", 30)
    wait_until(lambda: len(paths()) == 4, 5, "all are there again")

"""The whole daemon follows what is said on the socket of the BFD process to come: its table, and its virtual router."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.view import View
from pyhad.common.states import RouterState
from tests.lab.bfd_stand_in import BfdStandIn
from tests.lab.net import Lab, Running, log_lines, wait_until

CONFIGURATION = """
global_defs {
    router_id d1
}
bfd_instance left {
    neighbor_ip 10.1.0.2
}
bfd_instance right {
    neighbor_ip 10.1.0.3
}
vrrp_instance VI_1 {
    interface eth0
    state MASTER
    virtual_router_id 51
    priority 100
    advert_int 0.5
    virtual_ipaddress {
        10.1.0.200/24
    }
    track_bfd {
        left
    }
}
virtual_server 10.1.0.100 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 10.1.0.2 80 {
        BFD_CHECK {
            name left
        }
    }
    real_server 10.1.0.3 80 {
        BFD_CHECK {
            name right
        }
    }
}
"""
LEFT, RIGHT = "10.1.0.2:80", "10.1.0.3:80"
pytestmark = pytest.mark.lab


class Stage:
    """A daemon, and what its parent, its table and its status say of it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        lab.host("d1")
        lab.wire("d1", "eth0", "lan", "10.1.0.1/24")
        (folder / "d1.conf").write_text(CONFIGURATION)
        self.lab, self.log, self.run_dir, self.view = lab, folder / "d1.log", folder / "run", View(folder / "run")
        self.daemon: Running = lab.start(
            "d1", str(Path(sys.executable).with_name("pyhad")), "--dont-fork", "--log-console", "--no-syslog",
            "--use-file", f"{folder}/d1.conf", "--run-dir", str(self.run_dir), log=self.log,
        )  # fmt: skip

    def bfd(self, **up: bool) -> BfdStandIn:
        return BfdStandIn(self.daemon.process.pid, self.run_dir, **up)

    def kernel_has(self, *servers: str) -> bool:
        """Of the two, exactly these are where the kernel sends connections."""
        rules = self.lab.run("d1", "nft", "list", "ruleset", check=False)
        return {one for one in (LEFT, RIGHT) if one.split(":", maxsplit=1)[0] in rules} == set(servers)

    def is_in(self, state: RouterState) -> bool:
        status = self.view.status()
        return status is not None and status.vrrp is not None and [one.state for one in status.vrrp.routers] == [state]

    def pid(self, name: str) -> int:
        process = self.view.process(name)
        return process.pid if process is not None else 0

    def count(self, event: str) -> int:
        return sum(line["event"] == event for line in log_lines(self.log))


@pytest.fixture
def stage(lab: Lab, open_folder: Path) -> Iterator[Stage]:
    made = Stage(lab, open_folder)
    try:
        yield made
    finally:
        sys.stdout.write(made.log.read_text()[-6000:])


@pytest.mark.behaviour("CHK-100", "TRK-50", "BFD-9")
def test_sessions_decide_about_the_table_and_the_router_and_whoever_is_replaced_knows_them_at_once(
    stage: Stage,
) -> None:
    wait_until(lambda: stage.view.status() is not None and (stage.run_dir / "bus/bfd").exists(), 15, "it runs")
    bfd = stage.bfd(left=True, right=True)
    try:
        bfd.until(lambda: stage.kernel_has(LEFT, RIGHT) and stage.is_in(RouterState.MASTER), "both are up")
        assert set(bfd.listeners) == {b"vrrp", b"checker"}
        bfd.change("right", up=False)
        bfd.until(lambda: stage.kernel_has(LEFT), "the session that went down took its server away")
        bfd.change("right", up=True, lose=True)
        bfd.until(lambda: stage.kernel_has(LEFT, RIGHT), "the beat showed what was lost")
        bfd.change("right", up=False)
        bfd.until(lambda: stage.kernel_has(LEFT), "it is down again")

        for name in ("vrrp", "checker"):
            before = stage.pid(name)
            os.kill(before, signal.SIGKILL)
            bfd.until(lambda name=name, before=before: stage.pid(name) not in (0, before), f"{name} is replaced")
            bfd.until(lambda name=name: bfd.listeners[name.encode()].pid == stage.pid(name), f"{name} asked again")
        assert stage.kernel_has(LEFT)
        assert stage.count("bfd_session_down") == 0, "the router's session was never down"
        bfd.change("left", up=False)
        bfd.until(lambda: stage.kernel_has() and stage.is_in(RouterState.FAULT), "both hear of it")
        bfd.change("left", up=True)
        bfd.until(lambda: stage.kernel_has(LEFT) and stage.is_in(RouterState.MASTER), "and of that")
    finally:
        bfd.end()

    replaced = stage.bfd(left=True, right=True)
    try:
        replaced.until(lambda: stage.kernel_has(LEFT, RIGHT), "its successor has the same socket, and is asked")
        assert stage.count("bfd_sessions_down") == 0, "nothing was forgotten meanwhile"
        replaced.is_mute = True
        replaced.until(lambda: stage.is_in(RouterState.FAULT), "what nobody vouches for is not up for the router")
        replaced.until(lambda: stage.count("probe_impossible") == 2, "and not known for the servers")
        assert stage.kernel_has(LEFT, RIGHT), "they stay as they are"
        replaced.is_mute = False
        replaced.until(lambda: stage.is_in(RouterState.MASTER), "whoever speaks again is asked for all")
    finally:
        replaced.end()
    assert stage.daemon.stop() == 0

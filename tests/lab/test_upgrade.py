"""`pyhadctl upgrade`: the parent becomes the installed program and replaces its children. Nobody may notice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from demo import traffic
from demo.site import VIP
from tests.lab.net import wait_until
from tests.lab.test_daemon import Pair, is_replaced, pair, pyhadctl
from tests.lab.test_parent_processes import Daemon, daemon, is_alive

__all__ = ["daemon", "pair"]
pytestmark = [pytest.mark.lab, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]
UPGRADE = signal.SIGRTMIN + 4
CHILDREN = ("control", "ipvs", "checker", "vrrp")


def test_nobody_notices_an_upgrade_of_the_master(pair: Pair) -> None:
    changes = pair.site.folder / "d2.changes"
    pair.lab.start("d2", "ip", "-o", "monitor", "address", log=changes)
    old = {name: status.pid for name in CHILDREN if (status := pair.views["d1"].process(name))}
    parent = pair.views["d1"].process("parent")
    client = pair.site.start_client()
    time.sleep(0.3)
    begin_ns = time.monotonic_ns()
    assert pyhadctl(pair, "upgrade").startswith("Every process runs pyhad ")
    wait_until(
        lambda: all(is_replaced(pair, name, pid) for name, pid in old.items()), 5, "all say that they are others"
    )
    after = pair.views["d1"].process("parent")
    assert parent is not None
    assert after is not None
    assert after.pid == parent.pid
    wait_until(lambda: pair.views["d1"].is_master(), 3, "d1 says that it is still master")
    time.sleep(4)  # longer than the down interval
    assert VIP not in changes.read_text()
    seen = traffic.between(traffic.read(client), begin_ns, time.monotonic_ns())
    assert seen.requests > 100
    assert seen.lost == 0


def test_the_parent_keeps_its_pid_and_the_children_their_black_boxes(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.process is not None
    before = daemon.pids()
    daemon.process.send_signal(UPGRADE)
    daemon.wait_for(event="upgrade_done")
    assert daemon.pid("pyhad") == daemon.process.pid
    wait_until(lambda: not any(map(is_alive, before.values())), 40, "no predecessor lives")
    assert not set(before.values()) & set(daemon.pids().values())
    daemon.wait_for(event="toy_started", count=8)
    second = [line for line in daemon.find(event="toy_started") if line["lives"] == 2]
    assert {line["process"]: line["generation"] for line in second} == dict.fromkeys(CHILDREN, 2)
    first = {line["process"]: line for line in daemon.find(event="toy_started") if line["lives"] == 1}
    for line in second:
        assert line["descriptors"] == first[line["process"]]["descriptors"]
        assert line["listeners"] == first[line["process"]]["listeners"]
    daemon.process.send_signal(UPGRADE)
    daemon.wait_for(event="upgrade_done", count=2)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(event="toy_document", process="vrrp", generation=4)
    assert daemon.stop() == 0
    assert not any(is_alive(pid) for pid in before.values())
    assert sorted(os.listdir(daemon.run_dir)) == ["bus", "lock"]


def test_a_program_that_would_not_start_changes_nothing(daemon: Daemon) -> None:
    daemon.start()
    before = daemon.pids()
    daemon.config.write_text("vrrp broken")
    assert daemon.process is not None
    daemon.process.send_signal(UPGRADE)
    refused = daemon.wait_for(event="upgrade_refused")
    assert "this is broken" in refused["report"]
    assert daemon.pids() == before
    assert all(is_alive(pid) for pid in before.values())
    assert daemon.stop() == 0


def test_a_child_that_died_meanwhile_is_started_again(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start()
    assert daemon.process is not None
    old = daemon.pid("ipvs")
    daemon.process.send_signal(UPGRADE)
    os.kill(old, signal.SIGKILL)
    daemon.wait_for(event="upgrade_done")
    daemon.wait_for(event="toy_started", process="ipvs", count=2)
    wait_until(lambda: sum(map(is_alive, daemon.pids().values())) == 4, 5, "all four live")
    assert daemon.stop() == 0

"""A VRRP process that stands or spins is replaced before keepalived's patience is over, at any interval."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, log_lines, wait_until
from tests.lab.spinning_daemon import SPIN
from tests.lab.test_vrrp_interop import Segment, Setting

pytestmark = pytest.mark.lab
SETTLED_S = 0.6
"""By then the process and its threads have their priority (parent/scheduling.py)."""


@pytest.mark.parametrize("number", [signal.SIGSTOP, SPIN], ids=["stopped", "spinning"])
@pytest.mark.parametrize(("interval_s", "peer"), [(0.1, 100), (0.01, 1)], ids=["100_ms", "10_ms"])
def test_keepalived_does_not_notice_that_a_vrrp_process_hangs(
    lab: Lab, open_folder: Path, interval_s: float, peer: int, number: int
) -> None:
    segment = Segment(lab, open_folder)
    setting = Setting(version=3, interval_s=interval_s)
    segment.start("b", "keepalived", setting, peer)
    # A peer waits 40 ms at 10 ms: where both processors are busy the successor may come too late, but not each time.
    attempts = range(5 if interval_s < 0.1 else 3)
    assert any(is_unnoticed(segment, open_folder / f"{attempt}", setting, number) for attempt in attempts)


def is_unnoticed(segment: Segment, folder: Path, setting: Setting, number: int) -> bool:
    """Hang the VRRP process of a by that signal; whether b became master, or an address came or went."""
    folder.mkdir(mode=0o755)
    log, config, peer = folder / "a.log", folder / "a.conf", folder.with_name("b.log")
    config.write_text(setting.text(150))
    options = ["-n", "-l", "-f", str(config), "--run-dir", str(folder / "run")]
    daemon = segment.lab.start("a", sys.executable, "-m", "tests.lab.spinning_daemon", *options, log=log)
    segment.wait_for("a", 30)
    time.sleep(SETTLED_S)
    events = {host: segment.events(host) for host in ("a", "b")}
    masters = peer.read_text().count("MASTER STATE")
    os.kill(children(log)[-1], number)
    wait_until(lambda: "child_stands" in log.read_text(), 5, "the parent sees it")
    wait_until(lambda: log.read_text().count("process_ready") > 2, 10, "there is a successor")
    time.sleep(0.5)  # longer than the down interval
    is_same = {host: segment.events(host) for host in ("a", "b")} == events
    is_master = peer.read_text().count("MASTER STATE") > masters
    deaths = len(children(log)) - 1
    daemon.stop()
    print(log.read_text())
    return is_same and not is_master and deaths == 1


def test_a_vrrp_process_that_is_only_slow_is_left_alone(lab: Lab, open_folder: Path) -> None:
    """It gets a fortieth of a busy processor: a successor would be no faster."""
    segment = Segment(lab, open_folder)
    segment.start("a", "pyhad", Setting(version=3, interval_s=0.01), 150)
    segment.wait_for("a", 30)
    time.sleep(SETTLED_S)
    log = open_folder / "a.log"
    child = children(log)[-1]
    processor = max(os.sched_getaffinity(0))
    for thread in os.listdir(f"/proc/{child}/task"):
        os.sched_setscheduler(int(thread), os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, int(thread), 10)
        os.sched_setaffinity(int(thread), {processor})
    for _ in range(4):
        lab.start("a", "taskset", "-c", str(processor), sys.executable, "-c", "while True: pass")
    time.sleep(1.5)
    assert children(log) == [child]
    assert "child_stands" not in log.read_text()


def children(log: Path) -> list[int]:
    """The pids of all VRRP processes so far."""
    lines = [line for line in log_lines(log) if line["event"] == "child_started"]
    return [line["child_pid"] for line in lines if line["child"] == "vrrp"]

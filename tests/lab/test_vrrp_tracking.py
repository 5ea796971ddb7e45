"""Scripts, files and weighted interfaces move priority and state of a running pyhad; its scripts run as they should."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_parent_processes import is_alive
from tests.lab.test_vrrp_lifecycle import Director

pytestmark = pytest.mark.lab

INSTANCE = """
vrrp_instance A {{
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 0.1
    version 3
    virtual_ipaddress {{ 10.0.0.100 }}
    {}
}}
"""


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started. Its folder is one that others can reach."""
    return Director(lab, open_folder)


def script(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def priorities(director: Director) -> list[tuple[int, int]]:
    return [(int(line["old"]), int(line["new"])) for line in director.logged("priority_changed")]


@pytest.mark.behaviour("TRK-2", "TRK-5", "TRK-11", "TRK-17")
def test_a_script_moves_the_priority_by_its_weight(director: Director, open_folder: Path) -> None:
    good = open_folder / "good"
    good.touch()
    check = script(open_folder, "check.sh", f"test -e {good}")
    director.configure(
        f"vrrp_script chk {{\n script {check}\n interval 0.2\n timeout 10\n fall 2\n weight -30\n user nobody\n}}\n",
        INSTANCE.format("track_script { chk }"),
    )  # fmt: skip
    director.wait_for("10.0.0.100")
    good.unlink()
    wait_until(lambda: priorities(director) == [(100, 70)], 3, "the priority went down")
    good.touch()
    wait_until(lambda: priorities(director) == [(100, 70), (70, 100)], 3, "and came back")
    director.wait_for("10.0.0.100")


@pytest.mark.behaviour("TRK-5", "TRK-13", "FSM-40", "FSM-51")
def test_a_script_without_weight_is_a_fault_and_one_that_hangs_is_killed(director: Director, open_folder: Path) -> None:
    hang = open_folder / "hang"
    check = script(
        open_folder,
        "check.sh",
        f"trap '' TERM\nif test -e {hang}; then sleep 60 & echo $! > {open_folder}/left; wait; sleep 60; fi",
    )
    director.configure(
        f"vrrp_script chk {{\n script {check}\n interval 1\n timeout 0.8\n}}\n", INSTANCE.format("track_script { chk }")
    )
    director.wait_for("10.0.0.100")
    hang.touch()
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 3, "the hanging script is a fault")
    director.wait_for()
    hang.unlink()
    left = int((open_folder / "left").read_text())
    wait_until(lambda: not is_alive(left), 6, "the group was killed")
    wait_until(lambda: director.changes()[-1] == ("A", "MASTER"), 6, "it is master again")


@pytest.mark.behaviour("TRK-20", "TRK-21", "TRK-22")
def test_a_file_moves_the_priority_and_a_great_fall_is_a_fault(director: Director, open_folder: Path) -> None:
    file = open_folder / "value"
    director.configure(
        f"track_file f {{\n file {file}\n weight 2\n init_file 5\n}}\n", INSTANCE.format("track_file { f }")
    )
    director.wait_for("10.0.0.100")
    assert file.stat().st_mode & 0o777 == 0o600
    wait_until(lambda: director.logged("state_changed")[-1]["priority"] == 110, 3, "the log says so")
    file.write_text("-10\n")
    wait_until(lambda: priorities(director) == [(110, 80)], 2, "-10 times 2")
    file.write_text("-127\n")
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 2, "-254 is a fault")
    file.unlink()
    wait_until(lambda: director.changes()[-1] == ("A", "MASTER"), 3, "a missing file is 0")
    assert priorities(director)[-1][1] == 100


@pytest.mark.behaviour("TRK-4", "TRK-30")
def test_a_weighted_interface_moves_the_priority_without_a_fault(director: Director) -> None:
    director.lab.wire("n", "eth1", "other")
    director.configure(INSTANCE.format("track_interface { eth1 weight 20 }"))
    director.wait_for("10.0.0.100")
    wait_until(lambda: director.logged("state_changed")[-1]["priority"] == 120, 3, "the log says so")
    director.lab.cut("n", "eth1")
    wait_until(lambda: priorities(director)[-1:] == [(120, 100)], 2, "the weight is gone")
    director.wait_for("10.0.0.100")


def test_a_killed_vrrp_process_keeps_what_its_scripts_and_files_said(director: Director, open_folder: Path) -> None:
    runs = open_folder / "runs"
    check = script(open_folder, "check.sh", f"echo x >> {runs}; sleep 0.2")
    (open_folder / "value").write_text("7\n")
    director.configure(
        f"vrrp_script chk {{\n script {check}\n interval 1\n timeout 10\n}}\n",
        f"track_file f {{\n file {open_folder}/value\n weight 1\n}}\n",
        INSTANCE.format("track_script { chk }\n track_file { f }"),
    )
    director.wait_for("10.0.0.100")
    before = len(director.logged("state_changed"))
    os.kill(int(director.logged("process_ready")[0]["pid"]), signal.SIGKILL)
    wait_until(lambda: len(director.logged("process_ready")) == 2, 3, "the successor is there")
    time.sleep(1)
    later = lambda: [line["reason"] for line in director.logged("state_changed")[before:]]  # noqa: E731
    wait_until(lambda: later() == ["resumed_after_restart"], 5, "the successor is master at once")
    assert director.logged("state_changed")[-1]["priority"] == 107
    assert priorities(director) == []


@pytest.mark.behaviour("SEC-3")
def test_a_script_that_others_may_write_does_not_run_as_root_under_script_security(
    director: Director, open_folder: Path
) -> None:
    check = script(open_folder, "check.sh", "exit 0")
    check.chmod(0o777)
    text = f"vrrp_script chk {{\n script {check}\n interval 0.2\n user root\n}}\n"
    director.configure("global_defs { enable_script_security }\n", text, INSTANCE.format("track_script { chk }"))
    wait_until(lambda: director.logged("script_returned"), 3, "the script was looked at")
    assert "can be written by others" in director.logged("script_returned")[0]["outcome"]
    time.sleep(0.6)
    assert director.changes() == [("A", "FAULT")]


def test_nothing_is_left_running_after_a_stop(director: Director, open_folder: Path) -> None:
    check = script(open_folder, "check.sh", "sleep 600")
    director.configure(
        f"vrrp_script chk {{\n script {check}\n interval 1\n timeout 500\n weight 5\n}}\n",
        INSTANCE.format("track_script { chk }"),
    )
    director.wait_for("10.0.0.100")
    wait_until(lambda: director.lab.pids("n", "sleep"), 5, "the script runs, for longer than anybody waits here")
    assert director.daemon is not None
    begin = time.monotonic()
    assert director.daemon.stop() == 0
    assert time.monotonic() - begin < 15, "it does not wait for the script"
    wait_until(lambda: not director.lab.pids("n", "pyhad", "check.sh", "sleep"), 5, "nothing is left")


@pytest.mark.behaviour("FSM-46")
def test_a_link_that_flaps_for_less_than_its_delay_is_not_noticed(director: Director) -> None:
    delays = "interface_up_down_delays {\n eth1 2 0\n}\n"
    director.lab.wire("n", "eth1", "other")
    time.sleep(1.2)  # the kernel speaks of a link at most once a second
    director.configure(delays, INSTANCE.format("track_interface { eth1 weight 20 }"))
    director.wait_for("10.0.0.100")
    time.sleep(1.2)
    director.lab.cut("n", "eth1")
    time.sleep(0.5)
    director.lab.mend("n", "eth1")
    time.sleep(2.5)
    assert priorities(director) == []
    director.lab.cut("n", "eth1")
    begin = time.monotonic()
    wait_until(lambda: priorities(director) == [(120, 100)], 4, "the weight is gone")
    assert time.monotonic() - begin > 1.9


@pytest.mark.behaviour("NET-10")
def test_promote_secondaries_is_set_while_it_is_needed(director: Director) -> None:
    setting = ("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries")
    before = director.lab.run("n", *setting)
    director.configure(INSTANCE.format("promote_secondaries"))
    director.wait_for("10.0.0.100")
    assert director.lab.run("n", *setting) == "1\n"
    assert director.daemon is not None
    assert director.daemon.stop() == 0
    assert director.lab.run("n", *setting) == before == "0\n"

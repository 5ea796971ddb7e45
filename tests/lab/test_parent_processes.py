"""The real parent with toy children: lives, deaths, hangs, reloads, the end. Needs root, no network."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyhad.common import privileges
from tests.lab.net import PATIENCE_S, Lab, log_lines

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]

REPO = Path(__file__).parents[2]
Line = dict[str, Any]


class Daemon:
    """One toy daemon in a run directory of its own."""

    def __init__(self, folder: Path, words: str) -> None:
        self.folder = folder
        self.run_dir = folder / "run"
        self.config = folder / "conf"
        self.log = folder / "log"
        self.config.write_text(words)
        self.config.chmod(0o600)
        self.log.touch()
        self.process: subprocess.Popen[bytes] | None = None

    def argv(self, *options: str) -> list[str]:
        return [
            sys.executable, "-m", "tests.lab.toy_daemon", "-G", "-l",
            "-f", str(self.config), "--run-dir", str(self.run_dir), *options,
        ]  # fmt: skip

    def start(self, *options: str, environment: dict[str, str] | None = None) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv("-n", *options), cwd=REPO, stderr=log, env={**os.environ, **(environment or {})}
            )
        self.wait_for(event="daemon_ready")
        self.wait_for(event="process_ready", count=len(self.find(event="child_started")))

    def lines(self) -> list[Line]:
        return log_lines(self.log)

    def find(self, **fields: object) -> list[Line]:
        return [line for line in self.lines() if fields.items() <= line.items()]

    def wait_for(self, *, count: int = 1, seconds: float = PATIENCE_S, **fields: object) -> Line:
        wait_until(lambda: len(self.find(**fields)) >= count, seconds, lambda: f"{fields}:\n{self.log.read_text()}")
        return self.find(**fields)[count - 1]

    def pid(self, name: str) -> int:
        return int((self.run_dir / f"{name}.pid").read_text())

    def pids(self) -> dict[str, int]:
        """Of the children that are there."""
        names = ("control", "ipvs", "checkers", "vrrp")
        return {name: self.pid(name) for name in names if (self.run_dir / f"{name}.pid").exists()}

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def wait_until(
    condition: Callable[[], bool], seconds: float = PATIENCE_S, why: Callable[[], str] = lambda: "not in time"
) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, why()
        time.sleep(0.002)
    return time.monotonic() - begin


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    tmp_path.chmod(0o755)
    made = Daemon(tmp_path, "vrrp checker down=1000")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()


@pytest.mark.behaviour("SIG-8")
def test_all_children_start_with_what_they_may_have_and_nothing_else(daemon: Daemon) -> None:
    daemon.start()
    account = privileges.service_account()[1]
    started = {line["process"]: line for line in daemon.find(event="toy_started")}
    assert {name: line["uid"] for name, line in started.items()} == {
        "control": account, "ipvs": 0, "checker": account, "vrrp": 0,
    }  # fmt: skip
    assert {name: line["listeners"] for name, line in started.items()} == {
        "control": ["operator", "status"], "ipvs": ["roles", "verdicts"], "checker": [], "vrrp": [],
    }  # fmt: skip
    assert {name: line["icmp"] for name, line in started.items()} == {
        "control": [False, False], "ipvs": [False, False], "checker": [True, True], "vrrp": [False, False],
    }  # fmt: skip
    for pid in daemon.pids().values():
        ignored = re.search(r"SigIgn:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
        assert ignored is not None
        assert int(ignored[1], 16) & 1 << signal.SIGPIPE - 1, "a reader that is gone ends nobody"
    sockets = {name: line["descriptors"].count("socket") for name, line in started.items()}
    assert sockets == {"control": 3, "ipvs": 3, "checker": 3, "vrrp": 1}
    assert daemon.stop() == 0


def test_the_run_directory_lets_in_who_must_and_nobody_else(daemon: Daemon) -> None:
    daemon.start()
    account = privileges.service_account()[1]
    shown = {
        path: (oct((daemon.run_dir / path).stat().st_mode & 0o7777), (daemon.run_dir / path).stat().st_uid)
        for path in (".", "bus", "bus/verdicts", "bus/status", "control", "lock", "pyhad.pid", "vrrp.pid")
    }
    assert shown == {
        ".": ("0o755", 0),
        "bus": ("0o770", account),
        "bus/verdicts": ("0o660", account),
        "bus/status": ("0o660", account),
        "control": ("0o660", 0),
        "lock": ("0o600", 0),
        "pyhad.pid": ("0o644", 0),
        "vrrp.pid": ("0o644", 0),
    }
    assert daemon.process is not None
    assert daemon.pid("pyhad") == daemon.process.pid
    assert daemon.stop() == 0
    assert sorted(path.name for path in daemon.run_dir.rglob("*")) == ["bus", "lock"]


@pytest.mark.behaviour("PROC-11")
def test_each_killed_child_is_replaced_within_milliseconds_and_alone(daemon: Daemon) -> None:
    daemon.start()
    waits_ms = {}
    for name in ("control", "ipvs", "checkers", "vrrp"):
        before = daemon.pids()
        os.kill(before[name], signal.SIGKILL)
        process = name.removesuffix("s") if name == "checkers" else name
        daemon.wait_for(event="toy_started", process=process, lives=2)
        daemon.wait_for(event="process_ready", process=process, count=2)
        ended = daemon.wait_for(event="child_ended", child=process)
        assert ended["signal"] == signal.SIGKILL
        after = daemon.pids()
        assert {other for other in before if before[other] != after[other]} == {name}
        waits_ms[name] = milliseconds(daemon, process)
    print(waits_ms)
    assert max(waits_ms.values()) < 3000, "it was not backed off"
    assert daemon.stop() == 0


def milliseconds(daemon: Daemon, process: str) -> float:
    """From the parent's learning of the death to the successor's readiness."""
    ended = daemon.find(event="child_ended", child=process)[-1]
    ready = daemon.find(event="process_ready", process=process)[-1]
    return (seconds_of(ready) - seconds_of(ended)) * 1000


def seconds_of(line: Line) -> float:
    clock = line["time"][11:-1].split(":")
    return int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2])


def test_a_child_that_always_dies_is_backed_off_while_the_others_live(daemon: Daemon) -> None:
    daemon.start()
    before = daemon.pids()
    daemon.config.write_text("vrrp checker dies")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(event="toy_document", process="vrrp")
    os.kill(before["vrrp"], signal.SIGKILL)
    daemon.wait_for(event="child_backs_off", child="vrrp", delay_ms=50)
    told = [line["event"] for line in daemon.lines() if line.get("child") == "vrrp"]
    assert told[: told.index("child_backs_off")].count("child_ended") == 5
    after = {name: pid for name, pid in daemon.pids().items() if name != "vrrp"} if has_vrrp(daemon) else {}
    assert all(before[name] == pid for name, pid in after.items())
    assert daemon.stop() == 0


def has_vrrp(daemon: Daemon) -> bool:
    return (daemon.run_dir / "vrrp.pid").exists()


def test_a_stopped_vrrp_child_is_replaced_within_the_watchdog_time(daemon: Daemon) -> None:
    daemon.config.write_text("vrrp checker down=1300")  # below 1250 ms it is looked at more closely
    daemon.start()
    os.kill(daemon.pid("vrrp"), signal.SIGSTOP)
    took_s = wait_until(lambda: bool(daemon.find(event="toy_started", process="vrrp", lives=2)))
    silent = daemon.wait_for(event="child_silent", child="vrrp")
    assert silent["silent_ms"] >= 500
    assert took_s < 4, "others have five seconds"
    assert daemon.stop() == 0


def test_another_stopped_child_is_replaced_after_five_seconds(daemon: Daemon) -> None:
    daemon.start()
    os.kill(daemon.pid("checkers"), signal.SIGSTOP)
    took_s = wait_until(lambda: bool(daemon.find(event="toy_started", process="checker", lives=2)))
    assert 4.5 < took_s < 30
    assert daemon.stop() == 0


@pytest.mark.behaviour("SIG-2")
@pytest.mark.behaviour("PROC-6")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_vrrp_stops_first_and_control_last(daemon: Daemon, number: int) -> None:
    daemon.start()
    pids = daemon.pids()
    assert daemon.stop(number) == 0
    order = [line["child"] for line in daemon.find(event="child_ended")]
    assert order[0] == "vrrp"
    assert set(order[1:3]) == {"ipvs", "checker"}
    assert order[3] == "control"
    assert all(line["exit_code"] == 0 for line in daemon.find(event="child_ended"))
    assert not any(is_alive(pid) for pid in pids.values())


@pytest.mark.behaviour("PROC-6")
def test_a_child_that_does_not_want_to_stop_is_killed(daemon: Daemon) -> None:
    daemon.config.write_text("vrrp stubborn wait=300")
    daemon.start()
    begin = time.monotonic()
    assert daemon.stop() == 0
    assert 0.3 <= time.monotonic() - begin < 5, "what it would have by default"
    assert daemon.find(event="child_failed_to_stop", child="vrrp")
    assert daemon.find(event="child_ended", child="vrrp", signal=9)


@pytest.mark.behaviour("SIG-1")
def test_a_reload_reaches_every_child_and_control_hears_the_warnings(daemon: Daemon) -> None:
    daemon.start()
    before = daemon.pids()
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    report = daemon.wait_for(event="toy_report", ok=True)
    assert report["report"] == f"uid {privileges.service_account()[1]}\n"
    daemon.wait_for(event="toy_document", count=4)
    documents = daemon.find(event="toy_document")
    assert {line["process"]: line["generation"] for line in documents} == {
        "control": 2, "ipvs": 2, "checker": 2, "vrrp": 2,
    }  # fmt: skip
    assert daemon.pids() == before
    os.kill(before["checkers"], signal.SIGKILL)
    assert daemon.wait_for(event="toy_started", process="checker", lives=2)["generation"] == 2
    assert daemon.stop() == 0


@pytest.mark.behaviour("QRK-9")
@pytest.mark.behaviour("REL-3", "REL-4")
@pytest.mark.parametrize(
    ("words", "first_error"), [("broken", "this is broken"), ("crash", "crashed or took too long")]
)
def test_a_refused_reload_leaves_everything_running(daemon: Daemon, words: str, first_error: str) -> None:
    daemon.start()
    before = daemon.pids()
    daemon.config.write_text(words)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    refused = daemon.wait_for(event="reload_refused", errors=1)
    assert first_error in refused["first_error"]
    assert first_error in daemon.wait_for(event="toy_report", ok=False)["report"]
    assert daemon.pids() == before
    assert not daemon.find(event="toy_document")
    daemon.config.write_text("vrrp checker")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(event="toy_report", ok=True)
    assert daemon.stop() == 0


def ask_control(daemon: Daemon, word: str) -> None:
    """The toy control process says it to the parent."""
    wish = daemon.folder / "wish"
    wish.with_suffix(".new").write_text(word)
    wish.with_suffix(".new").rename(wish)


def test_a_reload_that_nobody_confirms_goes_back_though_control_dies(daemon: Daemon) -> None:
    daemon.start()
    daemon.config.write_text("vrrp checker wish down=2000")
    ask_control(daemon, "reload 2")
    daemon.wait_for(event="toy_report", ok=True)
    in_force = daemon.wait_for(event="configuration_in_force", generation=2)
    os.kill(daemon.pid("control"), signal.SIGKILL)
    notice = {"event": "toy_confirmation", "word": "confirmation", "state": "waiting"}
    daemon.wait_for(**notice, lives=1)
    daemon.wait_for(**notice, lives=2)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(event="reload_not_done", count=2)  # asked by the signal, and by the new control process
    daemon.wait_for(event="reload_not_confirmed")
    back = daemon.wait_for(event="reload_gone_back")
    assert 1.5 < seconds_of(back) - seconds_of(in_force) < 30
    assert "not confirmed" in daemon.wait_for(event="toy_report", ok=False)["report"]
    daemon.wait_for(event="toy_document", generation=3, count=4)
    documents = {line["process"]: line["words"] for line in daemon.find(event="toy_document", generation=3)}
    assert documents == {"control": "", "ipvs": "", "checker": "", "vrrp": "vrrp checker down=1000"}
    assert daemon.find(event="toy_document", process="vrrp")[0]["words"] == "vrrp checker wish down=2000"
    daemon.process.send_signal(signal.SIGHUP)  # what stands in the files is another matter
    daemon.wait_for(event="configuration_in_force", generation=4)
    assert daemon.stop() == 0


def test_a_confirmed_reload_stays(daemon: Daemon) -> None:
    daemon.start()
    daemon.config.write_text("vrrp checker down=2000")
    ask_control(daemon, "reload 2")
    daemon.wait_for(event="configuration_in_force", generation=2)
    ask_control(daemon, "confirm")
    daemon.wait_for(event="reload_confirmed")
    daemon.wait_for(event="toy_confirmation", state="confirmed")
    time.sleep(2.2)
    assert not daemon.find(event="reload_not_confirmed")
    assert len(daemon.find(event="configuration_in_force")) == 1
    assert daemon.stop() == 0


@pytest.mark.behaviour("SIG-14")
def test_a_reload_starts_and_stops_children(daemon: Daemon) -> None:
    daemon.config.write_text("vrrp")
    daemon.start()
    assert sorted(line["process"] for line in daemon.find(event="toy_started")) == ["control", "vrrp"]
    daemon.config.write_text("checker")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(event="toy_report", ok=True)
    daemon.wait_for(event="child_ended", child="vrrp", exit_code=0)
    daemon.wait_for(event="toy_started", process="ipvs")
    daemon.wait_for(event="toy_started", process="checker")
    assert is_alive(daemon.pid("checkers"))
    assert is_alive(daemon.pid("ipvs"))
    wait_until(lambda: not has_vrrp(daemon))
    assert daemon.stop() == 0


@pytest.mark.behaviour("PROC-3")
def test_a_second_daemon_says_that_one_is_running_and_ends_with_0(daemon: Daemon) -> None:
    daemon.start()
    second = subprocess.run(daemon.argv("-n"), cwd=REPO, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (second.returncode, second.stderr) == (0, f"pyhad: daemon is already running in {daemon.run_dir}\n")
    assert all(is_alive(pid) for pid in daemon.pids().values())
    assert daemon.stop() == 0


@pytest.mark.behaviour("PROC-7")
def test_when_the_parent_is_killed_the_children_end_and_a_new_daemon_can_start(daemon: Daemon) -> None:
    daemon.start()
    pids = daemon.pids()
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in pids.values()))
    daemon.log.write_text("")
    daemon.start()
    assert daemon.stop() == 0


@pytest.mark.behaviour("PROC-20")
def test_a_refused_configuration_at_the_start_ends_with_2_and_says_why(daemon: Daemon) -> None:
    daemon.config.write_text("broken")
    done = subprocess.run(daemon.argv("-n"), cwd=REPO, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (2, f"{daemon.config}:1:1: this is broken\n")
    assert not any(path.name != "lock" for path in daemon.run_dir.rglob("*"))


@pytest.mark.behaviour("PROC-10")
@pytest.mark.parametrize("status", [1, 2, 4])
def test_a_child_that_cannot_work_at_all_ends_a_daemon_that_starts(daemon: Daemon, status: int) -> None:
    daemon.config.write_text(f"vrrp quits={status}")
    done = subprocess.run(daemon.argv("-n"), cwd=REPO, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == status
    assert '"child_failed_for_good"' in done.stderr


@pytest.mark.behaviour("PROC-12")
def test_without_respawn_a_killed_child_ends_the_daemon(daemon: Daemon) -> None:
    daemon.start("-R")
    os.kill(daemon.pid("ipvs"), signal.SIGKILL)
    assert daemon.process is not None
    assert daemon.process.wait(PATIENCE_S) == 1


@pytest.mark.behaviour("CLI-17")
def test_in_daemon_mode_the_caller_gets_its_prompt_when_all_children_are_ready(daemon: Daemon) -> None:
    with daemon.log.open("ab") as log:
        done = subprocess.run(daemon.argv(), cwd=REPO, stderr=log, timeout=PATIENCE_S)
    assert done.returncode == 0
    pid = daemon.pid("pyhad")
    try:
        assert daemon.find(event="daemon_ready")
        assert os.getsid(pid) not in (os.getsid(0), pid)
        assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert all(is_alive(child) for child in daemon.pids().values())
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid))
    daemon.wait_for(event="daemon_stopped", exit_code=0)


def test_in_daemon_mode_the_caller_gets_the_status_of_a_failure(daemon: Daemon) -> None:
    for words, status in (("broken", 2), ("vrrp quits=4", 4)):
        daemon.config.write_text(words)
        with daemon.log.open("ab") as log:
            assert subprocess.run(daemon.argv(), cwd=REPO, stderr=log, timeout=PATIENCE_S).returncode == status


@pytest.mark.behaviour("CLI-38")
@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_kept_informed(daemon: Daemon, abstract: bool) -> None:
    address = f"@pyhad-test-{os.getpid()}" if abstract else str(daemon.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + address[1:] if abstract else address)
        manager.settimeout(PATIENCE_S)
        daemon.start(environment={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"})
        assert all(line["environment"] == [] for line in daemon.find(event="toy_started"))
        assert daemon.process is not None
        pid = daemon.process.pid
        said = heard_until(manager, "READY=1")
        assert said[-1] == {"READY": "1", "MAINPID": str(pid), "STATUS": "serving"}
        assert heard_until(manager, "WATCHDOG=1")
        assert heard_until(manager, "WATCHDOG=1")
        before_us = time.monotonic_ns() // 1000
        daemon.process.send_signal(signal.SIGHUP)
        reloading = heard_until(manager, "RELOADING=1")[-1]
        assert before_us <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert heard_until(manager, "READY=1")[-1]["STATUS"] == "serving"
        assert daemon.stop() == 0
        assert heard_until(manager, "STOPPING=1")


def heard_until(manager: socket.socket, word: str) -> list[dict[str, str]]:
    """Every datagram up to the first that holds `word`."""
    found = []
    for _ in range(200):
        lines = manager.recv(4096).decode().splitlines()
        found.append(dict(line.split("=", 1) for line in lines))
        if word in lines:
            return found
    raise AssertionError(f"no {word} in {found}")


@pytest.mark.behaviour("CLI-29")
def test_sigint_can_be_switched_off(daemon: Daemon) -> None:
    daemon.start("--ignore-sigint")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGINT)
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(event="reload_wanted", by="signal")
    assert not daemon.find(event="stop_wanted")
    assert daemon.stop() == 0


def test_a_parent_that_computes_too_long_for_a_real_time_process_lives_on(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGXCPU)
    daemon.wait_for(event="realtime_withdrawn")
    assert os.sched_getscheduler(daemon.process.pid) == os.SCHED_OTHER
    assert daemon.stop() == 0


@pytest.mark.behaviour("CLI-22")
def test_a_namespace_that_is_not_there_is_said(daemon: Daemon) -> None:
    done = subprocess.run(
        daemon.argv("-n", "-s", "no-such"), cwd=REPO, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stderr) == (1, "pyhad: network namespace no-such: No such file or directory\n")


@pytest.mark.behaviour("CLI-22")
def test_the_whole_daemon_lives_in_its_namespace(daemon: Daemon, lab: Lab) -> None:
    namespace = lab.host("d")
    daemon.start("-s", namespace)
    there = os.stat(f"/run/netns/{namespace}").st_ino
    assert daemon.process is not None
    for pid in (daemon.process.pid, *daemon.pids().values()):
        assert os.stat(f"/proc/{pid}/ns/net").st_ino == there
    assert daemon.stop() == 0


@pytest.mark.behaviour("CLI-9")
def test_each_process_has_its_own_log_file(daemon: Daemon) -> None:
    daemon.start("-g")
    wanted = ["pyhad.log", "pyhad_control.log", "pyhad_healthcheckers.log", "pyhad_ipvs.log", "pyhad_vrrp.log"]
    wait_until(lambda: sorted(path.name for path in daemon.run_dir.glob("*.log")) == wanted)
    assert daemon.stop() == 0


@pytest.mark.behaviour("CLI-27")
def test_a_config_test_works_for_anybody_and_starts_nothing(daemon: Daemon) -> None:
    daemon.config.write_text("broken")
    daemon.config.chmod(0o644)
    log = daemon.folder / "test.log"
    done = subprocess.run(daemon.argv("-t"), cwd=REPO, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (5, f"{daemon.config}:1:1: this is broken\n")
    for _ in range(2):
        done = subprocess.run(daemon.argv(f"-t{log}"), cwd=REPO, capture_output=True, text=True, timeout=PATIENCE_S)
        assert (done.returncode, done.stderr) == (5, "")
    assert log.read_text() == f"{daemon.config}:1:1: this is broken\n" * 2
    assert not daemon.run_dir.exists()

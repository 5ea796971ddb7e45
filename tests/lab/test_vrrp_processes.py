"""Tracked processes move the priority of a running pyhad as they move keepalived's, and survive floods and deaths.

The kernel tells of processes in the machine's first network namespace only: there both run, with an interface that
does not exist, so that they send nothing. In a host of the lab pyhad gets them from there, or reads /proc.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import Lab, LabError, log_lines, wait_until
from tests.lab.test_vrrp_interop import PYHAD
from tests.lab.test_vrrp_lifecycle import Director

pytestmark = pytest.mark.lab

TRACKED = """
vrrp_track_process name {{
    process {name}
    weight 1
}}
vrrp_track_process line {{
    process {path} 100
    weight 2
}}
vrrp_track_process first {{
    process {name} 10
    param_match initial
    weight 4
}}
vrrp_track_process command {{
    process {path}
    full_command
    weight 8
}}
vrrp_track_process bare {{
    process {name}
    param_match
    weight 16
}}
vrrp_track_process pair {{
    process {name}
    quorum 2
    weight -32
}}
"""
INSTANCE = """
vrrp_instance A {{
    interface {interface}
    virtual_router_id 51
    priority 100
    {options}
    track_process {{
{names}
    }}
    virtual_ipaddress {{ 10.0.0.100 }}
}}
"""
FAST = "version 3\n    advert_int 0.1"
NAMES = ("name", "line", "first", "command", "bare", "pair")


class Programs:
    """Copies of sleep of our own, and of cat where there is no parameter, so that nobody else's processes count."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"trk{os.getpid()}"
        shutil.copy("/bin/sleep", self.path)
        self.bare = folder / "bare" / self.path.name
        self.bare.parent.mkdir()
        shutil.copy("/bin/cat", self.bare)
        self.children: list[subprocess.Popen[bytes]] = []

    def run(self, *argv: str) -> subprocess.Popen[bytes]:
        """`argv[0]` is what it calls itself."""
        program = self.path if argv[1:] else self.bare
        child = subprocess.Popen(argv, executable=program, stdin=subprocess.PIPE)
        self.children.append(child)
        return child

    def end(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()


@pytest.fixture
def programs(open_folder: Path) -> Iterator[Programs]:
    made = Programs(open_folder)
    yield made
    for child in made.children:
        made.end(child)


class Outside:
    """pyhad in the machine's own network namespace: the kernel's news are there. Its interface does not exist."""

    def __init__(self, folder: Path) -> None:
        self.path, self.log = folder / "o.conf", folder / "o.log"
        self.command = [PYHAD, "-n", "-l", "-f", str(self.path), "--run-dir", str(folder / "run-o")]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *texts: str) -> None:
        self.path.write_text("".join(texts))
        self.path.chmod(0o644)
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=subprocess.STDOUT)
        wait_until(lambda: self.logged("state_changed"), 60, "it runs")

    def logged(self, event: str) -> list[dict[str, str]]:
        return [line for line in log_lines(self.log) if line.get("event") == event and line["process"] == "vrrp"]

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(40)


@pytest.fixture
def outside(open_folder: Path) -> Iterator[Outside]:
    """Not started."""
    made = Outside(open_folder)
    yield made
    made.stop()


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started."""
    return Director(lab, open_folder)


def tracked(programs: Programs) -> str:
    return TRACKED.format(name=programs.path.name, path=programs.path)


def instance(interface: str, options: str, names: tuple[str, ...]) -> str:
    return INSTANCE.format(interface=interface, options=options, names="\n".join(names))


def priority(outside: Outside) -> int:
    changes = outside.logged("priority_changed") or [{"new": outside.logged("state_changed")[-1]["priority"]}]
    return int(changes[-1]["new"])


@pytest.fixture
def keepalived(open_folder: Path, programs: Programs) -> Iterator[Path]:
    """Its log; it tracks the same."""
    config, log = open_folder / "ka.conf", open_folder / "ka.log"
    config.write_text("global_defs { dynamic_interfaces }\n" + tracked(programs) + instance("nope0", "", NAMES))
    command = ["keepalived", "-n", "-l", "-D", "-P", "-f", config, "-p", open_folder / "k.pid", "-r", open_folder / "v"]
    with log.open("wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT)
    yield log
    process.send_signal(signal.SIGTERM)
    process.wait(40)


def keepalived_priority(log: Path) -> int:
    found = re.findall(r"effective priority from \d+ to (\d+)", log.read_text())
    return int(found[-1]) if found else 100


@pytest.mark.behaviour("TRK-40", "TRK-2")
def test_the_same_processes_make_the_same_priority_as_in_keepalived(
    outside: Outside, programs: Programs, keepalived: Path
) -> None:
    name, path = programs.path.name, str(programs.path)
    outside.start(tracked(programs), instance("nope0", FAST, NAMES))
    wait_until(lambda: "proc_events has confirmed" in keepalived.read_text(), 5, "keepalived tracks")

    def both_are(wanted: int, what: str) -> None:
        both = lambda: (priority(outside), keepalived_priority(keepalived))  # noqa: E731
        try:
            wait_until(lambda: both() == (wanted, wanted), 4, what)
        except LabError:
            pytest.fail(f"{what}: {wanted} is expected, they have {both()}")

    both_are(68, "nobody is there, and no pair")
    begin = programs.run(name, "60")
    both_are(69, "one is no pair")
    for argv, weights in (
        ([name, "60"], 1),  # what each is called, and the weights that it and the first one bring
        ([path, "100"], 1 + 2 + 8),
        ([name, "103"], 1 + 4),
        ([name], 1 + 16),
        ([path, "100", "7"], 1 + 8),
    ):
        child = programs.run(*argv)
        both_are(100 + weights, f"{argv} began")
        programs.end(child)
        both_are(69, f"{argv} ended")
    programs.end(begin)
    both_are(68, "none is left")


@pytest.mark.behaviour("TRK-40", "TRK-41", "FSM-40")
def test_without_weight_a_missing_process_is_a_fault_after_its_delay_and_a_successor_remembers(
    director: Director, programs: Programs
) -> None:
    text = f"vrrp_track_process p {{\n process {programs.path.name}\n terminate_delay 1\n}}\n"
    child = programs.run(programs.path.name, "60")
    director.configure(text, instance("eth0", FAST, ("p",)))
    director.wait_for("10.0.0.100")
    wait_until(lambda: director.changes()[-2:] == [("A", "BACKUP"), ("A", "MASTER")], 3, "the log says so")
    begun = len(director.changes())
    os.kill(int(director.logged("process_ready")[0]["pid"]), signal.SIGKILL)
    wait_until(lambda: len(director.logged("state_changed")) == begun + 1, 3, "the successor is master")
    assert director.logged("state_changed")[-1]["reason"] == "resumed_after_restart"
    programs.end(child)
    begin = time.monotonic()
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 4, "it is missed")
    assert time.monotonic() - begin > 0.9
    assert director.logged("state_changed")[-1]["detail"] == "tracked_process"
    programs.run(programs.path.name, "60")
    wait_until(lambda: director.changes()[-1] == ("A", "MASTER"), 4, "it is back")


@pytest.mark.behaviour("TRK-40")
def test_a_flood_of_processes_costs_little_and_hides_nothing(outside: Outside, programs: Programs) -> None:
    text = f"vrrp_track_process p {{\n process {programs.path.name}\n weight 5\n}}\n"
    outside.start(text, instance("nope0", FAST, ("p",)))
    helper = helper_of(int(outside.logged("process_ready")[0]["pid"]))
    storm = "while :; do for i in 1 2 3 4 5 6 7 8 9; do (:) & done; wait; done"
    flood = [subprocess.Popen(["/bin/sh", "-c", storm]) for _ in range(2)]
    try:
        before, begin = cpu_s(helper), time.monotonic()
        time.sleep(1)
        child = programs.run(programs.path.name, "60")
        wait_until(lambda: priority(outside) == 105, 4, "it is found in the flood")
        programs.end(child)
        wait_until(lambda: priority(outside) == 100, 4, "and its end too")
        assert (cpu_s(helper) - before) / (time.monotonic() - begin) < 0.35
    finally:
        for one in flood:
            one.kill()
            one.wait()


def helper_of(vrrp: int) -> int:
    children = Path(f"/proc/{vrrp}/task/{vrrp}/children").read_text().split()
    return next(int(pid) for pid in children if "scripts" in Path(f"/proc/{pid}/comm").read_text())


def cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

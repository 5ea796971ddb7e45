"""Living processes are counted, as the kernel tells of them or as /proc shows them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyhad.common.config.model.tracking import ParamMatch, ReceiveBuffer, TrackProcess
from pyhad.common.loop import Loop
from pyhad.common.scripts.orders import Answer, FollowProcesses, ProcessesCounted, Trouble
from pyhad.common.scripts.processes import HelperProcesses, describe


class Bench:
    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.said: list[Answer] = []
        self.processes = HelperProcesses(self.loop, self.said.append)
        self.program = folder / f"trk{os.getpid()}"
        shutil.copy("/bin/sleep", self.program)
        self.children: list[subprocess.Popen[bytes]] = []

    def follow(self, *processes: TrackProcess, watch: ReceiveBuffer | None = None) -> None:
        self.processes.follow(FollowProcesses(processes=processes, watch=watch or ReceiveBuffer()))

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([self.program, *arguments])
        self.children.append(child)
        return child

    def end(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        child.wait()

    def turn_until(self, counts: dict[str, int]) -> bool:
        """Whether those counts are said within five seconds."""
        end_s = time.monotonic() + 40
        while time.monotonic() < end_s:
            self.loop.turn(0.05)
            told = [answer for answer in self.said if isinstance(answer, ProcessesCounted)]
            if told and told[-1].counts == counts:
                return True
        return False


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for child in made.children:
        made.end(child)
    made.follow()
    made.loop.close()


@pytest.mark.behaviour("TRK-40")
def test_births_and_ends_are_counted_by_name_and_by_command_line(bench: Bench) -> None:
    by_name = TrackProcess(name="name", argv=(bench.program.name,))
    by_line = TrackProcess(name="line", argv=(str(bench.program), "61"), param_match=ParamMatch.EXACT)
    first = bench.run("60")
    bench.follow(by_name, by_line)
    assert bench.turn_until({"name": 1, "line": 0})
    second = bench.run("61")
    assert bench.turn_until({"name": 2, "line": 1})
    bench.end(second)
    assert bench.turn_until({"name": 1, "line": 0})
    bench.end(first)
    assert bench.turn_until({"name": 0, "line": 0})


def test_another_set_of_processes_begins_with_true_counts(bench: Bench) -> None:
    bench.run("60")
    bench.follow(TrackProcess(name="a", argv=("no-such-process",)))
    assert bench.turn_until({"a": 0})
    bench.said.clear()
    bench.follow(TrackProcess(name="b", argv=(bench.program.name,)))
    assert bench.turn_until({"b": 1})
    assert [answer.counts for answer in bench.said if isinstance(answer, ProcessesCounted)] == [{"b": 1}]


def test_news_that_were_lost_are_made_good_by_looking(bench: Bench) -> None:
    """The buffer is the smallest there is, and nobody reads it while processes come and go."""
    bench.follow(
        TrackProcess(name="a", argv=(bench.program.name,)),
        watch=ReceiveBuffer(size_bytes=1, beyond_limit=False),
    )
    assert bench.turn_until({"a": 0})
    for _ in range(40):
        subprocess.run(["/bin/true"], check=True)
    kept = bench.run("60")
    assert bench.turn_until({"a": 1})
    bench.end(kept)
    for _ in range(40):
        subprocess.run(["/bin/true"], check=True)
    assert bench.turn_until({"a": 0})
    tokens = {answer.event for answer in bench.said if isinstance(answer, Trouble)}
    assert tokens in ({"process_events_lost"}, {"process_events_unavailable"})


def test_a_zombie_and_nobody_are_not_described() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert describe(child.pid, with_command_line=True) is None
    child.wait()
    assert describe(child.pid, with_command_line=True) is None


def test_a_process_is_described_by_name_and_words() -> None:
    child = subprocess.Popen(["sleep", "60", "0"])
    try:
        found = describe(child.pid, with_command_line=True)
        while found is None or found.name != "sleep" or not found.argv:  # it has its name before its words
            found = describe(child.pid, with_command_line=True)
        assert found.argv == ("sleep", "60", "0")
        bare = describe(child.pid, with_command_line=False)
        assert bare is not None
        assert bare.argv == ()
    finally:
        child.kill()
        child.wait()

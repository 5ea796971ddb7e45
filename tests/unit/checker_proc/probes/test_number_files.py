"""The numbers of FILE_CHECK as the script helper tells them; the test is the helper."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.number_files import NumberFiles
from pyhad.common.codec import encode
from pyhad.common.config.model import FileCheck, Timing
from pyhad.common.config.model.tracking import TrackFile
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import FileRead

DOWN = ProbeFailed(reason=Reason.FILE_SAYS_DOWN)
UP = ProbeSucceeded(latency_ns=0, weight=0)
UNKNOWN = ProbeImpossible(reason=Reason.FILE_UNREADABLE)


def check(name: str, path: str) -> FileCheck:
    return FileCheck(file=TrackFile(name=name, path=path), weight=0, timing=Timing(), alpha=False)


WAS, IS, OTHER = check("f", "/run/was"), check("f", "/run/is"), check("g", "/run/other")


class Bench:
    def __init__(self) -> None:
        self.loop = Loop()
        self.ours, self.helper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        scripts = Scripts(self.ours, self.loop, ProcessLog("test", LogSettings(syslog=False)).logger)
        self.changed: list[str] = []
        self.files = NumberFiles(scripts, self.changed.append)

    def says(self, name: str, value: int) -> None:
        self.helper.send(encode(FileRead(name=name, value=value)))

    def follow(self, *checks: FileCheck) -> None:
        self.files.follow([one.file for one in checks], is_first=False)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.ours.close()
    made.helper.close()
    made.loop.close()


def test_what_the_helper_says_first_is_waited_for(bench: Bench) -> None:
    bench.says("f", 0)
    bench.follow(WAS)
    assert (bench.files.look(WAS), bench.changed) == (UP, ["f"])


def test_what_stood_in_another_file_of_the_name_counts_no_more(bench: Bench) -> None:
    bench.says("f", 0)
    bench.follow(WAS)
    bench.follow(IS)  # the helper is silent for as long as is waited for it
    assert bench.files.look(IS) == UNKNOWN
    bench.says("f", 1)
    bench.loop.turn(1)
    assert bench.files.look(IS) == DOWN


def test_a_late_word_of_a_file_that_nobody_follows_is_not_kept(bench: Bench) -> None:
    bench.says("g", 1)
    bench.says("f", 0)
    bench.follow(WAS)
    bench.follow(WAS, OTHER)
    assert (bench.files.look(WAS), bench.files.look(OTHER), bench.changed) == (UP, UNKNOWN, ["f"])

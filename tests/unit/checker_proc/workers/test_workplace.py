"""A place among the workers when what is forked for it does not come, or is gone at once. Nothing is forked here."""

from __future__ import annotations

import os
import resource
import socket

from pyhad.checker_proc.nursery import Nursery as NurseryProcess
from pyhad.checker_proc.workers.worker_words import Tally
from pyhad.checker_proc.workers.workforce import Workforce
from pyhad.checker_proc.workers.workplace import Workplace
from pyhad.common.codec import encode
from pyhad.common.config.model import TlsClient
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop

SECOND = 1_000_000_000


class ClockLoop(Loop):
    """Its clock can be wrong."""

    ahead_ns = 0

    def now_ns(self) -> int:  # type: ignore[override]
        return Loop.now_ns() + self.ahead_ns


class Nursery:
    """Keeps the ends that workers were to have."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []

    def fork(self, _number: int, end: socket.socket) -> None:
        self.ends.append(end.dup())

    def close(self) -> None:
        for end in self.ends:
            end.close()


def opened(loop: ClockLoop, *, ago_s: int) -> tuple[Workplace, Nursery]:
    """One that was opened so long ago."""
    nursery = Nursery()
    place = Workplace(1, loop, ProcessLog("test", LogSettings(syslog=False)).logger, nursery.fork)
    loop.ahead_ns = -ago_s * SECOND
    place.open(TlsClient())
    loop.ahead_ns = 0
    return place, nursery


def hear_to_the_end(end: socket.socket) -> None:
    """Returns when the other side is closed."""
    end.settimeout(40)
    while end.recv(65536):
        pass


def test_a_worker_that_never_speaks_is_given_up_and_another_is_made() -> None:
    loop = ClockLoop()
    place, nursery = opened(loop, ago_s=11)
    place.look()
    hear_to_the_end(nursery.ends[0])
    loop.turn(1)
    assert (len(nursery.ends), place.status().restarts) == (2, 1)
    place.look()
    loop.turn(0)
    assert len(nursery.ends) == 2
    place.close()
    nursery.close()
    loop.close()


def test_a_worker_that_is_gone_when_its_first_word_is_read_harms_nobody() -> None:
    loop = ClockLoop()
    place, nursery = opened(loop, ago_s=2)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    nursery.ends[0].send(encode(Tally(pid=child, in_flight=0, late_p99_ns=0, late_max_ns=0, cpu_ns=0, records=b"")))
    loop.turn(1)
    assert (len(nursery.ends), place.status().pid) == (1, 0)
    nursery.close()
    loop.turn(1)
    assert (len(nursery.ends), place.status().pid) == (2, 0)
    place.close()
    nursery.close()
    loop.close()


def test_a_nursery_that_hangs_is_killed_and_the_checker_told() -> None:
    loop, lost = ClockLoop(), []
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        os.read(os.pipe()[0], 1)
        os._exit(0)
    logger = ProcessLog("test", LogSettings(syslog=False)).logger
    force = Workforce(NurseryProcess(ours, os.pidfd_open(pid)), loop, logger, lambda: lost.append("nursery"))
    loop.ahead_ns = -11 * SECOND
    assert force.follow(1, TlsClient())
    loop.ahead_ns = 0
    force.look()  # the first that never speaks is given up
    assert lost == []
    loop.ahead_ns = -11 * SECOND
    loop.turn(0.2)  # another is wanted, 11 s ago
    loop.ahead_ns = 0
    force.look()
    assert (lost, os.waitpid(pid, 0)[1]) == (["nursery"], 9)
    force.close()
    for end in (ours, theirs):
        end.close()
    loop.close()


def test_failed_tries_are_still_counted_when_their_worker_is_not_wanted_any_more() -> None:
    loop = ClockLoop()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    logger = ProcessLog("test", LogSettings(syslog=False)).logger
    force = Workforce(NurseryProcess(ours, -1), loop, logger, lambda: None)
    assert force.follow(2, TlsClient())
    ends = [socket.socket(fileno=socket.recv_fds(theirs, 16, 1)[1][0]) for _ in range(2)]
    for end, tries in zip(ends, (3, 4), strict=True):
        end.send(encode(Tally(
            pid=os.getpid(), in_flight=0, late_p99_ns=0, late_max_ns=0, cpu_ns=0, records=b"", tries_failed=tries
        )))  # fmt: skip
        loop.turn(1)
    seen = [force.tries_failed]
    for workers in (1, 0, 1):
        assert force.follow(workers, TlsClient())
        seen.append(force.tries_failed)
    assert seen == [7, 7, 7, 7]
    force.close()
    for end in (ours, theirs, *ends):
        end.close()
    loop.close()


def test_without_a_descriptor_for_a_worker_another_try_is_made() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    loop, nursery = ClockLoop(), Nursery()
    place = Workplace(1, loop, ProcessLog("test", LogSettings(syslog=False)).logger, nursery.fork)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        place.open(TlsClient())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert nursery.ends == []
    end_ns = loop.now_ns() + 20 * SECOND
    while not nursery.ends and loop.now_ns() < end_ns:
        loop.turn(0.1)
    assert len(nursery.ends) == 1
    place.close()
    nursery.close()
    loop.close()

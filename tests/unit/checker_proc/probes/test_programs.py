"""MISC_CHECK's side of the script helper; the test is the helper."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pyhad.checker_proc.core.events import ProbeFailed, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.programs import MiscProbe, Programs
from pyhad.common.codec import encode
from pyhad.common.config.model import MiscCheck, Timing
from pyhad.common.config.model.tracking import Program
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import MOST_BYTES, ORDERS, Answer, Cancel, Check, Ended, Order, TimedOut

MS = 1_000_000
PROGRAM = Program(argv=("/usr/bin/true",), uid=0, gid=0)
CHECK = MiscCheck(program=PROGRAM, timeout_ns=1000 * MS, dynamic=False, timing=Timing(), alpha=False)


class Owner:
    def __init__(self) -> None:
        self.results: list[Result] = []

    def take(self, result: Result) -> None:
        self.results.append(result)


class Bench:
    def __init__(self) -> None:
        self.loop = Loop()
        self.ours, self.helper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        logger = ProcessLog("test", LogSettings(syslog=False)).logger
        self.programs = Programs(Scripts(self.ours, self.loop, logger), self.loop, Deadlines(self.loop))

    def start(self, owner: Owner, check: MiscCheck = CHECK) -> MiscProbe:
        probe = self.programs.start(check, owner, self.loop.now_ns())
        assert isinstance(probe, MiscProbe)
        return probe

    def orders(self) -> list[Order]:
        """What the helper was told since the last time."""
        found: list[Order] = []
        while True:
            try:
                found.append(ORDERS.decode(self.helper.recv(MOST_BYTES)))
            except BlockingIOError:
                return found

    def answer(self, answer: Answer) -> None:
        self.helper.send(encode(answer))
        self.loop.turn(1)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.ours.close()
    made.helper.close()
    made.loop.close()


def order(ticket: int) -> Check:
    return Check(ticket=ticket, program=PROGRAM, timeout_ns=1000 * MS)


def test_a_program_is_run_and_its_end_is_the_result(bench: Bench) -> None:
    owner = Owner()
    bench.start(owner)
    assert bench.orders() == [order(1)]
    bench.answer(Ended(ticket=1, status=3))
    assert [(one.reason, one.detail) for one in owner.results] == [(Reason.EXIT_STATUS, "3")]  # type: ignore[union-attr]


def test_a_run_given_up_is_gone_before_the_next_of_that_program_begins(bench: Bench) -> None:
    """A reload of the timing makes another check of it."""
    before, after, other = Owner(), Owner(), Owner()
    bench.start(before).cancel()
    bench.start(after, replace(CHECK, timing=Timing(delay_loop_ns=7)))
    bench.start(other, replace(CHECK, program=replace(PROGRAM, argv=("/usr/bin/false",))))
    assert [(type(one), one.ticket) for one in bench.orders()] == [(Check, 1), (Cancel, 1), (Check, 3)]  # type: ignore[union-attr]
    bench.answer(Ended(ticket=1, status=-15))
    assert bench.orders() == [order(2)]
    bench.answer(Ended(ticket=2, status=0))
    assert before.results == []
    assert [type(one) for one in after.results] == [ProbeSucceeded]


def test_one_that_waits_and_is_given_up_never_begins(bench: Bench) -> None:
    bench.start(Owner()).cancel()
    bench.start(Owner()).cancel()
    last = Owner()
    bench.start(last)
    bench.answer(Ended(ticket=1, status=-15))
    assert [one.ticket for one in bench.orders()] == [1, 1, 3]  # type: ignore[union-attr]


def test_a_successor_begins_when_the_helper_before_it_has_ended_what_ran(bench: Bench) -> None:
    bench.programs.succeed()
    bench.start(Owner())
    assert bench.orders() == []
    end_ns = bench.loop.now_ns() + 20_000 * MS
    began_ns = bench.loop.now_ns()
    while not (found := bench.orders()) and bench.loop.now_ns() < end_ns:
        bench.loop.turn(1)
    assert found == [order(1)]
    assert bench.loop.now_ns() - began_ns > 1900 * MS


def test_a_program_that_cannot_be_killed_is_asked_about_until_it_is_gone(bench: Bench) -> None:
    owner = Owner()
    probe = bench.start(owner)
    bench.answer(TimedOut(ticket=1))
    probe.expire()
    assert bench.orders() == [order(1), Cancel(ticket=1)]
    assert [one.reason for one in owner.results] == [Reason.TIMEOUT]  # type: ignore[union-attr]
    refused = bench.programs.start(CHECK, owner, bench.loop.now_ns())
    assert refused == ProbeFailed(reason=Reason.PREVIOUS_RUN_LINGERS)
    bench.answer(Ended(ticket=1, status=-9))
    bench.start(owner)
    assert bench.orders() == [order(2)]


def test_who_waits_for_one_that_cannot_be_killed_fails_in_the_end(bench: Bench) -> None:
    bench.start(Owner()).cancel()
    owner = Owner()
    probe = bench.start(owner)
    probe.expire()
    assert [one.reason for one in owner.results] == [Reason.PREVIOUS_RUN_LINGERS]  # type: ignore[union-attr]
    bench.answer(Ended(ticket=1, status=-9))
    assert [one.ticket for one in bench.orders()] == [1, 1]  # type: ignore[union-attr]

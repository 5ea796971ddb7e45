"""What a worker tells of the checks that it was given, and when. They are pings, which no worker can send: none is."""

from __future__ import annotations

import gc
import socket

from pyhad.checker_proc.core.effects import ReportFailure
from pyhad.checker_proc.core.events import TIME_PASSED, ProbeSucceeded
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.workers.worker import Worker
from pyhad.checker_proc.workers.worker_line import PART_BYTES, pair
from pyhad.checker_proc.workers.worker_words import FROM_WORKER, TALLY, Begin, Tally, TryFailed
from pyhad.common.codec import encode
from pyhad.common.config.model import PingCheck, Target, Timing
from pyhad.common.loop import Loop

YEAR_NS = 31_536_000_000_000_000


def begin(number: int, *, logs_all: bool = False) -> bytes:
    """Nothing is due before the test is over."""
    timing = Timing(delay_loop_ns=YEAR_NS, warmup_ns=YEAR_NS, log_all_failures=logs_all)
    check = PingCheck(target=Target(address=f"10.0.{number // 250}.{number % 250}", port=0), timing=timing, alpha=False)
    return encode(
        Begin(number=number, check=check, is_suspended=False, is_tested=False, is_up=True, weight=None, reason="x")
    )


def told(ours: socket.socket) -> set[int]:
    """Numbers of the checks in the tallies that have come."""
    found = set()
    while True:
        try:
            message = FROM_WORKER.decode(ours.recv(PART_BYTES))
        except BlockingIOError:
            return found
        assert isinstance(message, Tally)
        found |= {record[0] for record in TALLY.iter_unpack(message.records)}


def test_more_than_a_thousand_checks_are_told_by_turns_and_none_twice() -> None:
    ours, theirs = pair()
    loop = Loop()
    worker = Worker(loop, theirs)
    try:
        for number in range(2500):
            ours.send(begin(number))
            if number % 100 == 99:
                loop.turn()
        assert told(ours) == set()
        for running in worker.checks.values():
            running.machine.handle(TIME_PASSED, loop.now_ns() + 3 * YEAR_NS)
            running.machine.handle(ProbeSucceeded(latency_ns=1), loop.now_ns())
        turns = []
        for _ in range(4):
            worker.tell_tally()
            turns.append(told(ours))
        assert sorted(len(turn) for turn in turns[:3]) == [833, 833, 834]
        assert set().union(*turns) == set(range(2500))
        assert turns[3] == set()
    finally:
        gc.unfreeze()  # it was settled as a process of its own would be
        loop.close()
        ours.close()
        theirs.close()


def test_tries_that_failed_are_told_one_by_one_only_where_they_are_logged() -> None:
    ours, theirs = pair()
    loop = Loop()
    worker = Worker(loop, theirs)
    try:
        ours.send(begin(1))
        ours.send(begin(2, logs_all=True))
        loop.turn(1)
        assert told(ours) == set()
        for number in (1, 1, 2):
            worker.probe_failed(worker.checks[number], ReportFailure(reason=Reason.TIMEOUT, tries_left=0, detail="x"))
        worker.tell_tally()
        said, tally = (FROM_WORKER.decode(ours.recv(PART_BYTES)) for _ in range(2))
        assert said == TryFailed(number=2, reason="timeout", tries_left=0, detail="x")
        assert isinstance(tally, Tally)
        assert tally.tries_failed == 3
    finally:
        gc.unfreeze()
        loop.close()
        ours.close()
        theirs.close()

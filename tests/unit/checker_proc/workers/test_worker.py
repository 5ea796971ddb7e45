"""What a worker tells of the checks that it was given, and when. They are pings, which no worker can send: none is."""

from __future__ import annotations

import gc
import socket

from pyhad.checker_proc.core.events import TIME_PASSED, ProbeSucceeded
from pyhad.checker_proc.workers.worker import Worker
from pyhad.checker_proc.workers.worker_line import pair
from pyhad.checker_proc.workers.worker_words import FROM_WORKER, MOST_BYTES, TALLY, Begin, Tally
from pyhad.common.codec import encode
from pyhad.common.config.model import PingCheck, Target, Timing
from pyhad.common.loop import Loop

YEAR_NS = 31_536_000_000_000_000


def begin(number: int) -> bytes:
    """Nothing is due before the test is over."""
    timing = Timing(delay_loop_ns=YEAR_NS, warmup_ns=YEAR_NS)
    check = PingCheck(target=Target(address=f"10.0.{number // 250}.{number % 250}", port=0), timing=timing, alpha=False)
    return encode(
        Begin(number=number, check=check, is_suspended=False, is_tested=False, is_up=True, weight=None, reason="x")
    )


def told(ours: socket.socket) -> set[int]:
    """Numbers of the checks in the tallies that have come."""
    found = set()
    while True:
        try:
            message = FROM_WORKER.decode(ours.recv(MOST_BYTES))
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

"""Deadlines of probes, on a real loop."""

from __future__ import annotations

from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.common.loop import Loop

MS = 1_000_000


class Probe:
    def __init__(self) -> None:
        self.is_done = False
        self.expires_ns = 0
        self.expired = 0

    def expire(self) -> None:
        self.is_done = True
        self.expired += 1


def test_only_what_is_not_done_expires_and_only_at_its_last_deadline() -> None:
    loop = Loop()
    deadlines = Deadlines(loop)
    late, done, moved, last = probes = [Probe() for _ in range(4)]
    now_ns = loop.now_ns()
    for probe in (late, done, moved):
        deadlines.add(probe, 2 * MS, now_ns)
    done.is_done = True
    deadlines.add(moved, 2 * MS, now_ns + 3600 * 1000 * MS)
    deadlines.add(last, 1 * MS, now_ns)
    while not (late.expired and last.expired):
        loop.turn(1)
    assert [probe.expired for probe in probes] == [1, 0, 0, 1]
    assert loop.now_ns() >= now_ns + 2 * MS
    loop.close()


def test_a_queue_that_ran_empty_works_again() -> None:
    loop = Loop()
    deadlines = Deadlines(loop)
    for _ in range(3):
        probe = Probe()
        deadlines.add(probe, 1 * MS, loop.now_ns())
        while not probe.expired:
            loop.turn(1)
        assert probe.expired == 1
    loop.close()

"""Dear work is done once for all who want it, and for no more than its share of the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyhad.common.loop import Loop
from pyhad.common.pace import Pace

MS = 1_000_000


class ClockLoop(Loop):
    """Its clock stands still but for what work takes. Nothing runs by itself: `due` says when it would."""

    clock_ns = 1000 * MS

    def now_ns(self) -> int:  # type: ignore[override]
        return self.clock_ns

    @property
    def due_ms(self) -> int:
        """When the next timer is due; 0: there is none."""
        return self.next_ns() // MS


@pytest.fixture
def loop() -> Iterator[ClockLoop]:
    made = ClockLoop()
    yield made
    made.close()


def work(loop: ClockLoop, took: list[int], ms: int) -> None:
    took.append(loop.clock_ns // MS)
    loop.clock_ns += ms * MS


def test_the_first_is_in_the_next_turn_the_others_after_their_share(loop: ClockLoop) -> None:
    began: list[int] = []
    pace = Pace(loop, lambda: work(loop, began, 40), 2)
    assert not pace.is_wanted
    pace.soon()
    pace.soon()
    assert pace.is_wanted
    assert loop.due_ms == 1000
    loop.turn()
    assert began == [1000]
    assert loop.due_ms == 0
    pace.soon()
    assert loop.due_ms == 1120  # it ended at 1040
    loop.clock_ns = 1500 * MS
    pace.now()
    assert began == [1000, 1500]
    assert loop.due_ms == 0
    assert not pace.is_wanted
    assert pace.took_ns == 40 * MS


def test_it_rests_no_longer_than_it_may(loop: ClockLoop) -> None:
    pace = Pace(loop, lambda: work(loop, [], 400), 2, most_ns=500 * MS)
    pace.now()
    pace.soon()
    assert loop.due_ms == 1900


def test_what_took_long_waits_for_more_to_be_wanted(loop: ClockLoop) -> None:
    pace = Pace(loop, lambda: work(loop, [], 3), 1, pause_ns=50 * MS, gather=10)
    pace.soon()
    assert loop.due_ms == 1050
    pace.measure(lambda: work(loop, [], 20))
    assert loop.due_ms == 1050  # who waits goes on waiting
    pace.now()
    loop.clock_ns = 2000 * MS
    pace.soon()
    assert loop.due_ms == 2050  # it took 3
    pace.measure(lambda: work(loop, [], 20))
    loop.clock_ns = 3000 * MS
    pace.now()
    pace.measure(lambda: work(loop, [], 20))
    pace.soon()
    assert loop.due_ms == 3223  # 3003, 3023, then ten times 20


def test_what_is_done_in_portions_is_counted_at_its_end(loop: ClockLoop) -> None:
    pace = Pace(loop, lambda: None, 2, gather=10)
    pace.now()  # begins it, which takes nothing
    loop.clock_ns = 1300 * MS
    pace.count(30 * MS)
    pace.soon()
    assert loop.due_ms == 1600  # ten times 30, which is more than the rest until 1360

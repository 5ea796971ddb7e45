"""What is evidence that a loop stands still, and what is not.

With the limits of a router of 10 ms: 6 ms, a look each 1.5 ms.
"""

from __future__ import annotations

import pytest

from pyhad.parent.core.standing import Doing, Standing, limits_for

US, MS = 1_000, 1_000_000
DUE = 1000 * MS
STOPPED, DEAD, ASLEEP, RUNNABLE, KEPT = Doing.STOPPED, Doing.DEAD, Doing.ASLEEP, Doing.RUNNABLE, Doing.KEPT


def child() -> Standing:
    """A turn was due at DUE."""
    return Standing(limits_for(30_078_125))


def watch(standing: Standing, doing: Doing, share_of_cpu: float = 0, *, looks: int = 100) -> int | None:
    """Look a step after DUE and as often as is asked for; how long after DUE there is no doubt, in us."""
    now_ns = DUE + 1_503_906
    for _ in range(looks):
        if standing.look(DUE, 1, 5 * MS + int((now_ns - DUE) * share_of_cpu), now_ns):
            standing.see(doing, now_ns)
        if standing.stands:
            return (now_ns - DUE) // US
        now_ns = standing.next_look_ns
    return None


@pytest.mark.parametrize(
    ("down_interval_ns", "whole_us"), [(30_078_125, 6_015), (300_781_250, 60_156), (20_000_000, 5_000)]
)
def test_the_limits_follow_the_smallest_down_interval(down_interval_ns: int, whole_us: int) -> None:
    assert limits_for(down_interval_ns).whole_ns // US == whole_us


@pytest.mark.parametrize(
    ("doing", "share_of_cpu", "after_us"),
    [(STOPPED, 0, 6_015), (DEAD, 0, 6_015), (ASLEEP, 0, 6_015), (RUNNABLE, 1, 6_015), (RUNNABLE, 0.5, 10_527)],
)
def test_a_loop_that_stands_or_spins_is_known_in_time(doing: Doing, share_of_cpu: float, after_us: int) -> None:
    assert watch(child(), doing, share_of_cpu) == after_us


@pytest.mark.parametrize(("doing", "share_of_cpu"), [(RUNNABLE, 0), (RUNNABLE, 0.01), (KEPT, 0)])
def test_a_machine_that_gives_it_no_processor_is_no_hang(doing: Doing, share_of_cpu: float) -> None:
    assert watch(child(), doing, share_of_cpu, looks=100) is None


def test_one_that_sleeps_between_pieces_of_work_is_counted_by_the_work() -> None:
    assert watch(child(), ASLEEP, 0.5) == 10_527


def test_a_turn_that_comes_clears_it() -> None:
    standing = child()
    assert watch(standing, STOPPED, looks=3) is None
    assert standing.stood_ns == 2 * 1_503_906
    later_ns = DUE + 10 * MS
    assert not standing.look(later_ns, 2, 6 * MS, DUE + 5 * MS)
    assert standing.stood_ns == 0
    assert standing.look(later_ns, 2, 6 * MS, later_ns + 2 * MS)
    standing.see(STOPPED, later_ns + 2 * MS)
    assert standing.stood_ns == 0


def test_work_that_gets_on_is_a_long_turn_and_no_hang() -> None:
    standing = child()
    now_ns = DUE + 1_503_906
    for look in range(100):
        assert standing.look(DUE, 1 + look // 3, 5 * MS + now_ns - DUE, now_ns)
        standing.see(RUNNABLE, now_ns)
        assert not standing.stands
        now_ns = standing.next_look_ns


def test_pauses_of_the_observer_count_for_two_steps_at_most() -> None:
    standing = child()
    for now_ns in (DUE + 2 * MS, DUE + 3_600_000 * MS):
        assert standing.look(DUE, 1, 5 * MS, now_ns)
        standing.see(STOPPED, now_ns)
    assert standing.stood_ns == 2 * 1_503_906
    assert not standing.stands


def test_nobody_is_late_whose_turn_is_not_due_or_not_known() -> None:
    standing = child()
    assert not standing.look(DUE, 1, 5 * MS, DUE + 1 * MS)
    assert not standing.look(0, 1, 5 * MS, DUE + 500 * MS)

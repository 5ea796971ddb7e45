"""Lateness in figures worked out by hand."""

from __future__ import annotations

from pyhad.common.lateness import Lateness, Span

S = 1_000_000_000
US = 1_000


def test_a_hundredth_may_be_later_than_p99() -> None:
    late = Lateness()
    for _ in range(198):
        late.note(10 * US, S)
    late.note(5_000 * US, S)
    assert late.last() == Span(16_384, 5_000 * US)  # 1 of 199 is allowed: 199 // 100
    late.note(3_000 * US, S)
    assert late.last() == Span(16_384, 5_000 * US)  # 2 of 200
    late.note(2_100 * US, S)
    assert late.last().p99_ns == 4_194_304  # the third one counts: up to 2^22 ns
    assert late.worst_ns == 5_000 * US


def test_the_bound_is_never_above_the_worst() -> None:
    late = Lateness()
    late.note(17 * US, S)
    assert late.last() == Span(17 * US, 17 * US)


def test_a_minute_that_is_over_stands_until_the_next_is() -> None:
    late = Lateness()
    late.note(900 * US, S)
    late.note(20 * US, 30 * S)
    late.note(1 * US, 61 * S)
    assert late.last() == Span(900 * US, 900 * US)
    late.note(2 * US, 121 * S)
    assert late.last() == Span(1 * US, 1 * US)
    assert late.worst_ns == 900 * US


def test_nothing_noted_is_not_late() -> None:
    assert Lateness().last() == Span(0, 0)


def test_hours_and_moments_before_time_have_a_place_too() -> None:
    late = Lateness()
    late.note(36_000 * S, S)
    late.note(0, S)
    assert late.last().max_ns == 36_000 * S

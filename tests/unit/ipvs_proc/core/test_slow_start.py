"""The ramp of a recovered server, as numbers."""

from __future__ import annotations

import pytest

from pyhad.ipvs_proc.core.slow_start import next_step_ns, weight_at

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("weight", "after_s", "expected"),
    [
        (100, 0, 1),
        (100, 1, 5),
        (100, 1.99, 5),
        (100, 2, 10),
        (100, 19, 95),
        (100, 20, 100),
        (100, 500, 100),
        (10, 3, 1),
        (10, 4, 2),
        (1, 0, 1),
        (0, 0, 0),
    ],
)
def test_the_weight_climbs_in_twenty_steps(weight: int, after_s: float, expected: int) -> None:
    assert weight_at(weight, 7 * SECOND, 20 * SECOND, 7 * SECOND + int(after_s * SECOND)) == expected


def test_the_next_step_is_named_until_the_weight_is_whole() -> None:
    assert next_step_ns(7 * SECOND, 20 * SECOND, 7 * SECOND) == 8 * SECOND
    assert next_step_ns(7 * SECOND, 20 * SECOND, 8 * SECOND - 1) == 8 * SECOND
    assert next_step_ns(7 * SECOND, 20 * SECOND, 26 * SECOND) == 27 * SECOND
    assert next_step_ns(7 * SECOND, 20 * SECOND, 27 * SECOND) is None


def test_a_step_that_is_due_has_come() -> None:
    """Spans that twenty does not divide: at the time that is named the weight is another."""
    at_ns = next_step_ns(0, 7, 0)
    assert at_ns == 1
    assert weight_at(20, 0, 7, 1) == 2


def test_without_a_span_the_weight_is_whole() -> None:
    assert weight_at(50, 5 * SECOND, 0, 5 * SECOND) == 50
    assert next_step_ns(5 * SECOND, 0, 5 * SECOND) is None


def test_a_recovery_in_the_future_is_one_of_now() -> None:
    assert weight_at(100, 9 * SECOND, 20 * SECOND, 5 * SECOND) == 1

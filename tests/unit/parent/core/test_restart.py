"""The restart policy by numbers, in milliseconds."""

from __future__ import annotations

import pytest

from pyhad.parent.core.restart import RestartPolicy

MS = 1_000_000


def delays_ms(policy: RestartPolicy, *deaths_ms: int, run_ms: int = 10) -> list[int]:
    return [policy.died(started_ns=(at - run_ms) * MS, now_ns=at * MS) // MS for at in deaths_ms]


@pytest.mark.behaviour("PROC-11")
def test_four_deaths_in_ten_seconds_cost_nothing_and_the_fifth_a_twentieth_of_a_second() -> None:
    assert delays_ms(RestartPolicy(), 100_000, 101_000, 102_000, 103_000, 104_000) == [0, 0, 0, 0, 50]


def test_deaths_more_than_ten_seconds_ago_do_not_count() -> None:
    deaths = (100_000, 101_000, 102_000, 103_000, 110_000, 114_000, 118_000)
    assert delays_ms(RestartPolicy(), *deaths) == [0, 0, 0, 0, 0, 0, 0]


def test_ten_deaths_in_a_row_wait_less_than_two_seconds_each() -> None:
    """An operator's test, or bad luck, must not outlast the peers' patience of three seconds."""
    deaths = (1_000, 1_010, 1_020, 1_030, 1_040, 1_100, 1_210, 1_420, 1_830, 2_640)
    assert delays_ms(RestartPolicy(), *deaths) == [0, 0, 0, 0, 50, 100, 200, 400, 800, 1_600]


def test_the_delay_doubles_up_to_a_minute() -> None:
    policy = RestartPolicy()
    burst = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    assert delays_ms(policy, *(100_000 + at for at in burst)) == [
        0, 0, 0, 0, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000,
    ]  # fmt: skip


def test_a_child_that_dies_at_every_start_is_tried_ever_more_rarely() -> None:
    policy = RestartPolicy()
    assert delays_ms(policy, 100_000, 100_001, 100_002, 100_003, 100_004, 100_105) == [0, 0, 0, 0, 50, 100]
    # Twenty seconds later the window is empty: at once again, but the next wait goes on where the last one was.
    assert delays_ms(policy, 120_000, 120_001, 120_002, 120_003, 120_004) == [0, 0, 0, 0, 200]


def test_a_run_of_a_minute_starts_the_count_of_waits_again() -> None:
    policy = RestartPolicy()
    assert delays_ms(policy, 100_000, 100_001, 100_002, 100_003, 100_004, 100_105) == [0, 0, 0, 0, 50, 100]
    assert delays_ms(policy, 200_000, run_ms=60_000) == [0]
    assert delays_ms(policy, 200_001, 200_002, 200_003, 200_004) == [0, 0, 0, 50]


def test_a_run_of_almost_a_minute_does_not() -> None:
    policy = RestartPolicy()
    assert delays_ms(policy, 100_000, 100_001, 100_002, 100_003, 100_004) == [0, 0, 0, 0, 50]
    assert delays_ms(policy, 200_000, run_ms=59_999) == [0]
    assert delays_ms(policy, 200_001, 200_002, 200_003, 200_004) == [0, 0, 0, 100]

"""The restart policy by numbers."""

from __future__ import annotations

import pytest

from pyhad.parent.core.restart import RestartPolicy

S = 1_000_000_000


def delays_s(policy: RestartPolicy, *deaths_s: int, run_s: int = 1) -> list[int]:
    return [policy.died(started_ns=(at - run_s) * S, now_ns=at * S) // S for at in deaths_s]


@pytest.mark.behaviour("PROC-11")
def test_four_deaths_in_ten_seconds_cost_nothing_and_the_fifth_one_second() -> None:
    assert delays_s(RestartPolicy(), 100, 101, 102, 103, 104) == [0, 0, 0, 0, 1]


def test_deaths_more_than_ten_seconds_ago_do_not_count() -> None:
    assert delays_s(RestartPolicy(), 100, 101, 102, 103, 110, 114, 118) == [0, 0, 0, 0, 0, 0, 0]


def test_the_delay_doubles_up_to_a_minute() -> None:
    deaths = (100, 101, 102, 103, 104, 106, 110, 118, 134, 166, 230, 300)
    assert delays_s(RestartPolicy(), *deaths) == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_run_of_a_minute_starts_the_count_again() -> None:
    policy = RestartPolicy()
    assert delays_s(policy, 100, 101, 102, 103, 104, 106) == [0, 0, 0, 0, 1, 2]
    assert delays_s(policy, 200, run_s=60) == [0]
    assert delays_s(policy, 201, 202, 203, 204) == [0, 0, 0, 1]


def test_a_run_of_almost_a_minute_does_not() -> None:
    policy = RestartPolicy()
    assert delays_s(policy, 100, 101, 102, 103, 104) == [0, 0, 0, 0, 1]
    assert delays_s(policy, 200, run_s=59) == [2]

"""Skew and patience, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.timers import (
    active_down_interval_ns,
    interval_in_use_cs,
    patience_of_peers_ns,
    skew_time_ns,
)


@pytest.mark.behaviour("FSM-1")
@pytest.mark.parametrize(
    ("version", "priority", "interval_cs", "expected_ns"),
    [
        (2, 100, 100, 609_375_000),  # 156/256 s
        (2, 100, 500, 609_375_000),  # version 2: of a second, whatever the interval
        (2, 255, 100, 3_906_250),
        (3, 100, 100, 609_375_000),
        (3, 100, 10, 60_937_500),
        (3, 254, 1, 78_125),
        (3, 1, 4095, 40_790_039_062),  # 255/256 of 40.95 s
    ],
)
def test_skew(version: int, priority: int, interval_cs: int, expected_ns: int) -> None:
    assert skew_time_ns(version, priority, interval_cs) == expected_ns


@pytest.mark.behaviour("FSM-2", "FSM-3", "FSM-4")
@pytest.mark.parametrize(
    ("version", "priority", "interval_cs", "adverts", "expected_ns"),
    [
        (2, 100, 100, 3, 3_609_375_000),  # seen: 3.61 s
        (3, 100, 50, 3, 1_804_687_500),  # seen: 1.80 s
        (3, 100, 10, 3, 360_937_500),  # seen: 0.36 s
        (2, 255, 100, 3, 3_003_906_250),
        (2, 100, 200, 3, 6_609_375_000),
        (3, 200, 100, 5, 5_218_750_000),
    ],
)
def test_active_down_interval(version: int, priority: int, interval_cs: int, adverts: int, expected_ns: int) -> None:
    assert active_down_interval_ns(version, priority, interval_cs, adverts) == expected_ns


def test_peers_wait_three_intervals_and_the_skew_of_254_at_least(make_config: Callable[..., VrrpInstance]) -> None:
    assert patience_of_peers_ns(make_config()) == 3_007_812_500
    assert patience_of_peers_ns(make_config(version=3, advertisement_interval_cs=10)) == 300_781_250


@pytest.mark.behaviour("FSM-2")
def test_only_version_3_follows_the_interval_it_hears(make_config: Callable[..., VrrpInstance]) -> None:
    assert interval_in_use_cs(make_config(), 50) == 100
    assert interval_in_use_cs(make_config(version=3), 50) == 50
    assert interval_in_use_cs(make_config(version=3), 0) == 100

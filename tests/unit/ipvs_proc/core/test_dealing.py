"""Shares: in turn, by weight, by hash."""

from __future__ import annotations

import collections
from typing import Any

from pyhad.ipvs_proc.core import dealing


def order(make: Any, weights: dict[int, int], scheduler: str = "wrr") -> list[int]:
    """Whose turn it is, by last number of the address."""
    return [int(address.split(".")[3]) for address, _ in dealing.slots(make.entry(weights, scheduler=scheduler))]


def test_weighted_turns_are_spread_evenly(make: Any) -> None:
    assert order(make, {1: 5, 2: 1, 3: 1}) == [1, 1, 2, 1, 3, 1, 1]


def test_round_robin_looks_only_at_who_has_a_weight(make: Any) -> None:
    assert order(make, {1: 5, 2: 0, 3: 1}, "rr") == [1, 3]


def test_a_common_divisor_makes_no_more_turns(make: Any) -> None:
    assert order(make, {1: 300, 2: 100}) == [1, 1, 2, 1]


def test_great_weights_are_scaled_down_and_nobody_is_forgotten(make: Any) -> None:
    turns = order(make, {1: 2147483647, 2: 1})
    assert len(turns) <= dealing.SLOTS_MAX + 1
    assert turns.count(2) == 1


def test_no_weight_no_turn(make: Any) -> None:
    assert order(make, {1: 0}) == []
    assert order(make, {}) == []


def test_maglev_shares_by_weight_within_one_in_a_hundred(make: Any) -> None:
    turns = order(make, {1: 3, 2: 1, 3: 0}, "mh")
    assert len(turns) == 1021
    assert collections.Counter(turns) == {1: 766, 2: 255}


def test_maglev_moves_few_clients_when_a_server_goes(make: Any) -> None:
    before = order(make, dict.fromkeys(range(1, 11), 1), "mh")
    after = order(make, dict.fromkeys(range(1, 10), 1), "mh")
    moved = sum(old not in (10, new) for old, new in zip(before, after, strict=True))
    assert moved <= 1021 // 10
    assert order(make, dict.fromkeys(range(10, 0, -1), 1), "mh") == before


def test_maglev_with_very_many_servers_fills_its_table(make: Any) -> None:
    assert len(order(make, dict.fromkeys(range(1, 256), 5), "mh")) == 1021


def test_equal_weights_take_their_turns_in_order(make: Any) -> None:
    assert order(make, {1: 7, 2: 7, 3: 7}) == [1, 2, 3]

"""Slots: who speaks together, never late."""

from __future__ import annotations

import random

from pyhad.vrrp_proc.core.slots import Slots, slots_of

SECOND = 1_000_000_000
MS = 1_000_000


def test_a_slot_lasts_50_ms_or_a_twentieth_of_the_interval() -> None:
    assert slots_of(SECOND) == 20
    assert slots_of(10 * MS) == 20  # 0.5 ms each
    assert slots_of(100 * MS) == 20
    assert slots_of(3 * SECOND) == 60
    assert slots_of(1_010 * MS) == 21


def test_the_last_slot_that_begins_in_time_is_taken() -> None:
    at_ns, seat = Slots().take("eth0", SECOND, 7 * SECOND + 349 * MS)
    assert at_ns == 7 * SECOND + 300 * MS
    assert seat.number == 6
    assert Slots().take("eth0", SECOND, 7 * SECOND + 350 * MS)[0] == 7 * SECOND + 350 * MS
    assert Slots().take("eth0", SECOND, 7 * SECOND)[0] == 7 * SECOND


def test_whoever_comes_within_50_ms_speaks_at_the_same_moment() -> None:
    slots = Slots()
    assert {slots.take("eth0", SECOND, 5 * SECOND + late * MS)[0] for late in range(0, 50, 5)} == {5 * SECOND}


def test_whoever_comes_later_joins_others_early_and_not_late() -> None:
    slots = Slots()
    assert slots.take("eth0", SECOND, 5 * SECOND)[0] == 5 * SECOND
    assert slots.take("eth1", SECOND, 5 * SECOND + 730 * MS)[0] == 5 * SECOND  # another segment is company too
    assert slots.take("eth2", SECOND, 5 * SECOND - 1)[0] == 4 * SECOND
    for _ in range(63):
        slots.take("eth0", SECOND, 5 * SECOND)
    assert slots.take("eth0", SECOND, 5 * SECOND + 730 * MS)[0] == 5 * SECOND + 700 * MS  # that one is full


def test_the_65th_of_a_segment_takes_the_slot_before() -> None:
    slots = Slots()
    taken = [slots.take("eth0", SECOND, 5 * SECOND)[0] for _ in range(65)]
    assert taken == [5 * SECOND] * 64 + [4 * SECOND + 950 * MS]
    assert slots.take("eth1", SECOND, 5 * SECOND)[0] == 5 * SECOND


def test_the_257th_of_all_segments_takes_the_slot_before() -> None:
    slots = Slots()
    taken = [slots.take(f"eth{number % 8}", SECOND, 5 * SECOND)[0] for number in range(257)]
    assert taken == [5 * SECOND] * 256 + [4 * SECOND + 950 * MS]


def test_a_place_that_was_left_is_taken_again() -> None:
    slots = Slots()
    seats = [slots.take("eth0", SECOND, 5 * SECOND)[1] for _ in range(64)]
    slots.leave(seats[10])
    assert slots.take("eth0", SECOND, 5 * SECOND)[0] == 5 * SECOND
    assert slots.take("eth0", SECOND, 5 * SECOND)[0] == 4 * SECOND + 950 * MS


def test_where_all_slots_are_full_the_load_is_still_even() -> None:
    slots = Slots()
    counts: dict[int, int] = {}
    for _ in range(20 * 64 + 40):
        seat = slots.take("eth0", SECOND, 5 * SECOND)[1]
        counts[seat.number] = counts.get(seat.number, 0) + 1
    assert set(counts.values()) == {66}


def test_it_is_never_late_and_less_than_an_interval_early() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    slots = Slots()
    for _ in range(3000):
        interval_ns = dice.choice([10 * MS, 30 * MS, 100 * MS, 990 * MS, SECOND, 1_010 * MS, 7 * SECOND, 40_950 * MS])
        latest_ns = dice.randrange(interval_ns, 10**15)
        at_ns, seat = slots.take(dice.choice("abc"), interval_ns, latest_ns)
        assert latest_ns - interval_ns < at_ns <= latest_ns
        assert 0 <= seat.number < slots_of(interval_ns)

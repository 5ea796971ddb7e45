"""How `bench.many` counts holders."""

from __future__ import annotations

from bench.many import Event, Shape, longest, moves_of


def events(*words: str) -> list[Event]:
    """`"5 a+"`: at 5 ns the address came to a."""
    found = []
    for word in words:
        at, who = word.split()
        found.append(Event(int(at), who[0], "10.0.1.1", who[1] == "+"))
    return found


def test_a_gap_and_an_overlap_are_the_longest_of_their_kind() -> None:
    moves = events("10 a-", "13 b+", "20 a+", "29 b-", "40 a-", "42 b+")
    assert longest(moves, {"a"}, 0, 50) == (3, 9)


def test_an_address_that_stays_away_lacks_a_holder_until_the_end() -> None:
    assert longest(events("10 a-"), {"a"}, 0, 50) == (40, 0)


def test_two_holders_from_the_beginning_count() -> None:
    assert longest(events("30 b-"), {"a", "b"}, 5, 50) == (0, 25)


def test_an_address_that_is_set_once_more_has_not_come() -> None:
    told = events("1 a+", "2 a+", "3 a-", "4 a-", "5 b-", "6 b+")
    assert moves_of(told, {"a": {"10.0.1.1"}, "b": {"10.0.1.1"}}) == events("3 a-", "5 b-", "6 b+")


def test_all_routers_have_an_address_of_their_own_on_the_network_of_their_interface() -> None:
    shape = Shape(routers=250, interfaces=5)
    assert len(shape.addresses()) == 250
    assert (shape.interface_of(7), shape.address_of(7)) == ("eth2", "10.2.1.8")
    assert (shape.skew_s, shape.down_s) == (0.609375, 3.609375)

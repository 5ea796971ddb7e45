"""Who must follow whom, seat by seat."""

from __future__ import annotations

import itertools

import pytest

from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.sync_group import Seat, SyncGroup


def seated(**seats: Seat) -> SyncGroup:
    group = SyncGroup(seats, [member for member, seat in seats.items() if seat is Seat.FOLLOWING])
    for member, seat in seats.items():
        group.see(member, seat)
    return group


def words(group: SyncGroup) -> list[str]:
    return [f"{order.member} {order.what.name}" for order in group.orders()]


@pytest.mark.behaviour("GRP-1")
def test_the_fault_of_one_is_the_fault_of_all_until_it_is_over() -> None:
    group = seated(a=Seat.ACTIVE, b=Seat.FAULT, c=Seat.ACTIVE)
    assert words(group) == ["a FAULT_BEGINS", "c FAULT_BEGINS"]
    group.see("a", Seat.FOLLOWING)
    group.see("c", Seat.FOLLOWING)
    assert words(group) == []
    assert group.state is RouterState.FAULT
    group.see("b", Seat.WAITING)
    assert words(group) == ["a FAULT_ENDS", "c FAULT_ENDS"]


@pytest.mark.behaviour("GRP-1")
def test_two_faults_hold_each_other_only_as_long_as_both_last() -> None:
    group = seated(a=Seat.FAULT, b=Seat.FAULT)
    assert words(group) == ["a FAULT_BEGINS", "b FAULT_BEGINS"]
    group.see("a", Seat.FOLLOWING)
    assert words(group) == ["b FAULT_ENDS"]
    group.see("b", Seat.WAITING)
    assert words(group) == ["a FAULT_ENDS"]


def test_one_that_was_silent_for_too_long_takes_the_others_with_it() -> None:
    group = seated(a=Seat.LATE, b=Seat.ACTIVE)
    assert words(group) == ["b STEP_DOWN"]
    group.see("b", Seat.WAITING)
    group.see("a", Seat.EXPIRED)
    assert words(group) == []


@pytest.mark.behaviour("GRP-2")
def test_all_take_over_at_once_when_the_last_may() -> None:
    group = seated(a=Seat.EXPIRED, b=Seat.WAITING, c=Seat.ABLE)
    assert words(group) == []
    group.see("b", Seat.EXPIRED)
    assert words(group) == ["a TAKE_OVER", "b TAKE_OVER", "c TAKE_OVER"]


@pytest.mark.behaviour("GRP-2")
@pytest.mark.parametrize("other", [Seat.HELD, Seat.WAITING, Seat.FOLLOWING])
def test_one_that_may_not_holds_the_others_back(other: Seat) -> None:
    assert "TAKE_OVER" not in " ".join(words(seated(a=Seat.EXPIRED, b=other)))


@pytest.mark.behaviour("GRP-1")
def test_one_that_hears_a_better_router_takes_the_others_with_it() -> None:
    group = seated(a=Seat.HELD, b=Seat.ACTIVE, c=Seat.WAITING)
    assert words(group) == ["b STEP_DOWN"]


def test_a_member_that_comes_later_joins_without_a_gap() -> None:
    group = seated(a=Seat.ACTIVE, b=Seat.ABSENT)
    group.see("b", Seat.WAITING)
    assert words(group) == []
    assert group.state is None
    group.see("b", Seat.EXPIRED)
    assert words(group) == ["b TAKE_OVER"]


def test_who_is_not_started_has_no_say() -> None:
    assert words(seated(a=Seat.EXPIRED, b=Seat.ABSENT)) == ["a TAKE_OVER"]
    assert SyncGroup(["a"]).state is None


def test_what_is_seen_twice_is_no_news() -> None:
    group = SyncGroup(["a"])
    assert group.see("a", Seat.WAITING)
    assert not group.see("a", Seat.WAITING)


@pytest.mark.behaviour("GRP-6")
def test_the_group_is_what_all_its_members_are() -> None:
    group = seated(a=Seat.WAITING, b=Seat.HELD)
    assert group.state is RouterState.BACKUP
    group.see("a", Seat.ACTIVE)
    assert group.state is RouterState.BACKUP, "while they differ it is what it was"
    group.see("b", Seat.ACTIVE)
    assert group.state is RouterState.MASTER


def test_from_any_seats_the_orders_come_to_an_end() -> None:
    """Each order moves its member as the router does; nobody is moved to and fro."""
    after = {"FAULT_BEGINS": Seat.FOLLOWING, "FAULT_ENDS": Seat.WAITING, "TAKE_OVER": Seat.ACTIVE,
             "STEP_DOWN": Seat.WAITING}  # fmt: skip
    for seats in itertools.product(Seat, repeat=3):
        group = seated(**dict(zip("abc", seats, strict=True)))
        now = dict(zip("abc", seats, strict=True))
        for _ in range(4):
            orders = group.orders()
            for order in orders:
                if now[order.member] not in (Seat.FAULT, Seat.ABSENT):
                    now[order.member] = after[order.what.name]
                    group.see(order.member, now[order.member])
        assert orders == [], seats
        voters = set(now.values()) - {Seat.ABSENT}
        assert not (Seat.ACTIVE in voters and voters & {Seat.HELD, Seat.FAULT, Seat.FOLLOWING}), seats

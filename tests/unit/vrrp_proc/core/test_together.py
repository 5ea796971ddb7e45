"""What one member does because its group says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import (
    FaultCause,
    LowerHeardTogether,
    StandbyWanted,
    StepDownTogether,
    TakeOverTogether,
)
from pyhad.vrrp_proc.core.sync_group import Seat, seat_of

SECOND_NS = 1_000_000_000
DOWN_NS = 3_609_375_000


@pytest.fixture
def member(bench: Callable[..., Any]) -> Any:
    """A started member of group G, priority 100."""
    one = bench(sync_group="G")
    one.start()
    return one


@pytest.mark.behaviour("GRP-2")
def test_a_member_whose_time_is_up_waits_on_and_says_so(member: Any) -> None:
    assert member.pass_time(DOWN_NS) == []
    assert member.router.router_state is RouterState.BACKUP
    assert seat_of(member.router, DOWN_NS) is Seat.EXPIRED
    assert member.router.next_deadline_ns() == 2 * DOWN_NS


@pytest.mark.behaviour("GRP-2", "FSM-30")
def test_it_takes_over_when_all_may(member: Any) -> None:
    member.pass_time(DOWN_NS)
    words = member.at(DOWN_NS, TakeOverTogether())
    assert words == ["adv 100", "install 10.1.1.1", "announce x5 10.1.1.1", "BACKUP->MASTER sync_group"]
    assert member.at(DOWN_NS, TakeOverTogether()) == []


@pytest.mark.behaviour("GRP-1")
def test_it_steps_down_by_make_before_break(member: Any) -> None:
    member.at(DOWN_NS, TakeOverTogether())
    assert member.at(DOWN_NS + 1, StepDownTogether()) == ["adv 0", "MASTER->BACKUP sync_group"]
    assert member.router.is_parting
    assert member.at(DOWN_NS + 2, StepDownTogether()) == []
    member.hear(DOWN_NS + 100_000_000, 150)
    assert member.pass_time(DOWN_NS + 150_000_000) == ["remove 10.1.1.1", "remark addresses_handed_over"]


def test_who_stepped_down_for_nobody_lets_go_when_the_slowest_must_have_spoken(member: Any) -> None:
    member.at(DOWN_NS, TakeOverTogether())
    member.at(DOWN_NS + 1, StepDownTogether())
    assert member.pass_time(DOWN_NS + 2 * SECOND_NS) == []
    assert member.pass_time(DOWN_NS + 2 * SECOND_NS + 1) == ["remove 10.1.1.1", "remark nobody_took_over"]


def test_what_it_still_held_for_a_successor_is_its_own_again(member: Any) -> None:
    member.at(DOWN_NS, TakeOverTogether())
    member.at(DOWN_NS + 1, StepDownTogether())
    assert member.at(DOWN_NS + 2, TakeOverTogether())[0] == "adv 100"
    assert not member.router.is_parting


def test_after_a_release_it_announces_once_more(member: Any) -> None:
    member.hear(1, 150)
    member.hear(2, 0)
    member.pass_time(2 + 609_375_000)
    member.at(SECOND_NS, TakeOverTogether())
    assert member.pass_time(SECOND_NS + 100_000_000) == ["announce x1 10.1.1.1"]


def test_an_operator_holds_it_back_from_its_group(member: Any) -> None:
    member.at(1, StandbyWanted(until_ns=SECOND_NS))
    assert seat_of(member.router, 1) is Seat.HELD
    assert member.at(2, TakeOverTogether()) == []
    assert seat_of(member.router, SECOND_NS) is Seat.WAITING
    assert member.at(SECOND_NS, TakeOverTogether())[0] == "adv 100"


def test_who_was_deaf_listens_before_it_wants_to_be_active(member: Any) -> None:
    assert member.pass_time(DOWN_NS + 2 * SECOND_NS) == ["remark was_frozen"]
    assert seat_of(member.router, DOWN_NS + 2 * SECOND_NS) is Seat.WAITING


@pytest.mark.behaviour("GRP-8")
def test_it_announces_when_another_heard_a_lesser_router(member: Any) -> None:
    assert member.at(0, LowerHeardTogether()) == []
    member.at(DOWN_NS, TakeOverTogether())
    assert member.at(DOWN_NS, LowerHeardTogether()) == ["announce x5 10.1.1.1"]


def test_seats(bench: Callable[..., Any]) -> None:
    one = bench(sync_group="G")
    assert seat_of(one.router, 0) is Seat.ABSENT
    one.start()
    assert seat_of(one.router, 0) is Seat.WAITING
    one.hear(1, 150)
    assert seat_of(one.router, 1) is Seat.HELD
    one.hear(2, 0)
    assert seat_of(one.router, 2) is Seat.WAITING
    one.hear(3, 50)
    assert seat_of(one.router, 3) is Seat.ABLE
    one.at(4, TakeOverTogether())
    assert seat_of(one.router, 4) is Seat.ACTIVE


@pytest.mark.parametrize("changes", [{"preempt_mode": False}, {"preempt_delay_ns": 5 * SECOND_NS}])
def test_who_does_not_preempt_is_held_by_a_lesser_router_too(
    bench: Callable[..., Any], changes: dict[str, Any]
) -> None:
    one = bench(sync_group="G", **changes)
    one.start()
    one.hear(1, 50)
    assert seat_of(one.router, 1) is Seat.HELD
    assert seat_of(one.router, 5 * SECOND_NS + 1) is (Seat.HELD if "preempt_mode" in changes else Seat.ABLE)


def test_a_fault_of_its_own_is_another_seat_than_one_of_the_group(bench: Callable[..., Any]) -> None:
    one = bench(sync_group="G")
    one.start(faults=frozenset({FaultCause.SYNC_GROUP}))
    assert seat_of(one.router, 0) is Seat.FOLLOWING
    other = bench(sync_group="G")
    other.start(faults=frozenset({FaultCause.SYNC_GROUP, FaultCause.INTERFACE_DOWN}))
    assert seat_of(other.router, 0) is Seat.FAULT

"""Make before break, as the machine has it: when the addresses of a router that gave up are removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.vrrp_proc.core.events import ConfigurationChanged, FaultCause, FaultsChanged, ShutdownWanted, Startup

MS = 1_000_000
S = 1_000_000_000
STOP = ShutdownWanted(patience_ns=4_500 * MS)
Make = Callable[..., Any]


def leaving(bench: Make, at_ns: int = 5 * S, **changes: object) -> Any:
    """An Active router of version 2 that was asked to stop."""
    b = bench(**changes)
    b.become_active()
    assert b.at(at_ns, STOP) == ["adv 0", "MASTER->INIT shutdown"]
    assert b.router.is_parting
    return b


def test_an_orderly_stop_sends_priority_0_and_keeps_the_addresses(bench: Make) -> None:
    b = leaving(bench)
    assert b.pass_time(6_999 * MS) == []
    assert b.router.next_deadline_ns() == 7 * S  # an interval, and a second for the slowest


def test_the_addresses_go_50_ms_after_the_first_advertisement_of_a_successor(bench: Make) -> None:
    b = leaving(bench)
    assert b.hear(5_610 * MS, 90) == []
    assert b.router.next_deadline_ns() == 5_660 * MS
    assert b.hear(5_655 * MS, 90) == []  # the second one does not prolong it
    assert b.pass_time(5_659 * MS) == []
    assert b.pass_time(5_660 * MS) == ["remove 10.1.1.1", "remark addresses_handed_over"]
    assert not b.router.is_parting
    assert b.router.next_deadline_ns() is None


def test_another_router_that_stops_too_is_no_successor(bench: Make) -> None:
    b = leaving(bench)
    assert b.hear(5_100 * MS, 0) == []
    assert b.router.next_deadline_ns() == 7 * S


@pytest.mark.parametrize(
    ("changes", "until_ns"),
    [
        ({}, 7 * S),
        ({"version": 3}, 7 * S),
        ({"version": 3, "advertisement_interval_cs": 10}, 5_200 * MS),
        ({"version": 3, "advertisement_interval_cs": 1}, 5_020 * MS),
        ({"version": 2, "advertisement_interval_cs": 200}, 8 * S),
        ({"advertisement_interval_cs": 1000}, 9_500 * MS),  # the stopper's patience ends before
    ],
)
def test_without_a_successor_they_go_when_the_slowest_one_would_have_spoken(
    bench: Make, changes: dict[str, object], until_ns: int
) -> None:
    b = bench(start_as_master=True, base_priority=255, **changes)
    b.start()
    b.at(5 * S, STOP)
    assert b.router.next_deadline_ns() == until_ns
    assert b.pass_time(until_ns) == ["remove 10.1.1.1", "remark nobody_took_over"]


def test_a_successor_close_to_the_end_does_not_prolong_it(bench: Make) -> None:
    b = leaving(bench)
    b.hear(6_980 * MS, 90)
    assert b.router.next_deadline_ns() == 7 * S


def test_a_second_wish_to_stop_changes_nothing(bench: Make) -> None:
    b = leaving(bench)
    assert b.at(5_100 * MS, STOP) == []
    assert b.router.next_deadline_ns() == 7 * S


def test_a_router_that_begins_again_lets_go_first(bench: Make) -> None:
    b = leaving(bench)
    effects = b.at(5_100 * MS, Startup(faults=frozenset(), source_address="10.0.0.2"))
    assert effects == ["remove 10.1.1.1", "remove 10.1.1.1", "INIT->BACKUP startup"]
    assert not b.router.is_parting


def test_a_stop_that_keeps_the_addresses_is_no_handing_over(bench: Make) -> None:
    b = bench()
    b.become_active()
    assert b.at(5 * S, ShutdownWanted(keep_addresses=True, patience_ns=S)) == ["MASTER->INIT shutdown"]
    assert not b.router.is_parting


def test_a_fault_at_the_moment_of_the_stop_leaves_nothing_to_hand_over(bench: Make) -> None:
    b = bench()
    b.become_active()
    b.at(5 * S, FaultsChanged(faults=frozenset({FaultCause.INTERFACE_DOWN})))
    assert b.at(6 * S, STOP) == ["FAULT->INIT shutdown"]
    assert not b.router.is_parting


def test_a_successor_of_one_that_stopped_announces_once_more_after_it_has_let_go(bench: Make) -> None:
    b = bench()
    b.start()
    b.hear(1 * S, 150)
    b.hear(2 * S, 0, source="10.0.0.1")
    assert b.pass_time(2_609_375_000)[0] == "adv 100"
    assert b.pass_time(2_709_375_000) == ["announce x1 10.1.1.1"]


def test_a_successor_of_one_that_died_does_not(bench: Make) -> None:
    b = bench()
    b.start()
    b.hear(1 * S, 150)
    at_ns = b.router.next_deadline_ns()
    b.pass_time(at_ns)
    assert b.pass_time(at_ns + 100 * MS) == []


def test_a_reload_during_a_stop_removes_what_is_not_configured_any_more(bench: Make, make_config: Make) -> None:
    b = leaving(bench)
    other = VirtualAddress(address="10.1.1.2", prefix_len=32, interface="eth0")
    assert b.at(5_100 * MS, ConfigurationChanged(config=make_config(addresses=(other,)))) == ["remove 10.1.1.1"]


@pytest.mark.behaviour("FSM-33")
def test_who_gives_way_says_a_last_word_and_answers_until_the_other_one_does(bench: Make) -> None:
    b = bench(higher_prio_send_advert=True)
    b.become_active()
    assert b.hear(5 * S, 150) == ["adv 100", "MASTER->BACKUP higher_priority_heard 10.0.0.1"]
    assert b.hear(5_040 * MS, 150) == []
    assert b.pass_time(5_050 * MS) == ["remove 10.1.1.1", "remark addresses_handed_over"]


def test_a_fault_while_giving_way_removes_the_addresses_at_once(bench: Make) -> None:
    b = bench()
    b.become_active()
    b.hear(5 * S, 150)
    effects = b.at(5_010 * MS, FaultsChanged(faults=frozenset({FaultCause.INTERFACE_DOWN})))
    assert effects == ["remove 10.1.1.1", "BACKUP->FAULT fault interface_down"]
    assert not b.router.is_parting


def test_who_takes_over_again_while_giving_way_keeps_the_addresses(bench: Make) -> None:
    b = bench(version=3, advertisement_interval_cs=1)
    b.become_active()
    at_ns = 5 * S
    b.hear(at_ns, 150, interval_cs=1)
    effects = b.pass_time(b.router.next_deadline_ns())
    assert effects[:2] == ["adv 100", "install 10.1.1.1"]
    assert not b.router.is_parting


def test_a_successor_that_comes_too_late_and_finds_addresses_says_a_last_word(bench: Make) -> None:
    """With the least priority: by its own it could unseat a lesser master, and then listen while nobody serves."""
    b = bench(higher_prio_send_advert=True)
    restored = {"restored_active": True, "last_sent_ns": -9 * S, "found_addresses": True}
    assert b.start(**restored) == ["remove 10.1.1.1", "adv 1", "INIT->BACKUP startup too_late_to_resume"]


def test_a_successor_of_one_that_died_between_removal_and_last_word_says_it(bench: Make) -> None:
    b = bench(higher_prio_send_advert=True)
    effects = b.start(restored_active=True, last_sent_ns=-9 * S)
    assert effects[1] == "adv 1"


def test_a_successor_that_goes_on_as_backup_unseats_nobody(bench: Make) -> None:
    b = bench(higher_prio_send_advert=True)
    effects = b.start(found_addresses=True, restored_down_at_ns=2 * S, restored_backup_of="10.0.0.1")
    assert effects[:2] == ["remove 10.1.1.1", "adv 1"]


def test_who_finds_nothing_has_no_last_word(bench: Make) -> None:
    b = bench(higher_prio_send_advert=True)
    assert b.start() == ["remove 10.1.1.1", "INIT->BACKUP startup"]
    b = bench(higher_prio_send_advert=False)
    assert b.start(found_addresses=True) == ["remove 10.1.1.1", "INIT->BACKUP startup"]


@pytest.mark.parametrize("heard_ms", [5_300, 6_600])
def test_a_successor_that_cannot_have_heard_priority_0_is_told_that_somebody_else_answered(
    bench: Make, heard_ms: int
) -> None:
    """Priority 90 waits 648 ms. One that speaks at another moment was Active before, behind a partition."""
    for wanted, words in ((True, ["adv 1"]), (False, [])):
        b = leaving(bench, higher_prio_send_advert=wanted)
        b.hear(heard_ms * MS, 90)
        gone = b.pass_time((heard_ms + 50) * MS)
        assert gone == ["remove 10.1.1.1", *words, "remark addresses_handed_over"]


def test_nothing_is_said_to_one_that_comes_when_its_skew_is_over(bench: Make) -> None:
    b = leaving(bench, higher_prio_send_advert=True)
    b.hear(5_650 * MS, 90)
    assert b.pass_time(5_700 * MS) == ["remove 10.1.1.1", "remark addresses_handed_over"]


def test_who_slept_over_the_moment_says_a_last_word_for_its_kernel_answered_meanwhile(bench: Make) -> None:
    b = leaving(bench, higher_prio_send_advert=True)
    assert b.pass_time(9 * S) == ["remove 10.1.1.1", "adv 1", "remark nobody_took_over"]
    b = leaving(bench, higher_prio_send_advert=True)
    b.hear(5_610 * MS, 90)
    assert b.pass_time(5_800 * MS) == ["remove 10.1.1.1", "adv 1", "remark addresses_handed_over"]
    b = leaving(bench)
    assert b.pass_time(9 * S) == ["remove 10.1.1.1", "remark nobody_took_over"]

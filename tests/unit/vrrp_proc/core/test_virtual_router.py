"""The virtual router, one rule at a time. Priority 100, 1 s: skew 0.609375 s, Active down interval 3.609375 s.

Effects are written as words (see conftest): `adv 100`, `install 10.1.1.1`, `BACKUP->MASTER active_down_timer`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import (
    AdvertisementReceived,
    ConfigurationChanged,
    FaultCause,
    FaultsChanged,
    ShutdownWanted,
    SourceAddressChanged,
)

MakeBench = Callable[..., Any]
S = 1_000_000_000
MS = 1_000_000
DOWN = frozenset({FaultCause.INTERFACE_DOWN})
TAKE_OVER = ["adv 100", "install 10.1.1.1", "announce x5 10.1.1.1", "BACKUP->MASTER active_down_timer"]


# --------------------------------------------------------------------------------------------------- start


@pytest.mark.behaviour("FSM-11", "FSM-12", "FSM-14")
def test_a_start_removes_leftovers_and_listens_for_the_whole_interval(bench: MakeBench) -> None:
    b = bench(start_as_master=True, base_priority=120)
    assert b.start() == ["remove 10.1.1.1", "INIT->BACKUP startup"]
    assert b.router.next_deadline_ns() == 3_531_250_000  # 3 s + 136/256 s


@pytest.mark.behaviour("FSM-10", "FSM-11")
def test_the_address_owner_takes_over_at_once(bench: MakeBench) -> None:
    b = bench(start_as_master=True, base_priority=255)
    expected = ["adv 255", "install 10.1.1.1", "announce x5 10.1.1.1", "INIT->MASTER address_owner"]
    assert b.start() == expected


@pytest.mark.behaviour("FSM-10")
def test_priority_255_in_state_backup_waits(bench: MakeBench) -> None:
    b = bench(base_priority=255)
    assert b.start() == ["remove 10.1.1.1", "INIT->BACKUP startup"]
    assert b.router.next_deadline_ns() == 3_003_906_250


def test_nothing_happens_before_the_start(bench: MakeBench) -> None:
    b = bench()
    assert b.hear(1, 50) == b.pass_time(2) == b.at(3, FaultsChanged(faults=DOWN)) == b.at(4, ShutdownWanted()) == []
    assert b.router.router_state is RouterState.INIT
    assert b.router.next_deadline_ns() is None


def test_a_second_start_is_ignored(bench: MakeBench) -> None:
    b = bench()
    b.start()
    assert b.start() == []


# -------------------------------------------------------------------------------------------------- backup


@pytest.mark.behaviour("FSM-20", "FSM-30")
def test_silence_makes_active_and_the_advertisement_goes_first(bench: MakeBench) -> None:
    b = bench()
    b.start()
    assert b.pass_time(3_609_374_999) == []
    assert b.pass_time(3_609_375_000) == TAKE_OVER
    assert b.router.counters.become_master == 1


def test_excluded_addresses_are_held_too(bench: MakeBench) -> None:
    b = bench(excluded_addresses=(VirtualAddress(address="10.9.9.9", prefix_len=24, interface="eth1"),))
    b.start()
    assert b.pass_time(4 * S)[1:3] == ["install 10.1.1.1 10.9.9.9", "announce x5 10.1.1.1 10.9.9.9"]


@pytest.mark.behaviour("FSM-21")
def test_a_release_leaves_only_the_skew_to_wait(bench: MakeBench) -> None:
    b = bench()
    b.start()
    b.hear(1 * S, 150)
    assert b.hear(2 * S, 0) == []
    assert b.router.next_deadline_ns() == 2_609_375_000
    assert b.router.snapshot().master_address == ""
    assert b.router.counters.pri_zero_rcvd == 1


@pytest.mark.behaviour("FSM-22")
@pytest.mark.parametrize("priority", [100, 101, 255])
def test_an_equal_or_better_router_is_waited_for(bench: MakeBench, priority: int) -> None:
    b = bench()
    b.start()
    assert b.hear(2 * S, priority) == []
    assert b.router.next_deadline_ns() == 5_609_375_000
    shown = b.router.snapshot()
    assert (shown.master_address, shown.master_priority) == ("10.0.0.1", priority)


@pytest.mark.behaviour("FSM-23", "FSM-24")
def test_a_lower_router_does_not_restart_the_timer(bench: MakeBench) -> None:
    b = bench()
    b.start()
    assert b.hear(2 * S, 99) == ["remark lower_priority_discarded"]
    assert b.hear(3 * S, 99) == []  # said once
    assert b.router.next_deadline_ns() == 3_609_375_000


@pytest.mark.behaviour("FSM-26")
def test_nopreempt_waits_for_any_router(bench: MakeBench) -> None:
    b = bench(preempt_mode=False)
    b.start()
    assert b.hear(2 * S, 1) == []
    assert b.router.next_deadline_ns() == 5_609_375_000


@pytest.mark.behaviour("FSM-25")
def test_preempt_delay_accepts_lower_routers_until_it_is_over(bench: MakeBench) -> None:
    b = bench(preempt_delay_ns=3 * S)
    b.start()
    for at_ns in (700 * MS, 1700 * MS, 2700 * MS):
        assert b.hear(at_ns, 50) == []
    # the delay ran from 0.7 s to 3.7 s: this one comes at its end and is not accepted any more
    assert b.hear(3700 * MS, 50) == ["remark lower_priority_discarded"]
    assert b.router.next_deadline_ns() == 6_309_375_000  # seen: 6.26 s


@pytest.mark.behaviour("FSM-25")
def test_an_equal_router_stops_the_preempt_delay(bench: MakeBench) -> None:
    b = bench(preempt_delay_ns=3 * S)
    b.start()
    b.hear(1 * S, 50)
    b.hear(2 * S, 100)
    assert b.hear(4500 * MS, 50) == []  # a new delay begins
    assert b.router.next_deadline_ns() == 8_109_375_000


@pytest.mark.behaviour("FSM-2", "PKT-30")
def test_version_3_waits_by_the_interval_of_its_master(bench: MakeBench) -> None:
    b = bench(version=3)
    b.start()
    assert b.hear(2 * S, 150, interval_cs=50) == ["remark interval_mismatch"]
    assert b.router.next_deadline_ns() == 3_804_687_500
    assert b.router.snapshot().active_adver_interval_cs == 50
    b.hear(3 * S, 0, interval_cs=50)
    assert b.router.next_deadline_ns() == 3_304_687_500  # the skew is of the master's interval as well


@pytest.mark.behaviour("PKT-35")
def test_another_list_of_addresses_is_said_and_counts_all_the_same(bench: MakeBench) -> None:
    b = bench()
    b.start()
    odd = AdvertisementReceived(source="10.0.0.1", priority=150, interval_cs=100, addresses_match=False)
    assert b.at(2 * S, odd) == ["remark address_list_mismatch"]
    assert b.router.next_deadline_ns() == 5_609_375_000


# -------------------------------------------------------------------------------------------------- active


@pytest.mark.behaviour("FSM-33", "FSM-38")
def test_a_higher_priority_takes_over_without_a_release_of_ours(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.hear(5 * S, 101) == ["MASTER->BACKUP higher_priority_heard 10.0.0.1"]
    assert b.router.next_deadline_ns() == 5_050_000_000  # until the other one has installed
    assert b.pass_time(5_050_000_000) == ["remove 10.1.1.1", "remark addresses_handed_over"]
    assert b.router.next_deadline_ns() == 8_609_375_000
    assert b.router.counters.release_master == 1


@pytest.mark.behaviour("FSM-33")
def test_one_more_advertisement_before_giving_way_if_wanted(bench: MakeBench) -> None:
    b = bench(higher_prio_send_advert=True)
    b.become_active()
    assert b.hear(5 * S, 101)[0] == "adv 100"


@pytest.mark.behaviour("FSM-33", "FSM-34")
def test_equal_priorities_settle_on_the_greater_address(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.hear(5 * S, 100, source="10.0.0.10") == ["MASTER->BACKUP tie_lost 10.0.0.10"]
    b = bench()
    b.become_active()
    assert b.hear(5 * S, 100, source="10.0.0.1")[0] == "adv 100"
    assert b.router.router_state is RouterState.MASTER


@pytest.mark.behaviour("FSM-35")
def test_our_own_address_heard_is_only_a_warning(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.hear(5 * S, 100, source="10.0.0.2") == ["remark own_address_heard"]


def test_a_new_source_address_decides_the_next_tie(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.at(5 * S, SourceAddressChanged(source_address="10.0.0.1")) == []
    assert b.hear(6 * S, 100, source="10.0.0.2")[-1] == "MASTER->BACKUP tie_lost 10.0.0.2"


@pytest.mark.behaviour("FSM-32")
def test_a_release_is_answered_at_once(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    # Whoever stops took itself for the master, and neighbours may have asked it: they are told, if not flooded.
    assert b.hear(5 * S, 0) == ["adv 100", "announce x1 10.1.1.1"]
    assert b.hear(5 * S + 4_000_000, 0) == ["adv 100"]


@pytest.mark.behaviour("FSM-32")
def test_a_flood_of_releases_is_answered_before_any_skew_is_over_and_not_one_for_one(bench: MakeBench) -> None:
    """Version 2: the shortest skew there can be is 2/256 s, of priority 254. Half of it is 3.90625 ms."""
    b = bench()
    b.become_active()
    b.pass_time(4_609_375_000)
    sent: list[int] = []
    for step in range(2000):  # 10,000 in a second
        moment_ns = 5 * S + step * 100_000
        due_ns = b.router.next_deadline_ns()
        assert due_ns is not None
        words = b.pass_time(due_ns) if due_ns < moment_ns else []
        sent += [due_ns] if "adv 100" in words else []
        sent += [moment_ns] if "adv 100" in b.hear(moment_ns, 0) else []
    assert 50 <= len(sent) <= 53  # 0.2 s of 256 in a second, and the router's own
    assert max(later - earlier for earlier, later in itertools.pairwise(sent)) <= 3_906_250
    last_ns = b.router.next_deadline_ns()
    assert last_ns is not None
    assert last_ns <= sent[-1] + 3_906_250  # the last one has its answer too
    assert b.pass_time(last_ns) == ["adv 100"]


@pytest.mark.behaviour("FSM-34")
def test_a_lower_router_is_contradicted_and_the_neighbours_are_told(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    for second in range(4, 9):
        b.pass_time(second * S + 609_375_000)  # the second burst is over
    assert b.hear(9 * S, 50) == ["adv 100", "announce x5 10.1.1.1", "remark lower_priority_heard"]
    assert b.pass_time(9_100_000_000) == ["announce x1 10.1.1.1"]  # the lesser one has let go by then
    assert [b.pass_time(second * S + 609_375_000) for second in range(9, 14)] == [["adv 100"]] * 5
    assert b.pass_time(14 * S) == ["announce x5 10.1.1.1"]


@pytest.mark.behaviour("FSM-34")
def test_a_flood_of_lower_advertisements_is_not_answered_by_a_flood(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    answers = [b.hear(10 * S + at_ns, 50) for at_ns in range(0, S, 10 * MS)]
    assert sum(1 for answer in answers if answer) == 2


@pytest.mark.behaviour("FSM-34")
def test_lower_routers_are_not_contradicted_if_not_wanted(bench: MakeBench) -> None:
    b = bench(lower_prio_no_advert=True)
    b.become_active()
    assert b.hear(5 * S, 50) == ["announce x5 10.1.1.1", "remark lower_priority_heard"]


@pytest.mark.rfc("9568-8.3.2")
@pytest.mark.behaviour("FSM-36")
def test_of_two_owners_the_greater_address_insists_and_then_gives_in(bench: MakeBench) -> None:
    b = bench(start_as_master=True, base_priority=255)
    b.start()
    first = ["remark two_address_owners", "adv 255", "announce x5 10.1.1.1", "remark lower_priority_heard"]
    assert b.hear(1 * S, 255) == first
    # two intervals and 1.2 of the longer: until 4.2 s
    assert b.hear(4_199_999_999, 255)[0] == "adv 255"
    assert b.hear(4_200_000_000, 255)[-1] == "MASTER->BACKUP higher_priority_heard 10.0.0.1"
    assert b.router.effective_priority == 254
    b.hear(5 * S, 100)
    assert b.router.effective_priority == 255


@pytest.mark.behaviour("FSM-36")
def test_a_new_dispute_between_owners_begins_anew(bench: MakeBench) -> None:
    b = bench(start_as_master=True, base_priority=255)
    b.start()
    b.hear(1 * S, 255)
    assert b.hear(3600 * S, 255)[0] == "adv 255"
    assert b.router.router_state is RouterState.MASTER


@pytest.fixture
def gave_in(bench: MakeBench) -> Any:
    """An owner that gave in at 4.2 s and is a Backup of 254 since."""
    b = bench(start_as_master=True, base_priority=255)
    b.start()
    b.hear(1 * S, 255)
    b.hear(4_200_000_000, 255)
    assert b.router.effective_priority == 254
    return b


@pytest.mark.behaviour("FSM-36")
def test_an_owner_that_gave_in_is_one_again_when_it_hears_a_lesser_as_active(gave_in: Any) -> None:
    gave_in.pass_time(5 * S)
    assert gave_in.pass_time(7_807_812_500 + 0)[0] == "adv 254"
    assert gave_in.hear(9 * S, 100)[0] == "adv 255"


def test_an_owner_that_gave_in_is_one_again_after_a_fault(gave_in: Any) -> None:
    gave_in.at(5 * S, FaultsChanged(faults=DOWN))
    assert gave_in.at(6 * S, FaultsChanged(faults=frozenset()))[2] == "adv 255"


def test_an_owner_that_gave_in_has_the_priority_of_a_new_configuration(
    gave_in: Any, make_config: Callable[..., VrrpInstance]
) -> None:
    gave_in.at(5 * S, ConfigurationChanged(config=make_config(base_priority=200)))
    assert gave_in.router.effective_priority == 200


def test_remarks_are_made_again_after_a_change_of_state(bench: MakeBench) -> None:
    b = bench()
    b.start()
    assert b.hear(2 * S, 99) == ["remark lower_priority_discarded"]
    b.pass_time(4 * S)
    b.hear(5 * S, 101)
    assert b.hear(6 * S, 99) == ["remark lower_priority_discarded"]


@pytest.mark.behaviour("PKT-34")
def test_advertisements_that_count_are_counted(bench: MakeBench) -> None:
    b = bench()
    b.hear(0, 50)
    b.start()
    b.hear(1 * S, 50)
    b.hear(2 * S, 0)
    assert (b.router.counters.advert_rcvd, b.router.counters.pri_zero_rcvd) == (2, 1)


# ------------------------------------------------------------------------------------------- fault and stop


@pytest.mark.behaviour("FSM-41", "FSM-44")
def test_a_fault_releases_and_removes(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    expected = ["adv 0", "remove 10.1.1.1", "MASTER->FAULT fault interface_down"]
    assert b.at(5 * S, FaultsChanged(faults=DOWN)) == expected
    assert b.router.next_deadline_ns() is None
    assert b.router.counters.pri_zero_sent == 1
    assert b.hear(6 * S, 50) == []  # PKT-21


@pytest.mark.behaviour("FSM-42")
def test_the_last_cause_gone_means_listening_for_the_whole_interval(bench: MakeBench) -> None:
    b = bench()
    b.start(faults=DOWN)
    assert b.router.router_state is RouterState.FAULT
    both = DOWN | {FaultCause.NO_SOURCE_ADDRESS}
    assert b.at(1 * S, FaultsChanged(faults=both)) == ["remark faults_changed"]
    assert b.at(2 * S, FaultsChanged(faults=both)) == []
    expected = ["remove 10.1.1.1", "FAULT->BACKUP fault_cleared"]
    assert b.at(3 * S, FaultsChanged(faults=frozenset())) == expected
    assert b.router.next_deadline_ns() == 6_609_375_000


@pytest.mark.behaviour("FSM-42")
def test_the_owner_comes_back_from_a_fault_without_waiting(bench: MakeBench) -> None:
    b = bench(start_as_master=True, base_priority=255)
    b.start(faults=DOWN)
    came = b.at(3 * S, FaultsChanged(faults=frozenset()))
    assert came[1] == "FAULT->BACKUP fault_cleared"
    assert came[2:] == ["adv 255", "install 10.1.1.1", "announce x5 10.1.1.1", "BACKUP->MASTER address_owner"]


@pytest.mark.behaviour("FSM-12")
def test_a_start_with_a_fault_removes_leftovers(bench: MakeBench) -> None:
    assert bench().start(faults=DOWN) == ["remove 10.1.1.1", "INIT->FAULT fault interface_down"]


def test_a_start_with_a_fault_after_an_active_predecessor_releases(bench: MakeBench) -> None:
    came = bench().start(faults=DOWN, restored_active=True, last_sent_ns=0)
    assert came == ["adv 0", "remove 10.1.1.1", "INIT->FAULT fault interface_down"]


@pytest.mark.behaviour("PROC-30")
def test_an_orderly_stop_releases_first_and_then_removes(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.at(5 * S, ShutdownWanted()) == ["adv 0", "remove 10.1.1.1", "MASTER->INIT shutdown"]
    assert b.at(6 * S, ShutdownWanted()) == []


@pytest.mark.behaviour("PROC-30")
def test_a_stop_that_keeps_addresses_says_nothing_to_anybody(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.at(5 * S, ShutdownWanted(keep_addresses=True)) == ["MASTER->INIT shutdown"]


def test_a_backup_stops_silently(bench: MakeBench) -> None:
    b = bench()
    b.start()
    assert b.at(1 * S, ShutdownWanted()) == ["BACKUP->INIT shutdown"]

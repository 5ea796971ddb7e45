"""What a router does that an operator holds back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhad.vrrp_proc.core.events import FOREVER_NS, FaultCause, FaultsChanged, StandbyWanted, TakebackWanted

MS = 1_000_000
S = 1_000_000_000
Make = Callable[..., Any]
STANDBY = StandbyWanted(until_ns=FOREVER_NS, patience_ns=4_500 * MS)
NOW = StandbyWanted(until_ns=FOREVER_NS)


def test_a_master_gives_up_and_answers_until_somebody_else_does(bench: Make) -> None:
    b = bench()
    b.become_active()
    assert b.at(5 * S, STANDBY) == ["adv 0", "MASTER->BACKUP standby"]
    b.hear(5_700 * MS, 50)
    assert b.pass_time(5_750 * MS) == ["remove 10.1.1.1", "remark addresses_handed_over"]


def test_without_patience_the_addresses_go_at_once(bench: Make) -> None:
    b = bench()
    b.become_active()
    assert b.at(5 * S, NOW) == ["adv 0", "remove 10.1.1.1", "MASTER->BACKUP standby"]


def test_a_lesser_master_is_followed_while_it_lasts(bench: Make) -> None:
    b = bench()
    b.start()
    b.at(1 * S, NOW)
    assert b.hear(2 * S, 50) == []
    assert b.router.next_deadline_ns() == 5_609_375_000
    b.at(3 * S, TakebackWanted())
    assert b.hear(4 * S, 50) == ["remark lower_priority_discarded"]
    assert b.pass_time(5_609_375_000)[0] == "adv 100"


def test_it_keeps_out_when_nobody_is_heard_and_says_so_once(bench: Make) -> None:
    b = bench()
    b.start()
    b.at(1 * S, NOW)
    assert b.pass_time(3_609_375_000) == ["remark standby_without_master"]
    assert b.router.next_deadline_ns() == 7_218_750_000
    assert b.pass_time(7_218_750_000) == []
    b.hear(8 * S, 50)
    assert b.router.snapshot().master_address == "10.0.0.1"
    assert b.pass_time(11_609_375_000) == ["remark standby_without_master"]
    assert b.router.snapshot().master_address == ""


def test_it_ends_by_itself(bench: Make) -> None:
    b = bench()
    b.start()
    b.at(1 * S, StandbyWanted(until_ns=5 * S))
    b.pass_time(3_609_375_000)
    assert b.router.next_deadline_ns() == 5 * S  # it has listened in vain already
    assert b.pass_time(5 * S)[0] == "adv 100"


def test_taken_back_while_nobody_is_heard_it_listens_for_an_interval_and_its_skew_only(bench: Make) -> None:
    b = bench()
    b.start()
    b.at(1 * S, NOW)
    b.pass_time(3_609_375_000)
    b.at(4 * S, TakebackWanted())
    assert b.router.next_deadline_ns() == 5_609_375_000
    assert b.pass_time(5_609_375_000)[0] == "adv 100"


def test_taken_back_before_it_waited_in_vain_it_waits_to_the_end(bench: Make) -> None:
    b = bench()
    b.start()
    b.at(1 * S, NOW)
    b.at(1_100 * MS, TakebackWanted())
    assert b.router.next_deadline_ns() == 3_609_375_000


def test_a_fault_meanwhile_makes_it_listen_from_the_beginning(bench: Make) -> None:
    b = bench()
    b.start()
    b.at(1 * S, NOW)
    b.pass_time(3_609_375_000)
    b.at(4 * S, FaultsChanged(faults=frozenset({FaultCause.INTERFACE_DOWN})))
    b.at(5 * S, FaultsChanged(faults=frozenset()))
    b.at(5 * S, TakebackWanted())
    assert b.router.next_deadline_ns() == 8_609_375_000


def test_the_owner_too_is_held_back_after_a_start_and_after_a_fault(bench: Make) -> None:
    b = bench(start_as_master=True, base_priority=255)
    assert b.start(restored_standby_until_ns=FOREVER_NS) == ["remove 10.1.1.1", "INIT->BACKUP startup"]
    b.at(1 * S, FaultsChanged(faults=frozenset({FaultCause.INTERFACE_DOWN})))
    effects = b.at(2 * S, FaultsChanged(faults=frozenset()))
    assert effects == ["remove 10.1.1.1", "FAULT->BACKUP fault_cleared"]


def test_a_master_that_is_to_be_held_back_does_not_resume(bench: Make) -> None:
    b = bench()
    effects = b.start(restored_active=True, last_sent_ns=-S, restored_standby_until_ns=FOREVER_NS)
    assert effects == ["remove 10.1.1.1", "INIT->BACKUP startup too_late_to_resume"]

"""A router that did not turn for a while: what it may still believe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import AdvertisementReceived, TimePassed
from pyhad.vrrp_proc.core.sync_group import Seat, seat_of

MS = 1_000_000
S = 1_000_000_000
Make = Callable[..., Any]
ACTIVE_AT_NS = 3_609_375_000
LAST = AdvertisementReceived(source="10.0.0.1", priority=90, interval_cs=100)


def test_an_active_router_that_was_silent_for_its_peers_patience_listens_first(bench: Make) -> None:
    b = bench()
    b.become_active()
    frozen_ns = ACTIVE_AT_NS + 3_007_812_500  # three intervals and 2/256 s
    assert b.pass_time(frozen_ns) == ["remove 10.1.1.1", "MASTER->BACKUP frozen silent for 3007 ms"]
    assert b.router.next_deadline_ns() == frozen_ns + 1_609_375_000
    assert b.pass_time(frozen_ns + 1_609_375_000)[0] == "adv 100"


def test_it_says_a_last_word_for_its_kernel_answered_all_the_time(bench: Make) -> None:
    b = bench(higher_prio_send_advert=True)
    b.become_active()
    effects = b.pass_time(30 * S)
    assert effects[:2] == ["remove 10.1.1.1", "adv 1"]


def test_its_sync_group_sees_that_it_is_late_until_it_hears_somebody(bench: Make) -> None:
    b = bench()
    b.become_active()
    b.pass_time(30 * S)
    assert seat_of(b.router, 30 * S) is Seat.LATE
    b.hear(31 * S, 90)
    assert seat_of(b.router, 31 * S) is Seat.ABLE


def test_so_does_a_successor_that_comes_too_late(bench: Make) -> None:
    b = bench()
    b.start(restored_active=True, last_sent_ns=-9 * S)
    assert seat_of(b.router, 0) is Seat.LATE


def test_a_moment_earlier_it_goes_on(bench: Make) -> None:
    b = bench()
    b.become_active()
    assert b.pass_time(ACTIVE_AT_NS + 3_007_812_499)[0] == "adv 100"


def test_what_waited_unread_is_judged_as_backup(bench: Make) -> None:
    b = bench()
    b.become_active()
    effects = b.router.handle(LAST, 20 * S)  # a lesser one that took over; not contradicted, listened to
    assert [type(effect).__name__ for effect in effects] == ["RemoveAddresses", "ChangeState", "Remark"]
    assert b.router.router_state is RouterState.BACKUP
    assert b.router.next_deadline_ns() == 21_609_375_000


def test_a_backup_that_comes_late_by_more_than_an_interval_listens_anew(bench: Make) -> None:
    b = bench()
    b.start()
    late_ns = ACTIVE_AT_NS + 1 * S + 1
    assert b.pass_time(late_ns) == ["remark was_frozen"]
    assert b.router.next_deadline_ns() == late_ns + 1_609_375_000
    assert b.pass_time(late_ns + 1_609_375_000)[0] == "adv 100"


@pytest.mark.behaviour("FSM-20")
def test_a_backup_that_comes_a_little_late_takes_over(bench: Make) -> None:
    b = bench()
    b.start()
    assert b.at(ACTIVE_AT_NS + 1 * S, TimePassed())[0] == "adv 100"

"""The short cuts end where the ordinary way ends."""

from __future__ import annotations

import random
from dataclasses import replace

from pyhad.common.config.model import Announcement, VrrpInstance
from pyhad.vrrp_proc.core.effects import SendAdvertisement
from pyhad.vrrp_proc.core.events import (
    AdvertisementReceived,
    PriorityChanged,
    StandbyWanted,
    Startup,
    TimePassed,
)
from pyhad.vrrp_proc.core.states import Active, Backup
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from tests.unit.vrrp_proc.core.conftest import CONFIG

MS = 1_000_000
SECOND = 1_000_000_000
DOWN_NS = 3_609_375_000
"""3 * 1 s + (256 - 100) / 256 s."""
QUIET = replace(CONFIG, announcement=Announcement(master_delay_ns=0))
MASTER = AdvertisementReceived(source="10.0.0.1", priority=200, interval_cs=100)
LESSER = AdvertisementReceived(source="10.0.0.1", priority=50, interval_cs=100)
START = Startup(faults=frozenset(), source_address="10.0.0.2")


def active(config: VrrpInstance = QUIET) -> VirtualRouter:
    """Active since `DOWN_NS`; its next advertisement is due a second later."""
    router = VirtualRouter(config)
    router.handle(START, 0)
    router.handle(TimePassed(), DOWN_NS)
    assert isinstance(router.state, Active)
    return router


def backup(config: VrrpInstance = CONFIG) -> VirtualRouter:
    router = VirtualRouter(config)
    router.handle(START, 0)
    return router


def test_a_beat_is_the_same_as_time_that_passed() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    short, ordinary = active(), active()
    now_ns = DOWN_NS
    for _ in range(200):
        now_ns += dice.choice([SECOND, 400 * MS, 1_100 * MS, 5 * MS, 2_500 * MS])
        before = short.snapshot()
        if short.beat(now_ns):
            assert ordinary.handle(TimePassed(), now_ns) == [SendAdvertisement(priority=100)]
        else:
            assert short.snapshot() == before
            assert short.handle(TimePassed(), now_ns) == ordinary.handle(TimePassed(), now_ns)
        assert short.state == ordinary.state
        assert short.snapshot() == ordinary.snapshot()
        assert short.counters == ordinary.counters


def test_nothing_beats_before_it_is_due() -> None:
    router = active()
    assert not router.beat(DOWN_NS + SECOND - 1)
    assert router.beat(DOWN_NS + SECOND)
    assert not router.beat(DOWN_NS + SECOND)
    assert router.counters.advert_sent == 2


def test_who_is_not_active_does_not_beat() -> None:
    assert not backup().beat(10 * SECOND)
    assert not VirtualRouter(CONFIG).beat(10 * SECOND)


def test_a_chore_that_is_due_goes_the_ordinary_way() -> None:
    router = active(replace(CONFIG, announcement=Announcement(master_delay_ns=SECOND)))
    assert not router.beat(DOWN_NS + SECOND)
    assert len(router.handle(TimePassed(), DOWN_NS + SECOND)) == 2


def test_a_beat_too_late_goes_the_ordinary_way() -> None:
    assert not active().beat(DOWN_NS + 2 * SECOND)
    impatient = active()
    impatient.config = replace(QUIET, down_timer_adverts=1)
    # Quickest peer: 1 s and 2/256 s after the last.
    assert not impatient.beat(DOWN_NS + SECOND + 7_812_500)
    assert impatient.beat(DOWN_NS + SECOND + 7_812_499)


def test_a_new_interval_holds_for_the_next_beat() -> None:
    router = active()
    assert router.beat(DOWN_NS + SECOND)
    router.config = replace(router.config, advertisement_interval_cs=200)
    assert router.beat(DOWN_NS + 2 * SECOND)
    assert router.next_deadline_ns() == DOWN_NS + 4 * SECOND


def test_an_advertisement_can_be_brought_forward_and_not_put_off() -> None:
    router = active()
    router.bring_forward(DOWN_NS + 960 * MS, DOWN_NS)
    assert router.next_deadline_ns() == DOWN_NS + 960 * MS
    router.bring_forward(DOWN_NS + 970 * MS, DOWN_NS)
    assert router.next_deadline_ns() == DOWN_NS + 960 * MS
    router.bring_forward(DOWN_NS - 1, DOWN_NS)
    assert router.next_deadline_ns() == DOWN_NS + 960 * MS
    assert router.beat(DOWN_NS + 960 * MS)
    assert router.next_deadline_ns() == DOWN_NS + 1_960 * MS


def test_the_other_deadline_of_an_active_router_is_its_chore() -> None:
    assert active().other_deadline_ns() is None
    router = active(replace(CONFIG, announcement=Announcement(master_delay_ns=5 * SECOND)))
    assert router.other_deadline_ns() == DOWN_NS + 5 * SECOND
    assert router.next_deadline_ns() == DOWN_NS + SECOND
    assert backup().other_deadline_ns() == DOWN_NS


def test_many_times_the_same_is_as_the_last_time_alone() -> None:
    each, last = backup(), backup()
    each.handle(MASTER, SECOND)
    last.handle(MASTER, SECOND)
    assert last.repeats_for_ns(MASTER, SECOND) == DOWN_NS
    for number in range(2, 7):
        assert each.handle(MASTER, number * SECOND) == []
    assert last.hear_again(MASTER, 5, 6 * SECOND) == []
    assert last.state == each.state
    assert last.counters == each.counters
    assert last.next_deadline_ns() == 6 * SECOND + DOWN_NS


def test_a_lesser_one_may_be_preempted_so_each_counts() -> None:
    router = backup(replace(CONFIG, preempt_delay_ns=60 * SECOND))
    router.handle(LESSER, SECOND)
    assert router.repeats_for_ns(LESSER, SECOND) == 0
    tolerant = backup(replace(CONFIG, preempt_mode=False))
    tolerant.handle(LESSER, SECOND)
    assert tolerant.repeats_for_ns(LESSER, SECOND) == DOWN_NS


def test_a_release_and_an_active_router_repeat_nothing() -> None:
    router = backup()
    leaving = replace(MASTER, priority=0)
    router.handle(leaving, SECOND)
    assert router.repeats_for_ns(leaving, SECOND) == 0
    assert active().repeats_for_ns(MASTER, DOWN_NS) == 0


def test_whatever_else_happens_makes_another_state() -> None:
    router = backup()
    router.handle(MASTER, SECOND)
    before = router.state
    router.handle(PriorityChanged(adjustment=-10), SECOND)
    assert router.state is not before
    before = router.state
    router.handle(replace(MASTER, source="10.0.0.3"), SECOND)
    assert router.state is not before


def test_one_that_hands_over_listens_to_each() -> None:
    router = active()
    router.handle(StandbyWanted(until_ns=10**15, patience_ns=SECOND), DOWN_NS)
    assert isinstance(router.state, Backup)
    router.handle(MASTER, DOWN_NS + 1)
    assert router.is_parting
    assert router.repeats_for_ns(MASTER, DOWN_NS + 1) == 0

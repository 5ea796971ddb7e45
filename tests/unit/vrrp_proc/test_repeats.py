"""What is put off is taken in before anybody looks."""

from __future__ import annotations

from pyhad.vrrp_proc.core.events import AdvertisementReceived, Startup
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from pyhad.vrrp_proc.repeats import Repeats
from tests.unit.vrrp_proc.core.conftest import CONFIG

MASTER = AdvertisementReceived(source="10.0.0.1", priority=200, interval_cs=100)
LESSER = AdvertisementReceived(source="10.0.0.1", priority=50, interval_cs=100)


def test_only_what_repeats_is_remembered_and_nothing_after_something_else_happened() -> None:
    router, repeats = VirtualRouter(CONFIG), Repeats()
    router.handle(Startup(faults=frozenset(), source_address="10.0.0.2"), 0)
    router.handle(LESSER, 1)
    repeats.remember(LESSER, router, 1)
    assert repeats.event is not LESSER
    router.handle(MASTER, 2)
    repeats.remember(MASTER, router, 2)
    assert repeats.event is MASTER
    assert repeats.times == 0
    repeats.forget()
    assert repeats.event is not MASTER


def test_the_deadline_is_known_before_what_was_heard_is_taken_in() -> None:
    router, repeats = VirtualRouter(CONFIG), Repeats()
    router.handle(Startup(faults=frozenset(), source_address="10.0.0.2"), 0)
    router.handle(MASTER, 2)
    repeats.remember(MASTER, router, 2)
    assert repeats.deadline_ns(router) == 3_609_375_002
    repeats.times, repeats.last_ns = 5, 1_000_000_000
    assert repeats.deadline_ns(router) == 4_609_375_000
    assert router.next_deadline_ns() == 3_609_375_002
    router.hear_again(MASTER, 5, 1_000_000_000)
    assert router.next_deadline_ns() == 4_609_375_000

"""Orders of operators: when they end, and when a drain is complete."""

from __future__ import annotations

from pyhad.ipvs_proc.core.orders import Order, Orders

WEB1, WEB2 = ("web", "10.1.0.1:80"), ("web", "10.1.0.2:80")
DRAIN = Order(weight=0)


def test_an_order_is_found_by_its_service_and_taken_back() -> None:
    orders = Orders({WEB1: DRAIN, ("other", "10.1.0.1:80"): Order(weight=3)})
    assert orders.of("web", ["10.1.0.1:80", "10.1.0.2:80"]) == {"10.1.0.1:80": DRAIN}
    assert not orders.give(WEB1, DRAIN)
    assert orders.give(WEB1, None)
    assert not orders.give(WEB1, None)
    assert orders.of("web", ["10.1.0.1:80"]) == {}


def test_a_drain_is_complete_when_nothing_is_left_and_only_once() -> None:
    orders = Orders({WEB1: DRAIN, WEB2: Order(weight=5)})
    assert orders.complete([WEB1, WEB2, ("web", "unknown")]) == {WEB1}
    assert orders.all[WEB1] == Order(weight=0, is_out=True)
    assert orders.complete([WEB1]) == set()


def test_a_deadline_completes_a_drain_and_a_time_ends_an_order() -> None:
    orders = Orders({WEB1: Order(weight=0, deadline_ns=50), WEB2: Order(weight=7, until_ns=90)})
    assert orders.next_deadline_ns() == 50
    assert orders.due(49) == (set(), set())
    assert orders.due(50) == (set(), {WEB1})
    assert orders.next_deadline_ns() == 90
    assert orders.due(90) == ({WEB2}, set())
    assert orders.all == {WEB1: Order(weight=0, deadline_ns=50, is_out=True)}
    assert orders.next_deadline_ns() is None


def test_an_order_that_is_over_completes_nothing() -> None:
    orders = Orders({WEB1: Order(weight=0, deadline_ns=50, until_ns=60)})
    assert orders.due(70) == ({WEB1}, set())

"""Announcements keep their distance where there is a limit."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.garp import AnnounceLimit
from pyhad.vrrp_proc.core.pacing import Pacing

MS = 1_000_000


def vip(address: str, interface: str = "eth0") -> VirtualAddress:
    return VirtualAddress(address=address, prefix_len=32, interface=interface)


A, B, SIX, OTHER = vip("10.0.0.1"), vip("10.0.0.2"), vip("2001:db8::1"), vip("10.0.0.3", "eth1")


def pacing(*limits: AnnounceLimit) -> Pacing:
    made = Pacing()
    made.configure(limits, 0)
    return made


def leaves(one: Pacing, until_ns: int) -> list[tuple[int, str]]:
    """(ms, address) of all that leaves in time."""
    found = []
    while one.next_deadline_ns is not None and one.next_deadline_ns <= until_ns:
        now_ns = one.next_deadline_ns
        found += [(now_ns // MS, address.address) for address in one.due(now_ns)]
    return found


@pytest.mark.behaviour("NET-25", "NET-20")
def test_rounds_go_over_all_addresses_at_the_distance_of_the_limit() -> None:
    one = pacing(AnnounceLimit(garp_interval_ns=10 * MS))
    assert one.offer((A, B), 2, 0) == [A]
    assert leaves(one, 1000 * MS) == [(10, "10.0.0.2"), (20, "10.0.0.1"), (30, "10.0.0.2")]
    assert one.next_deadline_ns is None
    assert one.offer((A,), 1, 35 * MS) == []
    assert leaves(one, 1000 * MS) == [(40, "10.0.0.1")]


@pytest.mark.behaviour("NET-25")
def test_families_and_interfaces_have_limits_of_their_own_and_some_have_none() -> None:
    one = pacing(AnnounceLimit(garp_interval_ns=10 * MS), AnnounceLimit(interfaces=("eth1",), gna_interval_ns=MS))
    assert [one.is_limited(address) for address in (A, SIX, OTHER)] == [True, False, False]
    two = pacing(AnnounceLimit(garp_interval_ns=10 * MS, gna_interval_ns=20 * MS))
    assert two.offer((A, OTHER, SIX), 2, 0) == [A, OTHER, SIX]
    assert leaves(two, 1000 * MS) == [(10, "10.0.0.1"), (10, "10.0.0.3"), (20, "2001:db8::1")]


@pytest.mark.behaviour("NET-25")
def test_interfaces_of_one_group_share_its_limit() -> None:
    one = pacing(AnnounceLimit(interfaces=("eth0", "eth1"), garp_interval_ns=10 * MS))
    assert one.offer((A, OTHER), 1, 0) == [A]
    assert leaves(one, 1000 * MS) == [(10, "10.0.0.3")]


def test_a_second_burst_adds_nothing_to_one_that_waits_and_who_is_late_does_not_catch_up() -> None:
    one = pacing(AnnounceLimit(garp_interval_ns=10 * MS))
    one.offer((A,), 5, 0)
    one.offer((A,), 3, 1)
    assert one.due(35 * MS) == [A]
    assert leaves(one, 1000 * MS) == [(45, "10.0.0.1"), (55, "10.0.0.1"), (65, "10.0.0.1")]


def test_what_is_given_up_is_not_announced_any_more() -> None:
    one = pacing(AnnounceLimit(garp_interval_ns=10 * MS))
    one.offer((A, B), 2, 0)
    one.forget((A,))
    assert leaves(one, 1000 * MS) == [(10, "10.0.0.2"), (20, "10.0.0.2")]


def test_a_reload_keeps_what_waits_and_gives_it_the_new_limit() -> None:
    one = pacing(AnnounceLimit(garp_interval_ns=10 * MS))
    one.offer((A, B), 1, 0)
    one.configure((AnnounceLimit(garp_interval_ns=3 * MS),), 1 * MS)
    one.offer((A,), 1, 1 * MS)
    assert leaves(one, 1000 * MS) == [(4, "10.0.0.1")]

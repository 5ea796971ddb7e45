"""Addresses on lease: what the kernel is told, when, and for how long."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.kernel.leases import Leases, Renewal, is_leasable
from pyhad.vrrp_proc.kernel.links import Changes
from pyhad.vrrp_proc.kernel.netlink import LinkSeen

FOREVER = 0xFFFFFFFF
ONE = VirtualAddress(address="10.0.0.1", prefix_len=24, interface="eth0")
TWO = VirtualAddress(address="10.0.0.2", prefix_len=32, interface="eth0", preferred_lft_s=0)
GONE = VirtualAddress(address="10.0.0.3", prefix_len=32, interface="eth9")
ME, OTHER = "me", "other"


@pytest.fixture
def loop() -> Loop:
    return Loop()


def turn(loop: Loop, after_ns: int = 30_000_000) -> None:
    """Let the loop run for that long."""
    loop.after(after_ns, loop.stop)
    loop.run()


def leases(kernel: Any, loop: Loop) -> Leases:
    for address in (ONE, TWO):
        kernel.put(address.address, address.prefix_len)
    return Leases(kernel, kernel.links, loop)


def test_new_addresses_get_their_lease_a_moment_later_in_one_batch(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.hold(ME, [ONE, TWO, GONE])
    assert kernel.lifetimes == []
    turn(loop)
    assert kernel.lifetimes == [("10.0.0.1", 4, 4), ("10.0.0.2", 0, 4)]  # one was never preferred


def test_adverts_renew_it_at_most_three_times_a_second(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 1)
    made.hold(ME, [ONE])
    turn(loop)
    for _ in range(3):
        made.renew(ME)
        turn(loop, 1_000_000)
    assert kernel.lifetimes == [("10.0.0.1", 1, 1)]
    turn(loop, 310_000_000)
    made.renew(ME)
    turn(loop, 1_000_000)
    assert kernel.lifetimes == [("10.0.0.1", 1, 1)] * 2


def test_who_advertises_together_renews_together_what_each_holds_now(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    for holder, address, seconds in ((ME, ONE, 4), (OTHER, TWO, 1)):
        made.agree(holder, seconds)
        made.hold(holder, [address])
    turn(loop)
    kernel.lifetimes.clear()
    renewal, now_ns = Renewal([ME, OTHER]), loop.now_ns()
    made.renew_together(renewal, now_ns)
    made.renew_together(renewal, now_ns + 299_999_999)
    assert kernel.lifetimes == []  # not before the adverts of the same turn
    turn(loop, 1_000_000)
    assert kernel.lifetimes == [("10.0.0.1", 4, 4), ("10.0.0.2", 0, 1)]
    made.drop(ME, [ONE])
    made.renew_together(renewal, now_ns + 300_000_000)
    turn(loop, 1_000_000)
    assert kernel.lifetimes[2:] == [("10.0.0.2", 0, 1)]


def test_without_a_lease_nothing_is_said(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.hold(ME, [ONE])
    made.renew(ME)
    turn(loop)
    assert kernel.lifetimes == []


def test_what_is_removed_is_not_renewed(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.hold(ME, [ONE, TWO])
    made.drop(ME, [ONE])
    turn(loop)
    assert kernel.lifetimes == [("10.0.0.2", 0, 4)]


def test_a_lease_that_ends_by_reload_leaves_the_addresses_for_ever(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.hold(ME, [ONE])
    turn(loop)
    made.agree(ME, 0)
    made.renew(ME)
    turn(loop)
    assert kernel.lifetimes[1:] == [("10.0.0.1", FOREVER, FOREVER)]


def test_who_leaves_addresses_behind_on_purpose_leaves_them_for_ever(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.agree(OTHER, 4)
    made.hold(ME, [ONE])
    made.hold(OTHER, [TWO])
    turn(loop)
    kernel.lifetimes.clear()
    made.leave(ME)
    made.renew(ME)
    turn(loop)
    assert kernel.lifetimes == [("10.0.0.1", FOREVER, FOREVER)]


def test_an_interface_that_is_made_anew_has_its_new_number_in_the_orders(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.hold(ME, [ONE])
    turn(loop)
    kernel.links.take(LinkSeen(7, "eth0", 0, bytes(6), gone=True), Changes())
    kernel.links.take(LinkSeen(9, "eth0", 0x11043, bytes(6), gone=False), Changes())
    made.forget_interfaces()
    renewal = Renewal([ME])
    made.renew_together(renewal, loop.now_ns())
    turn(loop, 1_000_000)
    assert kernel.lifetimes[1:] == [("10.0.0.1", 4, 4)]
    assert struct.unpack_from("=I", renewal.orders[0], 20) == (9,)  # ifa_index


def test_orders_are_made_once_as_long_as_their_interfaces_are_the_same(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.hold(ME, [ONE, GONE])
    turn(loop)
    renewal = Renewal([ME])
    made.renew_together(renewal, 1_000_000_000)
    turn(loop, 1_000_000)
    first = renewal.orders
    kernel.links.take(LinkSeen(8, "eth8", 0x11043, bytes(6), gone=False), Changes())
    made.forget_interfaces()
    made.renew_together(renewal, 2_000_000_000)
    turn(loop, 1_000_000)
    assert renewal.orders is first
    kernel.links.take(LinkSeen(9, "eth9", 0x11043, bytes(6), gone=False), Changes())
    made.forget_interfaces()
    made.renew_together(renewal, 3_000_000_000)
    turn(loop, 1_000_000)
    assert (len(first), len(renewal.orders)) == (1, 2)


def test_what_the_kernel_refuses_is_counted(kernel: Any, loop: Loop) -> None:
    made = leases(kernel, loop)
    made.agree(ME, 4)
    made.hold(ME, [ONE])
    kernel.there.clear()
    turn(loop)
    assert made.refused == 1


@pytest.mark.parametrize(
    ("address", "prefix_len", "flags", "leased"),
    [
        ("10.0.0.1", 24, 0, True),
        ("2001:db8::1", 128, 0, True),
        ("2001:db8::1", 64, 0, False),  # the machine's way into its own network would go with it
        ("2001:db8::1", 64, 0x200, True),  # noprefixroute
    ],
)
def test_an_address_with_a_connected_ipv6_route_is_not_leased(
    address: str, prefix_len: int, flags: int, leased: bool
) -> None:
    virtual = VirtualAddress(address=address, prefix_len=prefix_len, interface="eth0", flags=flags)
    assert is_leasable(virtual) is leased

"""Which router a loss concerns, and why the address went."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.vrrp import Place
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.kernel.addresses import Addresses
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.leases import Leases
from pyhad.vrrp_proc.kernel.links import Changes
from pyhad.vrrp_proc.kernel.netlink import AddressSeen, LinkSeen
from pyhad.vrrp_proc.upkeep import Upkeep

VIP = VirtualAddress(address="10.0.0.100", prefix_len=32, interface="eth0")
MAC = bytes.fromhex("020000000001")
UP, DOWN = 0x11043, 0x1002


class Loser(Instance):
    """A router of which only the losses are of interest."""

    def __init__(self) -> None:
        self.lost: list[tuple[list[Place], bool]] = []

    def lose(self, addresses: Iterable[Place], *, with_interface: bool = False) -> None:
        self.lost.append((list(addresses), with_interface))


class Bench:
    """A router that holds an address on eth0 (index 7), and what netlink says of it."""

    def __init__(self, kernel: Any) -> None:
        loop, nothing = Loop(), Nothing()
        holdings = Holdings(Addresses(kernel, kernel.links), Leases(kernel, kernel.links, loop))
        ignored: Any = nothing
        self.upkeep = Upkeep(loop, ignored, holdings, kernel.links, collections.Counter(), ignored)
        self.links, self.router = kernel.links, Loser()
        holdings.install(self.router, [VIP], owns_found=False)
        kernel.put("10.0.0.100", 32)

    def hear(self, *seen: LinkSeen | AddressSeen) -> list[tuple[list[Place], bool]]:
        """All in one read."""
        changes = Changes()
        for one in seen:
            self.links.take(one, changes)
        self.upkeep.changed(changes, frozenset())
        return self.router.lost


class Nothing:
    """No ledger and no log."""


@pytest.fixture
def bench(kernel: Any) -> Bench:
    return Bench(kernel)


def link(flags: int, index: int = 7, *, gone: bool = False) -> LinkSeen:
    return LinkSeen(index, "eth0", flags, MAC, gone=gone)


GONE = AddressSeen(7, "10.0.0.100", 32, 0, 0, 0, gone=True)


def test_what_somebody_removed_did_not_go_with_its_interface(bench: Bench) -> None:
    assert bench.hear(GONE) == [([("eth0", "10.0.0.100")], False)]


def test_what_somebody_removed_from_an_interface_that_changed_otherwise_did_not_go_with_it(bench: Bench) -> None:
    assert bench.hear(link(UP | 0x100), GONE) == [([("eth0", "10.0.0.100")], False)]


def test_it_went_with_an_interface_that_is_back_when_the_news_is_read(bench: Bench) -> None:
    assert bench.hear(link(DOWN), GONE, link(UP)) == [([("eth0", "10.0.0.100")], True)]


def test_it_went_with_an_interface_that_was_made_anew(bench: Bench) -> None:
    assert bench.hear(link(UP, gone=True), link(UP, 8)) == [([("eth0", "10.0.0.100")], True)]

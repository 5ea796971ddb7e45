"""Virtual addresses held on lease: the kernel itself lets go of them when nobody renews any more. Decides nothing.

Every process of the daemon may die at once (the OOM killer, a kernel that kills the control group) while the machine
lives on: addresses without a lease would then answer for ever beside those of the next master. A lease is renewed with
the adverts of its router, because both have to end together: peers take over one down interval after the last advert.
An order of the kernel's replaces the lifetime of an address that is there; what goes wrong is counted, because the
loss of the address is news of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import VirtualAddress
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.addresses import request_of
from pyhad.vrrp_proc.kernel.links import Links
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket

RENEW_NS = 300_000_000
"""The shortest lease of the kernel is a second: a third of it."""
FIRST_NS = 20_000_000
"""New addresses get their lease after the rush of a take-over."""
BATCH = 500
IFA_F_NOPREFIXROUTE = 0x200


def is_leasable(address: VirtualAddress) -> bool:
    """IPv6 addresses with a connected route of their own are not: kernels take the new lifetime of such a route for a
    moment long past, and the machine loses its way into the network (seen on 6.18)."""
    return ":" not in address.address or address.prefix_len == 128 or address.flags & IFA_F_NOPREFIXROUTE != 0


class Renewal:
    """The leases of holders that advertise together: orders made once, as long as nobody's addresses change."""

    __slots__ = ("holders", "orders", "renewed_ns", "version")

    def __init__(self, holders: Iterable[object], renewed_ns: int = 0) -> None:
        self.holders = tuple(holders)
        self.renewed_ns = renewed_ns
        self.orders: list[bytes] = []
        self.version = -1
        """Of what is held, when `orders` were made."""


class Leases:
    """By holder (any object that stands for one router): what it holds and for how long, in seconds; 0: for ever."""

    def __init__(self, route: RouteSocket, links: Links, loop: Loop, mark: int = netlink.PROTOCOL_VRRP) -> None:
        self.refused = 0
        self._route = route
        self._links = links
        self._loop = loop
        self._mark = mark
        self._seconds: dict[object, int] = {}
        self._held: dict[object, dict[VirtualAddress, None]] = {}
        self._orders: dict[object, list[bytes]] = {}
        self._renewed_ns: dict[object, int] = {}
        self._due: dict[object, None] = {}
        self._due_together: list[Renewal] = []
        self._indices: dict[str, int] = {}
        """Of the interfaces in `_orders`, as they were when the first of them was made; 0: it was missing."""
        self._version = 0
        """Another number after every change of what is held, or for how long."""

    def agree(self, holder: object, seconds: int) -> None:
        """From now on `holder` has its addresses for so long."""
        if self._seconds.get(holder, 0) == seconds:
            return
        self._seconds[holder] = seconds
        self._forget_orders(holder)
        if not seconds:
            self._give(holder, self._held.get(holder, ()), None)
        elif self._held.get(holder):
            self._expect(holder, 0)

    def hold(self, holder: object, addresses: Iterable[VirtualAddress]) -> None:
        """`holder` has installed these, or found its own."""
        held = self._held.setdefault(holder, {})
        held.update((address, None) for address in addresses if is_leasable(address))
        self._forget_orders(holder)
        if held and self._seconds.get(holder, 0):
            self._expect(holder, FIRST_NS)

    def drop(self, holder: object, addresses: Iterable[VirtualAddress]) -> None:
        """These are about to be removed."""
        held = self._held.get(holder, {})
        for address in addresses:
            held.pop(address, None)
        self._forget_orders(holder)

    def leave(self, holder: object) -> None:
        """`holder` is gone, and what it still holds shall stay (`-V`, CLI-14)."""
        held = self._held.pop(holder, None)
        if held and self._seconds.get(holder, 0):
            self._give(holder, held, None)
        self._forget_orders(holder)
        for known in (self._seconds, self._renewed_ns, self._due):
            known.pop(holder, None)

    def forget_interfaces(self) -> None:
        """Interfaces changed: one that was made anew has another number in the orders."""
        if any(self._index_of(name) != index for name, index in self._indices.items()):
            self._indices.clear()
            self._orders.clear()
            self._version += 1

    def renew(self, holder: object) -> None:
        """An advert of `holder` has just been sent."""
        is_leased = bool(self._held.get(holder)) and self._seconds.get(holder, 0) > 0
        if is_leased and self._loop.now_ns() - self._renewed_ns.get(holder, 0) >= RENEW_NS:
            self._expect(holder, 0)

    def renew_together(self, renewal: Renewal, now_ns: int) -> None:
        """An advert of each of its holders has just been sent."""
        if now_ns - renewal.renewed_ns >= RENEW_NS:
            renewal.renewed_ns = now_ns
            self._wake_after(0)
            self._due_together.append(renewal)

    def _expect(self, holder: object, delay_ns: int) -> None:
        self._wake_after(delay_ns)
        self._due[holder] = None

    def _wake_after(self, delay_ns: int) -> None:
        """All that is due in the same turn goes out together, and after the adverts that are."""
        if not self._due and not self._due_together:
            self._loop.after(delay_ns, self._renew_due)

    def _renew_due(self) -> None:
        due, self._due = self._due, {}
        together, self._due_together = self._due_together, []
        now_ns = self._loop.now_ns()
        orders: list[bytes] = []
        for holder in due:
            if self._seconds.get(holder, 0):
                self._renewed_ns[holder] = now_ns
                orders += self._orders_of(holder)
        for renewal in together:
            if renewal.version != self._version:
                renewal.version = self._version
                renewal.orders = [order for one in renewal.holders for order in self._orders_of(one)]
            orders += renewal.orders
        self._send(orders)

    def _orders_of(self, holder: object) -> list[bytes]:
        """What renews everything that it holds."""
        seconds = self._seconds.get(holder, 0)
        if not seconds:
            return []
        if holder not in self._orders:
            held = self._held.get(holder, {})
            for address in held:
                self._indices.setdefault(address.interface, self._index_of(address.interface))
            self._orders[holder] = self._encoded(held, seconds)
        return self._orders[holder]

    def _index_of(self, name: str) -> int:
        interface = self._links.by_name.get(name)
        return 0 if interface is None else interface.index

    def _forget_orders(self, holder: object) -> None:
        self._orders.pop(holder, None)
        self._version += 1

    def _give(self, holder: object, addresses: Iterable[VirtualAddress], seconds: int | None) -> None:
        self._renewed_ns.pop(holder, None)
        self._send(self._encoded(addresses, seconds))

    def _encoded(self, addresses: Iterable[VirtualAddress], seconds: int | None) -> list[bytes]:
        found = ((address, self._links.by_name.get(address.interface)) for address in addresses)
        return [
            netlink.encode_lifetime(request_of(address, interface.index, self._mark), seconds)
            for address, interface in found
            if interface is not None
        ]

    def _send(self, orders: list[bytes]) -> None:
        for start in range(0, len(orders), BATCH):
            self.refused += self._route.tell(b"".join(orders[start : start + BATCH]))

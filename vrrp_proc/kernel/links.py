"""The netlink reflector: what interfaces and addresses there are, kept right by the kernel's own notifications.

`Links` is the picture (two dictionaries), `LinkMonitor` the socket that keeps it. Interfaces may appear, vanish and be
renamed. When notifications were lost (ENOBUFS) everything is asked again and compared. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyhad.common.config.model.tracking import ReceiveBuffer
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.packet_filter import attach
from pyhad.common.records import dataclass, field
from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.netlink import NO_DETAILS, AddressSeen, LinkDetails, LinkSeen
from pyhad.vrrp_proc.kernel.renewal_news import filter_renewals
from pyhad.vrrp_proc.kernel.route_socket import (
    RECEIVE_BUFFER_BYTES,
    RouteSocket,
    force_receive_buffer,
    is_overrun,
    open_socket,
    read_datagram,
)

_READ_BYTES = 256 * 1024
_DATAGRAMS_PER_TURN = 256
_LINK_LOCAL = ("fe8", "fe9", "fea", "feb")  # fe80::/10
_DATAGRAMS_IN_QUEUE = 65536
"""More than the receive buffer can hold."""


@dataclass(slots=True)
class Interface:
    """One interface as the kernel last described it. `addresses` keeps the kernel's order (primary first)."""

    index: int
    name: str
    flags: int
    mac: bytes
    details: LinkDetails = NO_DETAILS
    addresses: dict[tuple[str, int], AddressSeen] = field(default_factory=dict)
    """By (address, prefix length)."""
    polled: bool | None = None
    """The carrier as its driver was asked for it (see linkbeat.py); None: netlink's word counts."""

    @property
    def is_usable(self) -> bool:
        """Administratively up and with carrier, as keepalived means by up."""
        carrier = self.flags & netlink.IFF_RUNNING != 0 if self.polled is None else self.polled
        return carrier and self.flags & netlink.IFF_UP != 0

    @property
    def has_arp(self) -> bool:
        """Whether announcements make sense there (NET-27)."""
        return not self.flags & netlink.IFF_NOARP

    def has_address(self, address: str) -> bool:
        """With any prefix length."""
        return any(known == address for known, _ in self.addresses)

    def primary_ipv4(self, virtual: frozenset[str]) -> str:
        """The IPv4 address to speak from: the first that is none of `virtual` (PROC-13), "" if there is none.

        Secondary ones come last: a left-over virtual address can have pushed the machine's own into that role.
        """
        own = [seen for seen in self.addresses.values() if ":" not in seen.address and seen.address not in virtual]
        own.sort(key=lambda seen: (seen.flags & netlink.IFA_F_SECONDARY, seen.scope))
        return own[0].address if own else ""

    def primary(self, family: int, virtual: frozenset[str]) -> str:
        """The address to speak from in `family`, "" while there is none."""
        return self.primary_ipv4(virtual) if family == 4 else self.primary_ipv6(virtual)

    def primary_ipv6(self, virtual: frozenset[str]) -> str:
        """The link-local address (RFC 9568 5.1.2.1) once it is known that nobody else has it (FSM-43)."""
        for seen in self.addresses.values():
            unusable = seen.flags & (netlink.IFA_F_TENTATIVE | netlink.IFA_F_DADFAILED)
            if not unusable and seen.address.startswith(_LINK_LOCAL) and seen.address not in virtual:
                return seen.address
        return ""


@dataclass(slots=True)
class Changes:
    """What became different: names of interfaces, and (interface name, address) that came or went."""

    links: set[str] = field(default_factory=set)
    addresses: set[tuple[str, str]] = field(default_factory=set)
    macs: set[str] = field(default_factory=set)
    """Interfaces, of those in `links`, that have another hardware address now."""
    carried: set[str] = field(default_factory=set)
    """Interfaces, of those in `links`, that became usable."""
    interrupted: set[str] = field(default_factory=set)
    """Interfaces, of those in `links`, that were gone or not usable for a moment at least."""
    moved: set[str] = field(default_factory=set)
    """New names of interfaces, of those in `links`, that were renamed with addresses on them."""

    def __bool__(self) -> bool:
        return bool(self.links or self.addresses)


class Links:
    """The picture itself: feed it what was seen, ask it by name or index."""

    def __init__(self) -> None:
        self.by_index: dict[int, Interface] = {}
        self.by_name: dict[str, Interface] = {}
        self._formerly: dict[str, int] = {}
        """Names that nobody has any more -> the interface that had it last and lives on under another."""

    def once_named(self, name: str) -> Interface | None:
        """The interface of that name, or the one that was renamed from it: what was put there is there still."""
        found = self.by_name.get(name)
        return self.by_index.get(self._formerly.get(name, 0)) if found is None else found

    def take(self, seen: netlink.Seen, changes: Changes) -> None:
        """One notification."""
        if isinstance(seen, LinkSeen):
            self._take_link(seen, changes)
        elif isinstance(seen, AddressSeen):
            self._take_address(seen, changes)

    def replace(self, links: Iterable[LinkSeen], addresses: Iterable[AddressSeen], changes: Changes) -> None:
        """A full dump: whatever it does not name is gone."""
        present = {link.index: link for link in links}
        for index in [index for index in self.by_index if index not in present]:
            self._forget(self.by_index[index], changes)
        for link in present.values():
            self._take_link(link, changes)
        seen = {(one.index, one.address, one.prefix_len): one for one in addresses}
        for interface in self.by_index.values():
            for key in [key for key in interface.addresses if (interface.index, *key) not in seen]:
                del interface.addresses[key]
                changes.addresses.add((interface.name, key[0]))
        for one in seen.values():
            self._take_address(one, changes)

    def _take_link(self, seen: LinkSeen, changes: Changes) -> None:
        known = self.by_index.get(seen.index)
        if seen.gone:
            if known is not None:
                self._forget(known, changes)
            return
        if known is None:
            known = self.by_index[seen.index] = Interface(seen.index, seen.name, seen.flags, seen.mac, seen.details)
        elif (known.name, known.flags, known.mac, known.details) == (seen.name, seen.flags, seen.mac, seen.details):
            return
        if known.mac != seen.mac:
            changes.macs.add(seen.name)
        was_usable = known.is_usable
        if known.name != seen.name:
            self._unname(known)
            self._formerly[known.name] = known.index
            known.polled = None
            changes.links.add(known.name)
            if known.addresses:
                changes.moved.add(seen.name)
            changes.addresses.update((known.name, address) for address, _ in known.addresses)
            changes.addresses.update((seen.name, address) for address, _ in known.addresses)
        known.name, known.flags, known.mac, known.details = seen.name, seen.flags, seen.mac, seen.details
        self.by_name[seen.name] = known
        self._formerly.pop(seen.name, None)
        changes.links.add(seen.name)
        if known.is_usable and not was_usable:
            changes.carried.add(seen.name)
        elif was_usable and not known.is_usable:
            changes.interrupted.add(seen.name)

    def _take_address(self, seen: AddressSeen, changes: Changes) -> None:
        interface = self.by_index.get(seen.index)
        if interface is None:
            return
        key = (seen.address, seen.prefix_len)
        if seen.gone:
            if interface.addresses.pop(key, None) is None:
                return
        elif interface.addresses.get(key) == seen:
            return
        else:
            interface.addresses[key] = seen
        changes.addresses.add((interface.name, seen.address))

    def _forget(self, interface: Interface, changes: Changes) -> None:
        del self.by_index[interface.index]
        self._unname(interface)
        self._formerly = {name: index for name, index in self._formerly.items() if index != interface.index}
        changes.links.add(interface.name)
        changes.interrupted.add(interface.name)
        changes.addresses.update((interface.name, address) for address, _ in interface.addresses)

    def _unname(self, interface: Interface) -> None:
        if self.by_name.get(interface.name) is interface:
            del self.by_name[interface.name]


class LinkMonitor:
    """The socket behind `links`. `on_change(changes)` runs after all that waited has been taken in."""

    def __init__(self, route: RouteSocket, on_change: Callable[[Changes], None]) -> None:
        self.links = Links()
        self.refused = 0
        self.overruns = 0
        self._route = route
        self._on_change = on_change
        self._unsaid = Changes()
        self._buffer = bytearray(_READ_BYTES)
        self._socket = open_socket(netlink.GROUP_LINK | netlink.GROUP_IPV4_ADDRESS | netlink.GROUP_IPV6_ADDRESS)
        attach(self._socket, filter_renewals(route.port))
        self.ask_everything(Changes())  # after the subscription, so that nothing falls between

    def fileno(self) -> int:
        """For the loop: readable when notifications wait."""
        return self._socket.fileno()

    def read(self, _events: int = 0) -> None:
        """Take in what waits, a bounded number, then report. A full dump follows lost notifications.

        Addresses are reported once nothing waits any more: the removal that was read may have been made good since.
        """
        changes, self._unsaid = self._unsaid, Changes()
        if not self._take_waiting(changes, _DATAGRAMS_PER_TURN):
            self._unsaid.addresses, changes.addresses = changes.addresses, set()
            self._unsaid.interrupted = changes.interrupted  # why they went
        if changes:
            self._on_change(changes)

    def catch_up(self, changes: Changes) -> None:
        """Take in all that waits, after an order of our own that the picture is to show at once. Reports nothing."""
        self._take_waiting(changes, _DATAGRAMS_IN_QUEUE)

    def _take_waiting(self, changes: Changes, most: int) -> bool:
        """Whether nothing waits any more."""
        for _ in range(most):
            try:
                datagram = read_datagram(self._socket, self._buffer)
            except BlockingIOError:
                return True
            except OSError as error:
                if not is_overrun(error):
                    raise
                self._recover(changes)
                continue
            self._take(datagram, changes)
        return False

    def _take(self, datagram: bytes | None, changes: Changes) -> None:
        if datagram is None:
            self.refused += 1
            return
        seen, malformed = netlink.parse(datagram)
        self.refused += malformed
        for one in seen:
            self.links.take(one, changes)

    def _recover(self, changes: Changes) -> None:
        """Notifications were lost. Those still queued are older than a dump, and without the lost ones they lie."""
        self.overruns += 1
        for _ in range(_DATAGRAMS_IN_QUEUE):
            try:
                read_datagram(self._socket, self._buffer)
            except BlockingIOError:
                break
            except OSError:
                continue
        self.ask_everything(changes)

    def ask_everything(self, changes: Changes) -> None:
        """Compare with full dumps; differences go to `changes`. Raises KernelError."""
        self.links.replace(*self._route.dump(), changes)

    def set_receive_buffer(self, buffer: ReceiveBuffer) -> None:
        """As the configuration wants it; a socket keeps what it may have."""
        size = buffer.size_bytes or RECEIVE_BUFFER_BYTES
        force_receive_buffer(self._socket, size, beyond_limit=buffer.beyond_limit or not buffer.size_bytes)

    def close(self) -> None:
        """Give the descriptor back; the loop must have forgotten it before."""
        self._socket.close()


def say_addresses(links: Links, changes: Changes, logger: FilteringBoundLogger) -> None:
    """A line for each address that came or went (`-a`, CLI-20)."""
    for name, address in sorted(changes.addresses):
        interface = links.by_name.get(name)
        is_there = interface is not None and interface.has_address(address)
        logger.info("address_came" if is_there else "address_went", interface=name, address=address)

"""Virtual addresses on and off their interfaces, all of one transition in one batch. Decides nothing."""

from __future__ import annotations

import errno
import zlib
from collections.abc import Callable, Iterable, Sequence

from pyhad.common.config.model import VirtualAddress
from pyhad.common.records import dataclass, field
from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.links import Links
from pyhad.vrrp_proc.kernel.netlink import AddressRequest
from pyhad.vrrp_proc.kernel.paths import PathOutcome, Paths
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket

Messages = Sequence[tuple[int, bytes]]
"""(sequence, message) pairs."""
_MARKS = range(128, 256)
"""Of daemons with a name."""
_NOT_THERE = (errno.EADDRNOTAVAIL, errno.ENODEV, errno.ESRCH)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one batch. `failed` has the errno of each that the kernel refused."""

    done: tuple[VirtualAddress, ...]
    already: tuple[VirtualAddress, ...]
    """Was there before an installation, was not there at a removal: no error (NET-11)."""
    failed: tuple[tuple[VirtualAddress, int], ...]
    others: dict[int, int] = field(default_factory=dict)
    """The kernel's answers to messages that went along, by sequence."""
    paths: PathOutcome = field(default_factory=PathOutcome)
    """What came of routes and rules that went along."""


class Addresses:
    """Installs and removes by rtnetlink; interface names are looked up in `links` at the moment of the order.

    What it installs carries `mark` (see `address_mark_of`).
    """

    def __init__(self, route: RouteSocket, links: Links, mark: int = netlink.PROTOCOL_VRRP) -> None:
        self._route = route
        self._links = links
        self._mark = mark

    def install(self, addresses: Iterable[VirtualAddress], after: Messages = ()) -> Outcome:
        """Put all on their interfaces, then send `after`. One whose interface is missing has failed with ENODEV."""
        return self._batch(addresses, netlink.encode_add, (errno.EEXIST,), missing_is_done=False, after=after)

    def remove(self, addresses: Iterable[VirtualAddress], before: Messages = (), after: Messages = ()) -> Outcome:
        """Take all off, between `before` and `after`. One whose interface is missing is off already."""
        remove = netlink.encode_remove
        return self._batch(addresses, remove, _NOT_THERE, missing_is_done=True, before=before, after=after)

    def paths(self) -> Paths:
        """Routes and rules by the same socket, so that they can go along."""
        return Paths(self._route, self._links)

    def is_marked(self, address: VirtualAddress) -> bool:
        """Whether the address that is on the interface carries our mark: some run of pyhad put it there."""
        interface = self._links.by_name.get(address.interface)
        seen = interface.addresses.get((address.address, address.prefix_len)) if interface else None
        return seen is not None and seen.protocol == self._mark

    def marked(self) -> list[VirtualAddress]:
        """All addresses of the machine that carry our mark."""
        return [
            VirtualAddress(address=seen.address, prefix_len=seen.prefix_len, interface=interface.name)
            for interface in self._links.by_index.values()
            for seen in interface.addresses.values()
            if seen.protocol == self._mark
        ]

    def _batch(
        self,
        addresses: Iterable[VirtualAddress],
        encode: Callable[[AddressRequest, int], bytes],
        harmless: tuple[int, ...],
        *,
        missing_is_done: bool,
        before: Messages = (),
        after: Messages = (),
    ) -> Outcome:
        find = self._links.once_named if missing_is_done else self._links.by_name.get
        done: list[VirtualAddress] = []
        already: list[VirtualAddress] = []
        failed: list[tuple[VirtualAddress, int]] = []
        asked: dict[int, VirtualAddress] = {}
        messages: list[tuple[int, bytes]] = []
        for address in addresses:
            interface = find(address.interface)
            if interface is not None:
                sequence = self._route.next_sequence()
                asked[sequence] = address
                messages.append((sequence, encode(request_of(address, interface.index, self._mark), sequence)))
            elif missing_is_done:
                already.append(address)
            else:
                failed.append((address, errno.ENODEV))
        others: dict[int, int] = {}
        for sequence, number in self._route.order([*before, *messages, *after]).items():
            if sequence not in asked:
                others[sequence] = number
            elif number == 0:
                done.append(asked[sequence])
            elif number in harmless:
                already.append(asked[sequence])
            else:
                failed.append((asked[sequence], number))
        return Outcome(tuple(done), tuple(already), tuple(failed), others)


def address_mark_of(daemon: str) -> int:
    """The mark on addresses of the daemon of that name (`instance`), or of the one without.

    Several in one network namespace must not take each other's addresses for left over. Two names in 128 share one.
    """
    return _MARKS[zlib.crc32(daemon.encode()) % len(_MARKS)] if daemon else netlink.PROTOCOL_VRRP


def request_of(address: VirtualAddress, index: int, mark: int = netlink.PROTOCOL_VRRP) -> AddressRequest:
    """The order for that address on the interface with that number."""
    return AddressRequest(
        index,
        address.address,
        address.prefix_len,
        address.scope,
        address.label,
        address.broadcast,
        address.preferred_lft_s,
        peer=address.peer,
        flags=address.flags,
        detects_duplicates=address.detects_duplicates,
        protocol=mark,
    )

"""Virtual addresses on and off their interfaces, all of one transition in one batch. Decides nothing."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyhad.common.config.model import VirtualAddress
from pyhad.vrrp_proc import netlink
from pyhad.vrrp_proc.links import Links
from pyhad.vrrp_proc.netlink import AddressRequest
from pyhad.vrrp_proc.route_socket import RouteSocket

_NOT_THERE = (errno.EADDRNOTAVAIL, errno.ENODEV, errno.ESRCH)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one batch. `failed` has the errno of each that the kernel refused."""

    done: tuple[VirtualAddress, ...]
    already: tuple[VirtualAddress, ...]
    """Was there before an installation, was not there at a removal: no error (NET-11)."""
    failed: tuple[tuple[VirtualAddress, int], ...]


class Addresses:
    """Installs and removes by rtnetlink; interface names are looked up in `links` at the moment of the order."""

    def __init__(self, route: RouteSocket, links: Links) -> None:
        self._route = route
        self._links = links

    def install(self, addresses: Iterable[VirtualAddress]) -> Outcome:
        """Put all on their interfaces. One whose interface is missing has failed with ENODEV."""
        return self._batch(addresses, netlink.encode_add, (errno.EEXIST,), missing_is_done=False)

    def remove(self, addresses: Iterable[VirtualAddress]) -> Outcome:
        """Take all off. One whose interface is missing is off already."""
        return self._batch(addresses, netlink.encode_remove, _NOT_THERE, missing_is_done=True)

    def is_marked(self, address: VirtualAddress) -> bool:
        """Whether the address that is on the interface carries our mark: some run of pyhad put it there."""
        interface = self._links.by_name.get(address.interface)
        seen = interface.addresses.get((address.address, address.prefix_len)) if interface else None
        return seen is not None and seen.protocol == netlink.PROTOCOL_VRRP

    def marked(self) -> list[VirtualAddress]:
        """All addresses of the machine that carry our mark."""
        return [
            VirtualAddress(address=seen.address, prefix_len=seen.prefix_len, interface=interface.name)
            for interface in self._links.by_index.values()
            for seen in interface.addresses.values()
            if seen.protocol == netlink.PROTOCOL_VRRP
        ]

    def _batch(
        self,
        addresses: Iterable[VirtualAddress],
        encode: Callable[[AddressRequest, int], bytes],
        harmless: tuple[int, ...],
        *,
        missing_is_done: bool,
    ) -> Outcome:
        done: list[VirtualAddress] = []
        already: list[VirtualAddress] = []
        failed: list[tuple[VirtualAddress, int]] = []
        asked: dict[int, VirtualAddress] = {}
        messages: list[tuple[int, bytes]] = []
        for address in addresses:
            interface = self._links.by_name.get(address.interface)
            if interface is not None:
                sequence = self._route.next_sequence()
                asked[sequence] = address
                messages.append((sequence, encode(_request(address, interface.index), sequence)))
            elif missing_is_done:
                already.append(address)
            else:
                failed.append((address, errno.ENODEV))
        for sequence, number in self._route.order(messages).items():
            if number == 0:
                done.append(asked[sequence])
            elif number in harmless:
                already.append(asked[sequence])
            else:
                failed.append((asked[sequence], number))
        return Outcome(tuple(done), tuple(already), tuple(failed))


def _request(address: VirtualAddress, index: int) -> AddressRequest:
    return AddressRequest(
        index,
        address.address,
        address.prefix_len,
        address.scope,
        address.label,
        address.broadcast,
        address.preferred_lft_s,
    )

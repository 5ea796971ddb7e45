"""Gratuitous ARP and unsolicited neighbour advertisements: built once per address and MAC, sent without waiting."""

from __future__ import annotations

import collections
import errno
import socket
from collections.abc import Iterable

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.errors import KernelError
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import ChangeState
from pyhad.vrrp_proc.core.packet import build_gratuitous_arp
from pyhad.vrrp_proc.core.packet6 import build_neighbour_advertisement
from pyhad.vrrp_proc.kernel.links import Links
from pyhad.vrrp_proc.wire.mailing import Mailing, link_address

SEND_BUFFER_BYTES = 4 * 1024 * 1024
FRAMES_REMEMBERED = 8192
_SO_SNDBUFFORCE = 32
_MAC_BYTES = 6
_ETHERTYPE_IPV6 = b"\x86\xdd"
_DOWN = (RouterState.INIT, RouterState.FAULT)
_FORWARDING = "/proc/sys/net/ipv6/conf/{}/forwarding"


class Announcer:
    """Tells the segment which MAC has an address (NET-20, NET-21).

    `counters`: garp_sent, gna_sent, and of both kinds together garp_skipped, garp_dropped.
    """

    def __init__(self, links: Links, counters: collections.Counter[str]) -> None:
        self._links = links
        self._counters = counters
        self._frames: dict[tuple[bytes, str, bool], bytes] = {}
        try:  # protocol 0: it receives nothing
            self._socket = socket.socket(
                socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0
            )
        except OSError as error:
            raise KernelError("packet socket", error.errno or errno.EIO) from error
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, SEND_BUFFER_BYTES)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def announce(self, addresses: Iterable[VirtualAddress], repeat: int) -> int:
        """`repeat` rounds over all `addresses`; returns the number of frames that left.

        Left out: interfaces that are missing, without ARP (NET-27) or without an Ethernet address.
        """
        frames = [found for address in addresses if (found := self._frame(address)) is not None]
        if not frames:
            return 0
        mailing, descriptor = Mailing(frames), self._socket.fileno()
        # Buffer full, interface just gone: the next round or burst makes up for it.
        dropped = [place for _ in range(repeat) for place, _errno in mailing.send(descriptor)]
        is_ipv6 = [frame[12:14] == _ETHERTYPE_IPV6 for frame, _ in frames]
        sent = repeat * len(frames) - len(dropped)
        sent6 = repeat * sum(is_ipv6) - sum(is_ipv6[place] for place in dropped)
        if dropped:
            self._counters["garp_dropped"] += len(dropped)
        self._counters["garp_sent"] += sent - sent6
        if sent6:
            self._counters["gna_sent"] += sent6
        return sent

    def _frame(self, address: VirtualAddress) -> tuple[bytes, bytes] | None:
        """With its socket address, which says out of which interface."""
        interface = self._links.by_name.get(address.interface)
        if interface is None or not interface.has_arp or len(interface.mac) != _MAC_BYTES:
            self._counters["garp_skipped"] += 1
            return None
        is_ipv6 = ":" in address.address
        is_router = is_ipv6 and _forwards(interface.name)
        key = (interface.mac, address.address, is_router)
        if key not in self._frames:
            if len(self._frames) >= FRAMES_REMEMBERED:
                self._frames.clear()
            if is_ipv6:
                self._frames[key] = build_neighbour_advertisement(interface.mac, address.address, is_router=is_router)
            else:
                self._frames[key] = build_gratuitous_arp(interface.mac, address.address)
        return self._frames[key], link_address(interface.index)

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def own_address_to_announce(config: VrrpInstance, source: str, change: ChangeState) -> VirtualAddress | None:
    """Of a unicast router that comes up, perhaps with another MAC than its peers know (FSM-45)."""
    comes_up = change.old in _DOWN and change.new not in _DOWN
    if not (comes_up and config.unicast_peers and source and config.interface):
        return None
    return VirtualAddress(address=source, prefix_len=128 if ":" in source else 32, interface=config.interface)


def _forwards(interface: str) -> bool:
    """Whether the machine routes IPv6 there: a host that says it is a router would end in routing tables."""
    try:
        with open(_FORWARDING.format(interface), "rb") as setting:
            return setting.read(1) == b"1"
    except OSError:
        return False

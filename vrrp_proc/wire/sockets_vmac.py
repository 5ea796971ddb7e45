"""The sockets of virtual MACs: packet sockets that receive VRRP and send it, both at the link layer.

Not raw IP sockets as elsewhere, for three reasons. They hear whatever reverse-path filter the machine has, which drops
multicast on an interface without an address. They join the group without a membership report, which a virtual MAC that
is Backup must not send, or switches would look for the virtual router behind it. And they send IPv6 from an interface
that has no address. The price: the machine's packet filter does not see these adverts.

The kernel takes some 15 ms to close each packet socket, while a successor waits to be started: so only a few virtual
MACs have one of their own, and more share one that is bound to no interface.
"""

from __future__ import annotations

import collections
import ctypes
import errno
import socket
import struct
from collections.abc import Callable, Iterable

from pyhad.common.errors import KernelError
from pyhad.common.loop import Loop
from pyhad.common.packet_filter import attach
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core import frames
from pyhad.vrrp_proc.wire.filters import filter_frames
from pyhad.vrrp_proc.wire.intake import BESIDE_BYTES, INTAKE_WITH_HEADS, NAME_BYTES
from pyhad.vrrp_proc.wire.mailing import Mailing, link_address
from pyhad.vrrp_proc.wire.sockets import PRIORITY_CONTROL, set_receive_buffer

MOST_OF_THEIR_OWN = 4
_ETHERTYPE = {4: 0x0800, 6: 0x86DD}
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP, _PACKET_DROP_MEMBERSHIP = 1, 2
_PACKET_MR_MULTICAST = 0
_MEMBERSHIP = struct.Struct("=iHH8s")
_INDEX = struct.Struct("=i")
_INDEX_AT = 4  # in struct sockaddr_ll
_libc = ctypes.CDLL(None, use_errno=True)
_MAX_MEMBERSHIPS_OF_A_SOCKET = 20  # net.ipv4.igmp_max_memberships


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Line:
    """What one port hears: VRRP of `vrids` on one interface. Without `groups` only frames from its very own MAC."""

    name: str
    index: int
    groups: frozenset[str]
    vrids: frozenset[int]
    sealed: frozenset[int]
    """Those of `vrids` whose messages have an authentication header."""
    repeats: Callable[[bytes], bool]
    """Takes in a packet that it has seen before, IP header first; False: it has not."""
    take: Callable[[bytes], None]
    """Gets each packet that is well formed."""


class VmacSockets:
    """Those of one family, for all ports that speak with a virtual MAC."""

    is_at_link = True

    def __init__(self, family: int, loop: Loop, counters: collections.Counter[str]) -> None:
        self._counters = counters
        self._family = family
        self._loop = loop
        self.packets = 0
        """How many were handed on."""
        self._lines: dict[str, Line] = {}
        self._by_index: dict[int, Line] = {}
        self._own: dict[str, socket.socket] = {}
        self._shared: socket.socket | None = None
        self._filter = b""
        self._will_share = False

    def expect(self, lines: int) -> None:
        """So many will be there after this round: many share from the first on, so that no socket has to be closed."""
        self._will_share = lines > MOST_OF_THEIR_OWN

    def add(self, line: Line) -> None:
        """Begin to hear, at the latest with the next `settle`. Raises KernelError."""
        before = self._lines.get(line.name)
        lines = {**self._lines, line.name: line}
        if self._shared is None and len(lines) <= MOST_OF_THEIR_OWN and not self._will_share:
            fresh, former = self._open([line], line.name), self._own.get(line.name)
            if former is not None:  # after the new one is there, so that nothing is missed between
                self._shut(former)
            self._own[line.name] = fresh
        elif self._shared is None:
            self._shared, self._filter = self._open(list(lines.values()), ""), b""  # the former one had another
            for sock in self._own.values():
                self._shut(sock)
            self._own.clear()
        else:
            _join(self._shared, line, _PACKET_ADD_MEMBERSHIP)
            if before is not None:
                _join(self._shared, before, _PACKET_DROP_MEMBERSHIP)
        self._lines = lines
        if before is not None:
            self._forget_index(before)
        self._by_index[line.index] = line

    def remove(self, line: Line) -> None:
        """Hear it no more; another one of that interface stays."""
        if self._lines.get(line.name) is not line:
            return
        del self._lines[line.name]
        self._forget_index(line)
        own = self._own.pop(line.name, None)
        if own is not None:
            self._shut(own)
        elif self._shared is not None and not self._lines:
            self._shut(self._shared)
            self._shared = None
        elif self._shared is not None:
            _join(self._shared, line, _PACKET_DROP_MEMBERSHIP)

    def _forget_index(self, line: Line) -> None:
        if self._by_index.get(line.index) is line:
            del self._by_index[line.index]

    def send(self, line: Line, packet: bytes | bytearray, destination: str) -> int:
        """0, or the errno: interface down, buffer full. Never raises, never waits. `destination` is a group."""
        refused = self.send_all(Mailing([(packet, self.envelope(line, destination))], at_link=True))
        return refused[0][1] if refused else 0

    def envelope(self, line: Line, destination: str) -> bytes:
        """The socket address of a packet to a group by that line."""
        return link_address(line.index, _ETHERTYPE[self._family], frames.group_mac(destination))

    def send_all(self, mailing: Mailing) -> list[tuple[int, int]]:
        """(place, errno) of each packet that could not be sent. Any packet socket sends out of any interface."""
        sock = self._shared or next(iter(self._own.values()), None)
        if sock is None:
            return [(place, errno.ENODEV) for place in range(len(mailing.places))]
        return mailing.send(sock.fileno())

    def read(self, line: Line) -> int:
        """Take in what waits for `line`, and what waits before it; how many came, as `Receiver.read`."""
        sock = self._own.get(line.name, self._shared)
        return 0 if sock is None else self._read(sock)

    def _read(self, sock: socket.socket) -> int:
        """At most `PACKETS_AT_ONCE`; the rest comes in the next turn."""
        try:
            found = INTAKE_WITH_HEADS.receive(sock.fileno())
        except OSError:  # ENETDOWN when the interface goes down: netlink tells the rest
            self._counters["receive_errors"] += 1
            return 0
        for one in found:
            line = self._by_index.get(_INDEX.unpack_from(one, BESIDE_BYTES + _INDEX_AT)[0])
            if line is None:
                continue
            self.packets += 1
            frame = frames.trimmed(one[BESIDE_BYTES + NAME_BYTES :])
            if not line.repeats(frame):
                self._take_in(line, frame)
            if sock.fileno() < 0:  # closed by what the packet made happen
                break
        return len(found)

    def _take_in(self, line: Line, frame: bytes) -> None:
        packet = frames.received(frame)
        if packet is None:
            self._counters["receive_errors"] += 1
        else:
            line.take(packet)

    def settle(self) -> None:
        """After all changes of one round: one filter for all of them."""
        if self._shared is not None:
            wanted = _filter_of(self._family, self._lines.values())
            if wanted != self._filter:
                attach(self._shared, wanted)
                self._filter = wanted

    def _open(self, lines: list[Line], name: str) -> socket.socket:
        sock = packet_socket()
        try:
            attach(sock, _filter_of(self._family, lines))  # first, so that nothing else can be queued
            set_receive_buffer(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
            for line in lines:
                _join(sock, line, _PACKET_ADD_MEMBERSHIP)
            if name:
                sock.bind((name, _ETHERTYPE[self._family]))
            else:
                _bind_to_all(sock, _ETHERTYPE[self._family])
        except OSError as error:
            sock.close()
            raise KernelError(f"packet socket on {name or 'all'}", error.errno or errno.EIO) from error
        self._loop.watch(sock.fileno(), lambda _events: self._read(sock))
        return sock

    def _shut(self, sock: socket.socket) -> None:
        self._loop.unwatch(sock.fileno())
        sock.close()


def packet_socket() -> socket.socket:
    """One that receives nothing yet. Raises KernelError."""
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
    except OSError as error:
        raise KernelError("packet socket", error.errno or errno.EIO) from error


def _bind_to_all(sock: socket.socket, ethertype: int) -> None:
    """`socket.bind` wants the name of an interface."""
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(ethertype), 0, 0, 0, 0, b"")
    if _libc.bind(sock.fileno(), address, len(address)) != 0:
        raise OSError(ctypes.get_errno(), "bind")


def send_once(name: str, family: int, packet: bytes | bytearray, destination: str) -> int:
    """Send one packet from a virtual MAC without hearing anything. 0 or an errno."""
    sock = packet_socket()
    try:
        sock.sendto(frames.to_send(packet), (name, _ETHERTYPE[family], 0, 0, frames.group_mac(destination)))
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        sock.close()
    return 0


def _filter_of(family: int, lines: Iterable[Line]) -> bytes:
    several = list(lines)
    sealed = {vrid for line in several for vrid in line.sealed}
    return filter_frames(family, {(line.index, vrid) for line in several for vrid in line.vrids}, sealed)


def _join(sock: socket.socket, line: Line, option: int) -> None:
    """Enter or leave the groups at the link layer. The kernel forgets those of an interface that is gone."""
    for group in sorted(line.groups):
        membership = _MEMBERSHIP.pack(line.index, _PACKET_MR_MULTICAST, 6, frames.group_mac(group))
        try:
            sock.setsockopt(_SOL_PACKET, option, membership)
        except OSError as error:
            if option == _PACKET_ADD_MEMBERSHIP:
                raise KernelError(f"multicast on {line.name}", error.errno or errno.EIO) from error


class Memberships:
    """Multicast groups that the bases of virtual MACs are in, so that switches which listen to reports send them here.

    One socket per base and family; nothing is ever read from it.
    """

    def __init__(self) -> None:
        self._sockets: dict[tuple[int, int], tuple[frozenset[str], socket.socket]] = {}

    def fit(self, wanted: Iterable[tuple[int, int, str]]) -> None:
        """`wanted`: (index of the base, family, group). What cannot be joined is left out: most switches do not ask."""
        groups: dict[tuple[int, int], frozenset[str]] = {}
        for index, family, group in wanted:
            groups[index, family] = groups.get((index, family), frozenset()) | {group}
        for key in [key for key, (joined, _) in self._sockets.items() if groups.get(key) != joined]:
            self._sockets.pop(key)[1].close()
        for key, several in groups.items():
            if key not in self._sockets:
                self._sockets[key] = several, _joined(*key, several)

    def close(self) -> None:
        """Leave all."""
        self.fit(())


def _joined(index: int, family: int, groups: frozenset[str]) -> socket.socket:
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind)
    for group in sorted(groups)[:_MAX_MEMBERSHIPS_OF_A_SOCKET]:
        try:
            if family == 4:
                request = socket.inet_aton(group) + bytes(4) + struct.pack("=i", index)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            else:
                request = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        except OSError:
            continue
    return sock

"""Raw sockets of VRRP over IPv6: per interface one that receives, filtered in the kernel, and one that sends.

As sockets.py for IPv4, with two differences. What is sent has its IPv6 header from us. A raw IPv6 socket receives no
header: it is put together again from what the kernel says beside the payload (RFC 3542), so that the core sees packets.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable, Iterator

from pyhad.common.errors import KernelError
from pyhad.common.packet_filter import attach
from pyhad.vrrp_proc.core.packet import PROTOCOL_VRRP
from pyhad.vrrp_proc.core.packet6 import with_header
from pyhad.vrrp_proc.wire.filters import filter_nothing, filter_vrids6
from pyhad.vrrp_proc.wire.intake import BESIDE_BYTES, INTAKE_WITH_HEADS, NAME_BYTES
from pyhad.vrrp_proc.wire.mailing import Mailing
from pyhad.vrrp_proc.wire.sockets import IPPROTO_RAW, PRIORITY_CONTROL, bind_to, raw_socket, set_receive_buffer

_IPV6_MULTICAST_ALL = 29
_IPV6_HDRINCL = 36
_HOP_LIMIT = struct.Struct("=i")
_CMSG = struct.Struct("@Nii")
_SOURCE_AT = 8  # in struct sockaddr_in6
_REMEMBERED = 1024
_REMEMBERED_BYTES = 1 << 20


class Sender6:
    """Sends whole IPv6 packets out of one interface; the kernel does not loop them back."""

    is_at_link = False

    def __init__(self, interface: str, index: int) -> None:
        self._socket = raw_socket(IPPROTO_RAW, socket.AF_INET6)
        try:
            attach(self._socket, filter_nothing())
            bind_to(self._socket, interface)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_HDRINCL, 1)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        except OSError as error:
            self._socket.close()
            raise KernelError(f"IPv6 sending socket on {interface}", error.errno or errno.EIO) from error

    def send(self, packet: bytes | bytearray, destination: str) -> int:
        """0, or the errno: interface down, no route, buffer full. Never raises, never waits."""
        try:
            self._socket.sendto(packet, (destination, 0))
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def send_all(self, mailing: Mailing) -> list[tuple[int, int]]:
        """(place, errno) of each packet that could not be sent."""
        return mailing.send(self._socket.fileno())

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


class Receiver6:
    """Receives VRRP of the wanted VRIDs on one interface. `take(packet)` gets each, IPv6 header first.

    The loop must forget `fileno()` before `close()`.
    """

    def __init__(
        self, interface: str, index: int, groups: Iterable[str], vrids: Iterable[int], take: Callable[[bytes], None]
    ) -> None:
        self.errors = 0
        self.packets = 0
        """How many were handed on."""
        self._take = take
        self._whole = KnownPackets()
        self._socket = raw_socket(PROTOCOL_VRRP, socket.AF_INET6)
        try:
            attach(self._socket, filter_vrids6(vrids))  # first, so that nothing else can be queued
            bind_to(self._socket, interface)
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            set_receive_buffer(self._socket)
            for group in sorted(set(groups)):
                membership = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index)
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
        except OSError as error:
            self._socket.close()
            raise KernelError(f"IPv6 receiving socket on {interface}", error.errno or errno.EIO) from error

    def fileno(self) -> int:
        """For the loop: readable when packets wait."""
        return self._socket.fileno()

    def read(self, _events: int = 0) -> int:
        """Hand on what waits, at most `PACKETS_AT_ONCE`; the rest comes in the next turn. How many waited."""
        try:
            found = INTAKE_WITH_HEADS.receive(self._socket.fileno())
        except OSError:  # ENETDOWN when the interface goes down: netlink tells the rest
            self.errors += 1
            return 0
        for one in found:
            packet = self._whole.of(one)
            if packet is None:
                self.errors += 1
                continue
            self.packets += 1
            self._take(packet)
            if self._socket.fileno() < 0:  # closed by what the packet made happen
                break
        return len(found)

    def close(self) -> None:
        """Leave the groups and give the descriptor back."""
        self._socket.close()


class KnownPackets:
    """Packets as the socket gives them and whole: the same come again and again.

    Nobody has looked at them yet: whoever fills this with long ones of his own gets no more memory than honest peers.
    """

    def __init__(self) -> None:
        self.held_bytes = 0
        self._known: dict[bytes, bytes] = {}

    def of(self, found: bytes) -> bytes | None:
        """See `whole`."""
        return self._known.get(found) or self._put_together(found)

    def _put_together(self, found: bytes) -> bytes | None:
        packet = whole(found)
        if packet is not None:
            size = len(found) + len(packet)
            if len(self._known) >= _REMEMBERED or self.held_bytes + size > _REMEMBERED_BYTES:
                self._known.clear()
                self.held_bytes = 0
            self._known[found] = packet
            self.held_bytes += size
        return packet


def whole(found: bytes) -> bytes | None:
    """The packet with its header, of what `IntakeWithHeads.receive` gave; None when the kernel did not say where it
    went or how far it came."""
    hop_limit, destination = -1, b""
    for level, kind, value in _beside(found[:BESIDE_BYTES]):
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_HOPLIMIT:
            hop_limit = _HOP_LIMIT.unpack_from(value)[0]
        elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            destination = value[:16]
    if not 0 <= hop_limit <= 255 or len(destination) != 16:
        return None
    source = found[BESIDE_BYTES + _SOURCE_AT :][:16]
    payload = found[BESIDE_BYTES + NAME_BYTES :]
    return with_header(payload, source=source, destination=destination, hop_limit=hop_limit)


def _beside(control: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(level, kind, content) of each message of the kernel's (cmsg(3))."""
    at = 0
    while at + _CMSG.size <= len(control):
        length, level, kind = _CMSG.unpack_from(control, at)
        if length < _CMSG.size:
            return
        yield level, kind, control[at + _CMSG.size : at + length]
        at += -(-length // 8) * 8

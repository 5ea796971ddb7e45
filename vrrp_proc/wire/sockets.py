"""Raw sockets of VRRP over IPv4: per interface one that receives, filtered in the kernel, and one that sends.

Nothing here waits or raises for what the network does: errors of sending are returned as errno, what was received is
handed on as bytes. One receiving socket for all virtual routers of an interface (and one more for those with an
authentication header): one each is ruinous, because the kernel would run every socket's filter for every packet.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable

from pyhad.common.errors import KernelError
from pyhad.common.packet_filter import attach
from pyhad.vrrp_proc.core.ah import HEADER_BYTES as AH_BYTES, PROTOCOL_AH
from pyhad.vrrp_proc.core.packet import PROTOCOL_VRRP
from pyhad.vrrp_proc.wire.filters import filter_nothing, filter_vrids
from pyhad.vrrp_proc.wire.intake import INTAKE
from pyhad.vrrp_proc.wire.mailing import Mailing

RECEIVE_BUFFER_BYTES = 1024 * 1024

_SO_RCVBUFFORCE = 33
_IP_MULTICAST_ALL = 49
IPPROTO_RAW = 255
PRIORITY_CONTROL = 7  # TC_PRIO_CONTROL: ahead of the traffic that a queue holds


class Sender:
    """Sends whole IPv4 packets out of one interface to a multicast group; the kernel does not loop them back."""

    is_at_link = False

    def __init__(self, interface: str, index: int) -> None:
        self._socket = raw_socket(IPPROTO_RAW)
        try:
            attach(self._socket, filter_nothing())
            bind_to(self._socket, interface)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, _mreqn(bytes(4), index))
        except OSError as error:
            self._socket.close()
            raise KernelError(f"sending socket on {interface}", error.errno or errno.EIO) from error

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


class Receiver:
    """Receives VRRP of the wanted VRIDs on one interface, sent to `groups` or by unicast.

    `take(packet)` gets each, IP header first. The loop must forget `fileno()` before `close()`.
    """

    def __init__(
        self,
        interface: str,
        index: int,
        groups: Iterable[str],
        vrids: Iterable[int],
        take: Callable[[bytes], None],
        *,
        sealed: bool = False,
    ) -> None:
        self.errors = 0
        self.packets = 0
        """How many were handed on."""
        self._take = take
        self._socket = raw_socket(PROTOCOL_AH if sealed else PROTOCOL_VRRP)
        try:
            attach(
                self._socket, filter_vrids(vrids, AH_BYTES if sealed else 0)
            )  # first, so that nothing else can be queued
            bind_to(self._socket, interface)
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            set_receive_buffer(self._socket)
            for group in sorted(set(groups)):
                self._socket.setsockopt(
                    socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, _mreqn(socket.inet_aton(group), index)
                )
        except OSError as error:
            self._socket.close()
            raise KernelError(f"receiving socket on {interface}", error.errno or errno.EIO) from error

    def fileno(self) -> int:
        """For the loop: readable when packets wait."""
        return self._socket.fileno()

    def read(self, _events: int = 0) -> int:
        """Hand on what waits, at most `PACKETS_AT_ONCE`; the rest comes in the next turn. How many waited."""
        try:
            packets = INTAKE.receive(self._socket.fileno())
        except OSError:  # ENETDOWN when the interface goes down: netlink tells the rest
            self.errors += 1
            return 0
        for packet in packets:
            self.packets += 1
            self._take(packet)
            if self._socket.fileno() < 0:  # closed by what the packet made happen
                break
        return len(packets)

    def close(self) -> None:
        """Leave the groups and give the descriptor back."""
        self._socket.close()


def raw_socket(protocol: int, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A raw socket that never waits. Raises KernelError."""
    try:
        return socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    except OSError as error:
        raise KernelError("raw socket", error.errno or errno.EIO) from error


def bind_to(sock: socket.socket, interface: str) -> None:
    """To one device; with "" the socket stays free of all, for unicast without an interface."""
    if interface:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")


def set_receive_buffer(sock: socket.socket) -> None:
    """As large as we want it, or as large as we may."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


def _mreqn(group: bytes, index: int) -> bytes:
    return group + bytes(4) + struct.pack("=i", index)

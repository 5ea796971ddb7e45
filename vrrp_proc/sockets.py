"""Raw sockets of VRRP over IPv4: per interface one that receives, filtered in the kernel, and one that sends.

Nothing here waits or raises for what the network does: errors of sending are returned as errno, what was received is
handed on as bytes. One receiving socket for all virtual routers of an interface (and one more for those with an
authentication header): one each is ruinous, because the kernel would run every socket's filter for every packet.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Callable, Iterable

from pyhad.common.errors import KernelError
from pyhad.vrrp_proc.core.ah import HEADER_BYTES as AH_BYTES, PROTOCOL_AH
from pyhad.vrrp_proc.core.packet import PROTOCOL_VRRP
from pyhad.vrrp_proc.intake import INTAKE
from pyhad.vrrp_proc.mailing import Mailing

RECEIVE_BUFFER_BYTES = 1024 * 1024

_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_IP_MULTICAST_ALL = 49
IPPROTO_RAW = 255
PRIORITY_CONTROL = 7  # TC_PRIO_CONTROL: ahead of the traffic that a queue holds

_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_HEADER_LENGTH = (0xB1, 0, 0, 0)  # X = 4 * (first byte & 15): bytes of the IPv4 header
_LOAD_LENGTH = (0x80, 0, 0, 0)  # A = bytes in the packet
_SUBTRACT_X = (0x1C, 0, 0, 0)
_ZERO_X = (0x01, 0, 0, 0)
_LOAD_BYTE_AT_X = (0x50, 0, 0)  # A = byte at X + k
_JUMP_IF_AT_LEAST = 0x35
_JUMP_IF_EQUAL = 0x15
_ACCEPT = (0x06, 0, 0, 0xFFFFFFFF)
_DROP = (0x06, 0, 0, 0)
_X_IS_IPV6_HEADER = (0x01, 0, 0, 40)
_LOAD_BYTE = (0x30, 0, 0)  # A = byte at k
_JUMP = 0x05
_JUMP_MOST = 255  # of a conditional one
_X_IS_A = (0x07, 0, 0, 0)
_LOAD_INTERFACE = (0x20, 0, 0, 0xFFFFF008)  # SKF_AD_OFF + SKF_AD_IFINDEX
_SHIFT_8 = (0x64, 0, 0, 8)
_OR_X = (0x4C, 0, 0, 0)
_MOST_PAIRS = 3500
"""The kernel takes 4096 instructions; of more, VRIDs alone are looked at."""


def filter_vrids(vrids: Iterable[int], skip: int = 0) -> bytes:
    """Classic BPF for a raw IPv4 socket: packets of these VRIDs, and those too short to have one (they are counted).

    `skip` bytes stand between the IPv4 header and the message. Foreign virtual routers on the same segment then cost
    nothing (PKT-20).
    """
    return _filter([_LOAD_HEADER_LENGTH, _LOAD_LENGTH, _SUBTRACT_X], vrids, skip)


def filter_vrids6(vrids: Iterable[int]) -> bytes:
    """The same for a raw IPv6 socket, where the filter sees the payload only."""
    return _filter([_ZERO_X, _LOAD_LENGTH], vrids)


def filter_frames(family: int, wanted: Iterable[tuple[int, int]], sealed: Iterable[int]) -> bytes:
    """The same for a packet socket, which is given every packet of its family that comes by any interface.

    `wanted`: (interface index, VRID). A multicast packet comes by each virtual MAC of its segment once, and only one of
    those is meant. `sealed` have an IPv4 AH header and are told apart by their VRID alone.
    """
    start = [_LOAD_HEADER_LENGTH if family == 4 else _X_IS_IPV6_HEADER, _LOAD_LENGTH, _SUBTRACT_X]
    pairs = sorted(set(wanted))
    if len(pairs) <= _MOST_PAIRS:
        plain = _instructions_by_pair(start, pairs)
    else:
        plain = _instructions(start, {vrid for _, vrid in pairs})
    behind_ah = _instructions(start, sealed, AH_BYTES)
    program = [(*_LOAD_BYTE, 9 if family == 4 else 6), (_JUMP_IF_EQUAL, 1, 0, PROTOCOL_VRRP)]
    program += [(_JUMP, 0, 0, len(plain)), *plain, (_JUMP_IF_EQUAL, 1, 0, PROTOCOL_AH), _DROP, *behind_ah]
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)


def _filter(start: list[tuple[int, int, int, int]], vrids: Iterable[int], skip: int = 0) -> bytes:
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in _instructions(start, vrids, skip))


def _instructions(
    start: list[tuple[int, int, int, int]], vrids: Iterable[int], skip: int = 0
) -> list[tuple[int, int, int, int]]:
    """`start` leaves the bytes of the message in A, and where it begins in X."""
    wanted = sorted(set(vrids))
    program = [*start, (_JUMP_IF_AT_LEAST, 1, 0, skip + 2), _ACCEPT, (*_LOAD_BYTE_AT_X, skip + 1)]
    # Each comparison jumps to the last instruction, over those after it and the drop.
    program += [(_JUMP_IF_EQUAL, len(wanted) - place, 0, vrid) for place, vrid in enumerate(wanted)]
    return [*program, _DROP, _ACCEPT]


def _instructions_by_pair(
    start: list[tuple[int, int, int, int]], pairs: list[tuple[int, int]]
) -> list[tuple[int, int, int, int]]:
    """`start` as above. Interface index and VRID make one number, so that each pair costs one instruction."""
    program = [*start, (_JUMP_IF_AT_LEAST, 1, 0, 2), _ACCEPT, (*_LOAD_BYTE_AT_X, 1), _X_IS_A]
    program += [_LOAD_INTERFACE, _SHIFT_8, _OR_X]
    for first in range(0, len(pairs), _JUMP_MOST):
        group = pairs[first : first + _JUMP_MOST]
        program += [
            (_JUMP_IF_EQUAL, len(group) - place, 0, index << 8 | vrid) for place, (index, vrid) in enumerate(group)
        ]
        program += [(_JUMP, 0, 0, 1), _ACCEPT]
    return [*program, _DROP]


def filter_nothing() -> bytes:
    """Classic BPF that accepts no packet: for sockets that only send."""
    return _INSTRUCTION.pack(*_DROP)


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


def attach(sock: socket.socket, program: bytes) -> None:
    """Filter what the socket receives by a classic BPF program."""
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


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

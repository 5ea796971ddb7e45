"""Many packets out of one socket with one system call: `sendmmsg`, its structures made once and used each time.

Nothing here waits or raises for what the network does: errors are returned with the place of the packet.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable, Sequence

_IDENTIFICATION = struct.Struct("!H")
_IPV6 = 0x60  # as first byte
_AT_ONCE = 1024  # UIO_MAXIOV: the kernel takes no more
_libc = ctypes.CDLL(None, use_errno=True)
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


class _IoVector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Head(ctypes.Structure):  # struct msghdr
    _fields_ = [
        ("name", ctypes.c_void_p), ("name_bytes", ctypes.c_uint),
        ("vectors", ctypes.c_void_p), ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_bytes", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]  # fmt: skip


class _Message(ctypes.Structure):  # struct mmsghdr
    _fields_ = [("head", _Head), ("sent", ctypes.c_uint)]


class Mailing:
    """The same packets to the same destinations, again and again; only the identification of IPv4 ones changes."""

    def __init__(self, packets: Sequence[tuple[bytes | bytearray, str]]) -> None:
        """Each packet is copied."""
        self._destinations = [destination for _, destination in packets]
        self.content = bytearray(b"".join(packet for packet, _ in packets))
        """All packets, one after the other."""
        self.places: list[int] = []
        """Where each begins."""
        self._names = [_socket_address(destination) for _, destination in packets]
        self._vectors = (_IoVector * len(packets))()
        self._messages = (_Message * len(packets))()
        self._whole = (ctypes.c_char * len(self.content)).from_buffer(self.content)  # keeps it where it is
        start, at = ctypes.addressof(self._whole), 0
        for place, ((packet, _), name) in enumerate(zip(packets, self._names, strict=True)):
            self.places.append(at)
            self._vectors[place].base, self._vectors[place].length = start + at, len(packet)
            head = self._messages[place].head
            head.name, head.name_bytes = ctypes.addressof(name), len(name)
            head.vectors, head.vector_count = ctypes.addressof(self._vectors[place]), 1
            at += len(packet)
        self._count = len(packets)
        self._start = ctypes.addressof(self._messages)

    def packets(self) -> list[bytes]:
        """As they would be sent now."""
        ends = [*self.places[1:], len(self.content)]
        return [bytes(self.content[at:end]) for at, end in zip(self.places, ends, strict=True)]

    def letters(self) -> list[tuple[bytes, str]]:
        """The packets with their destinations."""
        return list(zip(self.packets(), self._destinations, strict=True))

    def number(self, numbers: Iterable[int]) -> None:
        """Identify each IPv4 packet, in their order."""
        content, pack = self.content, _IDENTIFICATION.pack_into
        for at, number in zip(self.places, numbers, strict=True):
            if content[at] < _IPV6:
                pack(content, at + 4, number)

    def send(self, fd: int) -> list[tuple[int, int]]:
        """Send all; (place, errno) of each that the kernel refused."""
        refused: list[tuple[int, int]] = []
        done = 0
        while done < self._count:
            at = self._start + done * ctypes.sizeof(_Message)
            sent = _sendmmsg(fd, at, min(self._count - done, _AT_ONCE), socket.MSG_DONTWAIT)
            if sent <= 0:
                refused.append((done, ctypes.get_errno()))
                sent = 1
            done += sent
        return refused


def _socket_address(destination: str) -> ctypes.Array[ctypes.c_char]:
    if ":" in destination:
        address, _, zone = destination.partition("%")
        packed = struct.pack("=HxxI", socket.AF_INET6, 0) + socket.inet_pton(socket.AF_INET6, address)
        packed += struct.pack("=I", socket.if_nametoindex(zone) if zone else 0)
    else:
        packed = struct.pack("=Hxx", socket.AF_INET) + socket.inet_aton(destination) + bytes(8)
    return ctypes.create_string_buffer(packed, len(packed))

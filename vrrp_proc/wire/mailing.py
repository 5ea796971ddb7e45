"""Many packets out of one socket with one system call: `sendmmsg`, its structures made once and used each time.

Nothing here waits or raises for what the network does: errors are returned with the place of the packet.
"""

from __future__ import annotations

import ctypes
import itertools
import socket
import struct
from collections.abc import Sequence

_WORD = struct.Struct("!H")
_IDENTIFICATION, _CHECKSUM = 4, 10  # in the IPv4 header
_IPV6 = 0x60  # as first byte
_AT_ONCE = 1024  # UIO_MAXIOV: the kernel takes no more
_libc = ctypes.CDLL(None, use_errno=True)
_sendmmsg = _libc.sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


class IoVector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Head(ctypes.Structure):  # struct msghdr
    _fields_ = [
        ("name", ctypes.c_void_p), ("name_bytes", ctypes.c_uint),
        ("vectors", ctypes.c_void_p), ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_bytes", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]  # fmt: skip


class Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [("head", _Head), ("length", ctypes.c_uint)]


class Mailing:
    """The same packets to the same destinations, again and again; only the identification of IPv4 ones changes."""

    def __init__(self, packets: Sequence[tuple[bytes | bytearray, bytes]], *, at_link: bool = False) -> None:
        """Each packet, which is copied, with its socket address. `at_link`: no IP layer of the kernel's stands between,
        so that IPv4 headers need their checksum from us."""
        self.content = bytearray(b"".join(packet for packet, _ in packets))
        """All packets, one after the other."""
        self.places: list[int] = []
        """Where each begins."""
        self._names = [ctypes.create_string_buffer(name, len(name)) for _, name in packets]
        self._vectors = (IoVector * len(packets))()
        self._messages = (Message * len(packets))()
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
        self._sums = [(at, sum_of_header(self.content, at)) for at in self._of_ipv4()] if at_link else []
        self._runs = self._runs_of_ipv4()
        self._check()

    def packets(self) -> list[bytes]:
        """As they would be sent now."""
        ends = [*self.places[1:], len(self.content)]
        return [bytes(self.content[at:end]) for at, end in zip(self.places, ends, strict=True)]

    def number(self, identification: int) -> None:
        """Identify all IPv4 packets by this one: none of them is ever put together from parts."""
        content, high, low = self.content, bytes((identification >> 8,)), bytes((identification & 0xFF,))
        for start, end, length in self._runs:
            count = (end - start) // length
            content[start + _IDENTIFICATION : end : length] = high * count
            content[start + _IDENTIFICATION + 1 : end : length] = low * count
        self._check()

    def _runs_of_ipv4(self) -> list[tuple[int, int, int]]:
        """(begin, end, length of each) of IPv4 packets of equal length that follow each other."""
        runs: list[tuple[int, int, int]] = []
        for at, end in itertools.pairwise([*self.places, len(self.content)]):
            if self.content[at] >= _IPV6:
                continue
            if runs and runs[-1][1:] == (at, end - at):
                runs[-1] = runs[-1][0], end, end - at
            else:
                runs.append((at, end, end - at))
        return runs

    def _of_ipv4(self) -> list[int]:
        return [at for at in self.places if self.content[at] < _IPV6]

    def _check(self) -> None:
        """Headers that are checked here: only the identification has become another one (RFC 1624)."""
        content, pack = self.content, _WORD.pack_into
        for at, rest in self._sums:
            total = rest + (content[at + _IDENTIFICATION] << 8) + content[at + _IDENTIFICATION + 1]
            total = (total & 0xFFFF) + (total >> 16)
            pack(content, at + _CHECKSUM, (total & 0xFFFF) + (total >> 16) ^ 0xFFFF)

    def send(self, fd: int) -> list[tuple[int, int]]:
        """Send all; (place, errno) of each that the kernel refused."""
        refused: list[tuple[int, int]] = []
        done = 0
        while done < self._count:
            at = self._start + done * ctypes.sizeof(Message)
            sent = _sendmmsg(fd, at, min(self._count - done, _AT_ONCE), socket.MSG_DONTWAIT)
            if sent <= 0:
                refused.append((done, ctypes.get_errno()))
                sent = 1
            done += sent
        return refused


def sum_of_header(packet: bytes | bytearray, at: int = 0) -> int:
    """The 16 bit words of the IPv4 header at byte `at`, added up without identification and checksum."""
    words: tuple[int, ...] = struct.unpack_from("!10H", packet, at)
    return sum(words) - words[_IDENTIFICATION // 2] - words[_CHECKSUM // 2]


def internet_address(destination: str) -> bytes:
    """The socket address of a raw IP socket: `destination` is IPv4, or IPv6 with or without its interface."""
    if ":" in destination:
        address, _, zone = destination.partition("%")
        packed = struct.pack("=HxxI", socket.AF_INET6, 0) + socket.inet_pton(socket.AF_INET6, address)
        return packed + struct.pack("=I", socket.if_nametoindex(zone) if zone else 0)
    return struct.pack("=Hxx", socket.AF_INET) + socket.inet_aton(destination) + bytes(8)


def link_address(index: int, ethertype: int = 0, mac: bytes = b"") -> bytes:
    """The socket address of a packet socket: out of interface `index`, to `mac` (6 bytes; whole frames have theirs)."""
    return struct.pack("=HHiHBB6sxx", socket.AF_PACKET, socket.htons(ethertype), index, 0, 0, len(mac), mac)

"""A kernel of dictionaries for the shell's own tests: it answers address orders with the errno the real one would."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from pyhad.vrrp_proc.kernel.links import Changes, Links
from pyhad.vrrp_proc.kernel.netlink import AddressSeen, LinkSeen

INDEX = 7


class KernelOfDictionaries:
    """Has eth0 (index 7). `there` is what is on it: (address, prefix length) -> IFA_PROTO."""

    def __init__(self) -> None:
        self.there: dict[tuple[str, int], int] = {}
        self.refuse = 0
        self.lifetimes: list[tuple[str, int, int]] = []
        self.links = Links()
        self.links.take(LinkSeen(INDEX, "eth0", 0x11043, bytes.fromhex("020000000001"), gone=False), Changes())
        self._sequence = 0

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def put(self, address: str, prefix_len: int, protocol: int = 0) -> None:
        """Somebody else puts an address there, and the picture of links hears of it."""
        self.there[address, prefix_len] = protocol
        self.links.take(AddressSeen(INDEX, address, prefix_len, 0, 0, protocol, gone=False), Changes())

    def order(self, messages: list[tuple[int, bytes]]) -> dict[int, int]:
        return {sequence: self.refuse or self._do(message) for sequence, message in messages}

    def tell(self, messages: bytes) -> int:
        """Lifetimes: remembered as (preferred, valid) by address."""
        at, refused = 0, 0
        while at < len(messages):
            (length,) = struct.unpack_from("=I", messages, at)
            message = messages[at : at + length]
            address = socket.inet_ntoa(message[28:32])
            found = message.index(struct.pack("=HH", 20, 6))  # IFA_CACHEINFO
            self.lifetimes.append((address, *struct.unpack_from("=II", message, found + 4)))
            refused += (address, message[17]) not in self.there
            at += length
        return refused

    def _do(self, message: bytes) -> int:
        (kind,) = struct.unpack_from("=H", message, 4)
        key = socket.inet_ntoa(message[28:32]), message[17]
        if kind == 20:
            if key in self.there:
                return errno.EEXIST
            self.there[key] = message[message.index(struct.pack("=HH", 5, 11)) + 4]  # IFA_PROTO
            return 0
        return 0 if self.there.pop(key, None) is not None else errno.EADDRNOTAVAIL


@pytest.fixture
def kernel() -> KernelOfDictionaries:
    """One with nothing on eth0."""
    return KernelOfDictionaries()

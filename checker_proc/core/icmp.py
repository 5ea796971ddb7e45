"""ICMP echo as bytes: requests of 128 payload bytes, and which request a reply belongs to (CHK-70). Never raises.

The 16-bit sequence is too small to tell thousands of probes apart, so an index travels in the payload, behind a
nonce of this process: replies to a predecessor on the same inherited socket are not ours.
"""

from __future__ import annotations

import struct

PAYLOAD_BYTES = 128
_HEAD = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_MARK = struct.Struct("!QQ")  # nonce, index
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_TEXT = b"pyhad is asking whether you are there. "
_FILL = (_TEXT * 4)[: PAYLOAD_BYTES - _MARK.size]


class EchoRequests:
    """Builds the echo requests of one family for one process. What does not change is added up once."""

    __slots__ = ("_constant_sum", "_family", "_identifier", "_kind", "_nonce")

    def __init__(self, family: int, identifier: int, nonce: int) -> None:
        self._family = family
        self._kind = _REQUEST[family]
        self._identifier = identifier
        self._nonce = nonce
        constant = _HEAD.pack(self._kind, 0, 0, identifier, 0) + _MARK.pack(nonce, 0) + _FILL
        self._constant_sum = word_sum(constant)

    def build(self, index: int) -> bytes:
        """Request number `index`, for IPv4 with its checksum (for IPv6 the kernel adds it)."""
        mark = _MARK.pack(self._nonce, index)
        told = 0
        if self._family == 4:
            told = fold(self._constant_sum + (index & 0xFFFF) + word_sum(mark[8:]))
        return _HEAD.pack(self._kind, 0, told, self._identifier, index & 0xFFFF) + mark + _FILL


def reply_index(family: int, packet: bytes, nonce: int) -> int | None:
    """Index of the request that this echo reply answers; None when it is not one of ours.

    A raw IPv4 socket gives the IP header too, a datagram or IPv6 one does not.
    """
    if family == 4 and packet and packet[0] >> 4 == 4:
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < _HEAD.size + PAYLOAD_BYTES:
        return None
    kind, code, _, _, sequence = _HEAD.unpack_from(packet)
    told_nonce, index = _MARK.unpack_from(packet, _HEAD.size)
    is_ours = kind == _REPLY[family] and code == 0 and told_nonce == nonce and index & 0xFFFF == sequence
    return int(index) if is_ours else None


def word_sum(data: bytes) -> int:
    """Sum of the 16-bit words of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return total


def fold(total: int) -> int:
    """The Internet checksum (RFC 1071) that belongs to a sum of words."""
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF

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


def echo_request(family: int, identifier: int, nonce: int, index: int) -> bytes:
    """One echo request, IPv4 with its checksum (for IPv6 the kernel adds it)."""
    payload = _MARK.pack(nonce, index) + _FILL
    sequence = index & 0xFFFF
    head = _HEAD.pack(_REQUEST[family], 0, 0, identifier, sequence)
    if family == 4:
        head = _HEAD.pack(_REQUEST[family], 0, checksum(head + payload), identifier, sequence)
    return head + payload


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


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF

"""VRRP packets as the link layer carries them, for the sockets of a virtual MAC. Pure.

There the kernel's IP layer does not stand between: what it would check on the way in is checked here, and what it would
fill in on the way out is filled in here.
"""

from __future__ import annotations

import ipaddress

from pyhad.vrrp_proc.core.packet import internet_checksum

_IPV4_HEADER_BYTES = 20
_IPV6_HEADER_BYTES = 40
_FRAGMENT = 0x3FFF  # more to come, or not the first part


def group_mac(group: str) -> bytes:
    """The Ethernet address of a multicast group (RFC 1112 6.4, RFC 2464 7)."""
    packed = ipaddress.ip_address(group).packed
    if len(packed) == 4:
        return bytes((0x01, 0x00, 0x5E, packed[1] & 0x7F)) + packed[2:]
    return b"\x33\x33" + packed[12:]


def to_send(packet: bytes | bytearray) -> bytes:
    """The packet as it must leave: with the checksum of its IPv4 header. IPv6 has none."""
    if packet[0] >> 4 != 4:
        return bytes(packet)
    head = bytes(packet[:10]) + b"\0\0" + bytes(packet[12:_IPV4_HEADER_BYTES])
    return head[:10] + internet_checksum(head).to_bytes(2, "big") + bytes(packet[12:])


def trimmed(frame: bytes) -> bytes:
    """Without the padding of short Ethernet frames, where it has a header that says how long it is."""
    if len(frame) < _IPV4_HEADER_BYTES:
        return frame
    if frame[0] >> 4 == 4:
        return frame[: frame[2] << 8 | frame[3]]
    return frame[: _IPV6_HEADER_BYTES + (frame[4] << 8 | frame[5])]


def received(frame: bytes) -> bytes | None:
    """The IP packet in what a link delivered, without padding; None where the kernel would have dropped it."""
    if len(frame) < _IPV4_HEADER_BYTES:
        return None
    if frame[0] >> 4 == 4:
        return _received_ipv4(frame)
    total = _IPV6_HEADER_BYTES + int.from_bytes(frame[4:6], "big")
    return frame[:total] if frame[0] >> 4 == 6 and _IPV6_HEADER_BYTES <= total <= len(frame) else None


def _received_ipv4(frame: bytes) -> bytes | None:
    header, total = (frame[0] & 0x0F) * 4, int.from_bytes(frame[2:4], "big")
    if not _IPV4_HEADER_BYTES <= header <= total <= len(frame):
        return None
    if int.from_bytes(frame[6:8], "big") & _FRAGMENT or internet_checksum(frame[:header]) != 0:
        return None
    return frame[:total]

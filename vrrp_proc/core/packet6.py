"""IPv6 packets and unsolicited neighbour advertisements as bytes, both ways. Pure, as packet.py is."""

from __future__ import annotations

import ipaddress
import struct

from pyhad.vrrp_proc.core.packet import PROTOCOL_VRRP, Received, internet_checksum
from pyhad.vrrp_proc.core.refusals import PacketLengthError

HOP_LIMIT = 255  # RFC 9568 5.1.2.3
HOP_LIMIT_UNICAST = 64  # the kernel's default, which Keepalived leaves as it is (PKT-8)
ALL_NODES = "ff02::1"

_IPV6 = struct.Struct("!IHBB16s16s")
_HEADER_BYTES = _IPV6.size
_VERSION_AND_CLASS = 6 << 28 | 0xC0 << 20
_ETHERNET = struct.Struct("!6s6sH")
_ETHERTYPE_IPV6 = 0x86DD
_ALL_NODES_MAC = bytes.fromhex("333300000001")  # RFC 2464 7
_NEIGHBOUR = struct.Struct("!BBHI16sBB6s")
_PROTOCOL_ICMPV6 = 58
_NEIGHBOUR_ADVERTISEMENT = 136
_ROUTER, _OVERRIDE = 0x80000000, 0x20000000
_TARGET_LINK_LAYER_ADDRESS = 2


def build_ipv6(payload: bytes, *, source: str, destination: str, hop_limit: int = HOP_LIMIT) -> bytes:
    """The whole IPv6 packet around `payload` (PKT-1), for a socket that takes the header from us."""
    return _ipv6_header(len(payload), PROTOCOL_VRRP, hop_limit, _packed(source), _packed(destination)) + payload


def parse_ipv6(packet: bytes) -> Received:
    """Take an IPv6 packet without extension headers apart. Raises PacketLengthError."""
    if len(packet) < _HEADER_BYTES:
        raise PacketLengthError(f"{len(packet)} bytes are no IPv6 header")
    first, length, protocol, hop_limit, source, destination = _IPV6.unpack_from(packet)
    if first >> 28 != 6 or length != len(packet) - _HEADER_BYTES:
        raise PacketLengthError(f"IPv6 payload of {length} bytes in a packet of {len(packet)}")
    if protocol != PROTOCOL_VRRP:
        raise PacketLengthError(f"next header {protocol} is not VRRP")
    return Received(source=_text(source), destination=_text(destination), ttl=hop_limit, payload=packet[_HEADER_BYTES:])


def with_header(payload: bytes, *, source: bytes, destination: bytes, hop_limit: int) -> bytes:
    """The packet as it was, from what a raw IPv6 socket tells of it; addresses are packed."""
    return _ipv6_header(len(payload), PROTOCOL_VRRP, hop_limit, source, destination) + payload


def build_neighbour_advertisement(mac: bytes, address: str, *, is_router: bool) -> bytes:
    """A whole Ethernet frame to all nodes: `mac` has `address`, whatever you knew (NET-21, RFC 9568 8.2.2)."""
    source, destination = _packed(address), _packed(ALL_NODES)
    flags = _OVERRIDE | (_ROUTER if is_router else 0)
    message = _NEIGHBOUR.pack(
        _NEIGHBOUR_ADVERTISEMENT, 0, 0, flags, source, _TARGET_LINK_LAYER_ADDRESS, 1, mac
    )  # fmt: skip
    pseudo = source + destination + struct.pack("!IHBB", len(message), 0, 0, _PROTOCOL_ICMPV6)
    message = message[:2] + internet_checksum(pseudo + message).to_bytes(2, "big") + message[4:]
    header = _IPV6.pack(6 << 28, len(message), _PROTOCOL_ICMPV6, HOP_LIMIT, source, destination)
    return _ETHERNET.pack(_ALL_NODES_MAC, mac, _ETHERTYPE_IPV6) + header + message


def _ipv6_header(length: int, protocol: int, hop_limit: int, source: bytes, destination: bytes) -> bytes:
    return _IPV6.pack(_VERSION_AND_CLASS, length, protocol, hop_limit, source, destination)


def _packed(address: str) -> bytes:
    return ipaddress.IPv6Address(address).packed


def _text(packed: bytes) -> str:
    return str(ipaddress.IPv6Address(packed))

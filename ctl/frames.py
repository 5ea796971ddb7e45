"""Ethernet frames to what a person wants to know of them: advertisements, gratuitous ARP, unsolicited NA. Pure bytes.

Deliberately more lenient than the daemon: a wrong packet is shown with what is wrong, not dropped.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

_ETHERNET = 14
_IPV4, _ARP, _IPV6, _VLAN = 0x0800, 0x0806, 0x86DD, 0x8100
_VRRP, _AH, _ICMPV6 = 112, 51, 58
_NEIGHBOR_ADVERTISEMENT = 136
_AUTH_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """One VRRP advertisement as it was sent."""

    source: str
    destination: str
    mac: str
    ttl: int
    version: int
    vrid: int
    priority: int
    interval_cs: int
    addresses: tuple[str, ...]
    authentication: str = "none"
    """`none`, `PASS` or `AH`; the password itself is not kept."""
    faults: tuple[str, ...] = ()
    """What is wrong with it by itself."""

    @property
    def family(self) -> int:
        return 6 if ":" in self.source else 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Somebody says that an address is at its MAC: gratuitous ARP, or unsolicited neighbour advertisement."""

    kind: str
    address: str
    mac: str


Heard = Advert | Announcement


def read_frame(frame: bytes) -> Heard | None:
    """What the frame says; None when it is neither or is cut off."""
    try:
        return _read(frame)
    except (struct.error, IndexError, ValueError):
        return None


def _read(frame: bytes) -> Heard | None:
    mac = frame[6:12].hex(":")
    (kind,) = struct.unpack_from("!H", frame, 12)
    start = _ETHERNET
    if kind == _VLAN:
        (kind,) = struct.unpack_from("!H", frame, 16)
        start += 4
    if kind == _ARP:
        return _arp(frame[start:])
    if kind == _IPV4:
        return _ipv4(frame[start:], mac)
    return _ipv6(frame[start:], mac) if kind == _IPV6 else None


def _arp(arp: bytes) -> Announcement | None:
    sender_mac, sender, target = arp[8:14].hex(":"), arp[14:18], arp[24:28]
    if sender != target or sender == bytes(4):
        return None
    return Announcement(kind="gratuitous ARP", address=str(ipaddress.IPv4Address(sender)), mac=sender_mac)


def _ipv4(packet: bytes, mac: str) -> Advert | None:
    length = (packet[0] & 0xF) * 4
    (total,) = struct.unpack_from("!H", packet, 2)
    protocol, ttl = packet[9], packet[8]
    source, destination = (str(ipaddress.IPv4Address(packet[at : at + 4])) for at in (12, 16))
    payload, authentication = packet[length:total], ""
    if protocol == _AH and payload[0] == _VRRP:
        payload, authentication = payload[(payload[1] + 2) * 4 :], "AH"
    elif protocol != _VRRP:
        return None
    pseudo = packet[12:20] + struct.pack("!BBH", 0, _VRRP, len(payload))
    return _advert(payload, source, destination, mac, ttl, pseudo, authentication)


def _ipv6(packet: bytes, mac: str) -> Heard | None:
    (length,) = struct.unpack_from("!H", packet, 4)
    source, destination = (str(ipaddress.IPv6Address(packet[at : at + 16])) for at in (8, 24))
    payload = packet[40 : 40 + length]
    if packet[6] == _ICMPV6 and payload[0] == _NEIGHBOR_ADVERTISEMENT and not payload[4] & 0x40:
        target = str(ipaddress.IPv6Address(payload[8:24]))
        return Announcement(kind="unsolicited NA", address=target, mac=payload[26:32].hex(":") or mac)
    if packet[6] != _VRRP:
        return None
    pseudo = packet[8:40] + struct.pack("!IBBBB", len(payload), 0, 0, 0, _VRRP)
    return _advert(payload, source, destination, mac, packet[7], pseudo, "")


def _advert(
    payload: bytes, source: str, destination: str, mac: str, ttl: int, pseudo: bytes, authentication: str
) -> Advert:
    first, vrid, priority, count, interval, _ = struct.unpack_from("!BBBBHH", payload)
    version, size = first >> 4, 16 if ":" in source else 4
    faults: list[str] = []
    if first & 0xF != 1:
        faults.append(f"type {first & 0xF} is not an advertisement")
    if ttl != 255:
        faults.append(f"TTL {ttl} instead of 255: it was routed or forged, receivers drop it")
    if version == 2:
        authentication = authentication or {0: "none", 1: "PASS"}.get(interval >> 8, f"type {interval >> 8}")
        interval_cs, expected = (interval & 0xFF) * 100, 8 + count * size + _AUTH_BYTES
    else:
        interval_cs, expected = interval & 0xFFF, 8 + count * size
    if len(payload) < 8 + count * size:
        faults.append(f"cut off: {count} addresses need {expected} bytes, there are {len(payload)}")
    faults += _checksum_faults(payload[:expected], version, pseudo, ":" in source)
    count = min(count, (len(payload) - 8) // size)
    addresses = tuple(
        str(ipaddress.ip_address(payload[8 + number * size : 8 + (number + 1) * size])) for number in range(count)
    )
    return Advert(
        source=source, destination=destination, mac=mac, ttl=ttl, version=version, vrid=vrid, priority=priority,
        interval_cs=interval_cs, addresses=addresses, authentication=authentication or "none", faults=tuple(faults),
    )  # fmt: skip


def _checksum_faults(payload: bytes, version: int, pseudo: bytes, is_ipv6: bool) -> list[str]:
    with_pseudo, without = _sum(pseudo + payload) == 0xFFFF, _sum(payload) == 0xFFFF
    if version == 2 and not is_ipv6:
        return [] if without else ["wrong checksum"]
    if with_pseudo:
        return []
    return (
        ["checksum without pseudo header, as version 2 has it (v3_checksum_as_v2)"] if without else ["wrong checksum"]
    )


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total

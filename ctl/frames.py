"""Ethernet frames to what a person wants to know of them: advertisements, gratuitous ARP, unsolicited NA. Pure bytes.

Deliberately more lenient than the daemon: a wrong packet is shown with what is wrong, not dropped.
"""

from __future__ import annotations

import ipaddress
import struct

from pyhad.common.adverts import Advert, read_advert
from pyhad.common.records import dataclass

_ETHERNET = 14
_IPV4, _ARP, _IPV6, _VLAN = 0x0800, 0x0806, 0x86DD, 0x8100
_VRRP, _AH, _ICMPV6 = 112, 51, 58
_NEIGHBOR_ADVERTISEMENT = 136


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
    return read_advert(
        payload, source=source, destination=destination, mac=mac, ttl=ttl, authentication=authentication
    )  # fmt: skip


def _ipv6(packet: bytes, mac: str) -> Heard | None:
    (length,) = struct.unpack_from("!H", packet, 4)
    source, destination = (str(ipaddress.IPv6Address(packet[at : at + 16])) for at in (8, 24))
    payload = packet[40 : 40 + length]
    if packet[6] == _ICMPV6 and payload[0] == _NEIGHBOR_ADVERTISEMENT and not payload[4] & 0x40:
        target = str(ipaddress.IPv6Address(payload[8:24]))
        return Announcement(kind="unsolicited NA", address=target, mac=payload[26:32].hex(":") or mac)
    if packet[6] != _VRRP:
        return None
    return read_advert(payload, source=source, destination=destination, mac=mac, ttl=packet[7])

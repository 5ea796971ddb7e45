"""Advertisements and gratuitous ARP as bytes, both ways. Pure: no sockets, no clock, nothing but bytes and errors.

Outgoing bytes are built once per change of their content and sent many times. What is received goes through
`parse_ipv4`, `read_vrid` (to find the virtual router) and `check_advertisement`, whose checks come in the order of
PKT-22 to PKT-32. Whatever is wrong is an `AdvertisementRefused`, a PacketError, which names the counter to raise:
no input can raise anything else. The IPv6 packet around a message is in packet6.py.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
import struct

from pyhad.common.config.model import UnicastChecksum, VrrpInstance
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.ah import HEADER_BYTES, PROTOCOL_AH, Seal, check_seal, read_seal, seal
from pyhad.vrrp_proc.core.auth import AUTHENTICATION_BYTES, check_authentication, data_of, trailer_bytes, type_of
from pyhad.vrrp_proc.core.auth_hmac import TRAILER_BYTES, HmacMemory, sign, signs
from pyhad.vrrp_proc.core.refusals import (
    AuthenticationTypeMismatch,
    ChecksumError,
    DestinationError,
    IntervalError,
    MessageTypeError,
    NoAddressError,
    OwnPacketError,
    PacketLengthError,
    TtlError,
    UnknownPeerError,
    VersionError,
)

PROTOCOL_VRRP = 112
TTL = 255  # RFC 9568 5.1.1.3: whoever is farther than one hop cannot have it
PRIORITY_OWNER = 255
PRIORITY_RELEASE = 0  # RFC 9568 5.2.4: "I stop"

_HEADER = struct.Struct("!BBBBHH")  # version and type, vrid, priority, count, interval (v2: auth type, s), checksum
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_ARP = struct.Struct("!6s6sHHHBBH6s4s6s4s")
_TYPE_ADVERTISEMENT = 1
_TOS_INTERNETWORK_CONTROL = 0xC0
_ETHERNET_MINIMUM = 46  # shorter frames are padded up to this by the sender's driver
IPV4_HEADER_BYTES = 20
_BROADCAST = b"\xff" * 6
_ETHERTYPE_ARP = 0x0806
_ETHERTYPE_IPV4 = 0x0800


class ChecksumForm(enum.StrEnum):
    """What the checksum covers. Over IPv4 peers differ in version 3, so the form they use is found out, not assumed."""

    MESSAGE = "message"
    """The VRRP message only: version 2, and version 3 as RFC 9568 5.2.8 has it for IPv4."""
    PSEUDO_HEADER = "pseudo_header"
    """With the IP pseudo header: version 3 as Keepalived and FRR send it (PKT-3), and all of IPv6."""
    OLD_UNICAST = "old_unicast"
    """By unicast, as Keepalived before 1.3.7 had it: the group stands in the pseudo header (PKT-31)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A VRRP message with what matters of the IP header around it. `payload` may end in Ethernet padding."""

    source: str
    destination: str
    ttl: int
    payload: bytes
    seal: Seal | None = None
    """The authentication header that stood before the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """An advertisement that passed every check. `interval_cs` is whole seconds times 100 in version 2."""

    vrid: int
    source: str
    priority: int
    interval_cs: int
    addresses: tuple[str, ...]
    addresses_match: bool
    """False is worth a warning and the counter addr_list_err; the advertisement counts all the same (PKT-35)."""
    checksum_form: ChecksumForm


def build_advertisement(
    config: VrrpInstance,
    *,
    source: str,
    priority: int,
    destination: str = "",
    form: ChecksumForm | None = None,
    stamp: int = 0,
) -> bytes:
    """The VRRP message (RFC 9568 5.2, RFC 3768 5.3) as `config` wants it, from `source` to `destination`.

    `destination` is by default the group, `form` what the configuration says. `priority` 0 releases. Only `addresses`
    are told, in configuration order, not the excluded ones (PKT-6).
    """
    addresses = b"".join(_packed(virtual.address) for virtual in config.addresses)
    count = len(config.addresses)
    interval_cs = config.advertisement_interval_cs
    if config.version == 2:
        type_and_s = type_of(config) << 8 | interval_cs // 100
        head = _HEADER.pack(0x20 | _TYPE_ADVERTISEMENT, config.vrid, priority, count, type_and_s, 0)
        message = head + addresses + data_of(config)
    else:
        head = _HEADER.pack(0x30 | _TYPE_ADVERTISEMENT, config.vrid, priority, count, interval_cs, 0)
        message = head + addresses
    whole = sign(message, config, _packed(source), stamp) if signs(config) else message
    summed = _summed(message, whole, config)
    pseudo = _covered(form or _configured_form(config), source, destination or config.multicast_group, summed, config)
    return whole[:6] + internet_checksum(pseudo + summed).to_bytes(2, "big") + whole[8:]


def build_ipv4(payload: bytes, *, source: str, destination: str, identification: int, ttl: int = TTL) -> bytes:
    """The whole IPv4 packet around `payload` (PKT-1): for a socket with IP_HDRINCL. May be fragmented (no DF)."""
    head = _IPV4.pack(
        0x45, _TOS_INTERNETWORK_CONTROL, IPV4_HEADER_BYTES + len(payload), identification, 0, ttl, PROTOCOL_VRRP, 0,
        _packed(source), _packed(destination),
    )  # fmt: skip
    return head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:] + payload


def build_sealed_ipv4(
    payload: bytes, *, source: str, destination: str, identification: int, ttl: int, key: bytes, sequence: int
) -> bytes:
    """The same with an authentication header between (AUTH-3)."""
    head = _IPV4.pack(
        0x45, _TOS_INTERNETWORK_CONTROL, IPV4_HEADER_BYTES + HEADER_BYTES + len(payload), identification, 0, ttl,
        PROTOCOL_AH, 0, _packed(source), _packed(destination),
    )  # fmt: skip
    head = head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:]
    return seal(head, payload, key=key, sequence=sequence)


def build_gratuitous_arp(mac: bytes, address: str) -> bytes:
    """A whole Ethernet frame, 42 bytes: `mac` has `address` (NET-20: a broadcast request, target MAC all ones)."""
    ip = _packed(address)
    return _ARP.pack(_BROADCAST, mac, _ETHERTYPE_ARP, 1, _ETHERTYPE_IPV4, 6, 4, 1, mac, ip, _BROADCAST, ip)


def parse_ipv4(frame: bytes) -> Received:
    """Take an IPv4 packet apart, as a raw or packet socket gives it (no Ethernet header).

    An authentication header is read, not judged. Raises PacketLengthError. The IPv4 checksum is the kernel's work.
    """
    if len(frame) < IPV4_HEADER_BYTES:
        raise PacketLengthError(f"{len(frame)} bytes are no IPv4 header")
    first, _, total, _, _, ttl, protocol, _, source, destination = _IPV4.unpack_from(frame)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < IPV4_HEADER_BYTES or not header <= total <= len(frame):
        raise PacketLengthError(f"IPv4 header of {header} bytes and packet of {total} in {len(frame)} bytes")
    if len(frame) > max(total, _ETHERNET_MINIMUM):
        raise PacketLengthError(f"{len(frame)} bytes where the IPv4 header says {total}")
    payload, found = frame[header:total], None
    if protocol == PROTOCOL_AH:
        found = read_seal(frame[:header], payload)
        payload = payload[HEADER_BYTES:]
    elif protocol != PROTOCOL_VRRP:
        raise PacketLengthError(f"IP protocol {protocol} is not VRRP")
    return Received(source=_dotted(source), destination=_dotted(destination), ttl=ttl, payload=payload, seal=found)


def read_vrid(payload: bytes) -> int:
    """Which virtual router a message is for (PKT-20). Raises PacketLengthError below 8 bytes."""
    if len(payload) < _HEADER.size:
        raise PacketLengthError(f"{len(payload)} bytes are no VRRP header")
    return payload[1]


def check_advertisement(
    received: Received,
    config: VrrpInstance,
    own_source: str,
    *,
    known_source: str = "",
    last_sequence: int = -1,
    memory: HmacMemory | None = None,
    wall_ns: int = 0,
) -> Advertisement:
    """All checks of PKT-23 to PKT-32 on a message whose VRID is that of `config`; raises AdvertisementRefused.

    `own_source` is the address that we send from. `known_source` is who sent the last good advertisement: with
    `skip_check_adv_addr` its address list is not compared again (PKT-35). `last_sequence` is the greatest that an
    authentication header had so far, `memory` what `auth_hmac` remembers, `wall_ns` the time on the wall.
    """
    _check_outside(received, config, own_source)
    message, trailer = _exact_message(received.payload, config)
    version_type, vrid, priority, count, interval, _ = _HEADER.unpack_from(message)
    _check_distance_and_version(received, version_type, config)
    _check_seal(received, config, last_sequence)
    if memory is not None:
        _check_signature(received, message, trailer, config, memory, wall_ns)
    interval_cs = _checked_interval(message, interval, config)
    if version_type & 0x0F != _TYPE_ADVERTISEMENT:
        raise MessageTypeError(f"type {version_type & 0x0F}")
    form = _checksum_form(_summed(message, message + trailer, config), received, config)
    _check_ends(received, config, own_source)
    addresses = _read_addresses(message, count, config)
    skip = config.skip_check_adv_addr and received.source == known_source
    return Advertisement(
        vrid=vrid,
        source=received.source,
        priority=priority,
        interval_cs=interval_cs,
        addresses=addresses,
        addresses_match=skip or sorted(addresses) == sorted(virtual.address for virtual in config.addresses),
        checksum_form=form,
    )


def _check_outside(received: Received, config: VrrpInstance, own_source: str) -> None:
    """PKT-38 and PKT-22: not our own, and behind an authentication header if and only if we have one."""
    if received.source == own_source:
        raise OwnPacketError(f"own advertisement from {own_source}")
    if (received.seal is not None) != config.authentication_header:
        theirs, ours = ("an", "none") if received.seal else ("no", "one")
        raise AuthenticationTypeMismatch(f"{theirs} authentication header where we have {ours}")


def _check_distance_and_version(received: Received, version_type: int, config: VrrpInstance) -> None:
    """PKT-24 and PKT-25."""
    if received.ttl != TTL and not config.unicast_peers:
        raise TtlError(f"TTL {received.ttl}")
    if version_type >> 4 != config.version:
        raise VersionError(f"version {version_type >> 4}, ours is {config.version}")


def _check_seal(received: Received, config: VrrpInstance, last_sequence: int) -> None:
    if received.seal is not None:
        source = _packed(received.source)
        check_seal(received.seal, source, key=config.authentication_data, last_sequence=last_sequence)


def _check_signature(
    received: Received, message: bytes, trailer: bytes, config: VrrpInstance, memory: HmacMemory, wall_ns: int
) -> None:
    if config.hmac is not None:
        source = _packed(received.source)
        memory.check(message, trailer, config, sender=received.source, source=source, wall_ns=wall_ns)


def _summed(message: bytes, whole: bytes, config: VrrpInstance) -> bytes:
    """What the checksum covers of a signed advertisement: over IPv6 the kernel's sum has the trailer in it."""
    return whole if config.family == 6 else message


def _exact_message(payload: bytes, config: VrrpInstance) -> tuple[bytes, bytes]:
    """The message without padding and the trailer of `auth_hmac`, or PacketLengthError (PKT-23).

    The packet's own version decides what it must be long.
    """
    read_vrid(payload)
    expected = _HEADER.size + payload[3] * (16 if config.family == 6 else 4)
    expected += trailer_bytes(payload[0] >> 4, config.family)
    if config.hmac is not None and len(payload) == expected + TRAILER_BYTES:
        return payload[:expected], payload[expected:]
    padded = config.family == 4 and len(payload) <= _ETHERNET_MINIMUM - IPV4_HEADER_BYTES
    if len(payload) < expected or (len(payload) > expected and not padded):
        raise PacketLengthError(f"{len(payload)} bytes where {payload[3]} addresses make {expected}")
    return payload[:expected], b""


def _checked_interval(message: bytes, interval: int, config: VrrpInstance) -> int:
    """In centiseconds. Zero is no interval in either version (RFC 9568 7.1, erratum 8301)."""
    interval_cs = _checked_interval_v2(message, config) if config.version == 2 else interval & 0x0FFF
    if interval_cs == 0:
        raise IntervalError("interval of 0")
    return interval_cs


def _checked_interval_v2(message: bytes, config: VrrpInstance) -> int:
    auth_type, interval_s = message[4], message[5]
    check_authentication(auth_type, message[-AUTHENTICATION_BYTES:], config)
    if interval_s * 100 != config.advertisement_interval_cs:
        raise IntervalError(f"interval of {interval_s} s, ours is {config.advertisement_interval_cs // 100} s")
    return interval_s * 100


def _check_ends(received: Received, config: VrrpInstance, own_source: str) -> None:
    """PKT-32: sent to the group, or by unicast to us. PKT-36: the sender is a peer, not farther than it should be."""
    if received.destination != (own_source if config.unicast_peers else config.multicast_group):
        raise DestinationError(f"sent to {received.destination}")
    if not config.check_unicast_source:
        return
    for peer in config.unicast_peers:
        if peer.address == received.source:
            if not peer.min_ttl <= received.ttl <= peer.max_ttl:
                raise TtlError(f"TTL {received.ttl}, from {peer.min_ttl} to {peer.max_ttl} is expected of this peer")
            return
    raise UnknownPeerError(f"{received.source} is no unicast_peer")


def _configured_form(config: VrrpInstance) -> ChecksumForm:
    if config.family == 6:
        return ChecksumForm.PSEUDO_HEADER
    if config.version == 2 or not config.checksum_pseudo_header:
        return ChecksumForm.MESSAGE
    if config.unicast_peers and config.unicast_checksum is UnicastChecksum.OLD:
        return ChecksumForm.OLD_UNICAST
    return ChecksumForm.PSEUDO_HEADER


def _checksum_form(message: bytes, received: Received, config: VrrpInstance) -> ChecksumForm:
    """The form that fits, the configured one tried first (PKT-31)."""
    forms = [_configured_form(config)]
    if config.version == 3 and config.family == 4:
        forms += [ChecksumForm.PSEUDO_HEADER, ChecksumForm.MESSAGE]
        if config.unicast_peers and config.unicast_checksum is not UnicastChecksum.NEVER_OLD:
            forms.append(ChecksumForm.OLD_UNICAST)
    for form in forms:
        if internet_checksum(_covered(form, received.source, received.destination, message, config) + message) == 0:
            return form
    raise ChecksumError(f"checksum {message[6:8].hex()}")


def _covered(form: ChecksumForm, source: str, destination: str, message: bytes, config: VrrpInstance) -> bytes:
    """What the checksum covers besides the message."""
    match form:
        case ChecksumForm.MESSAGE:
            return b""
        case ChecksumForm.PSEUDO_HEADER:
            return _pseudo_header(source, destination, len(message))
        case ChecksumForm.OLD_UNICAST:
            return _pseudo_header(source, config.multicast_group, len(message))


def _read_addresses(message: bytes, count: int, config: VrrpInstance) -> tuple[str, ...]:
    """RFC 9568 5.2.5: one without addresses is ignored, unless we are of that kind ourselves."""
    if count == 0 and config.version == 3 and config.addresses:
        raise NoAddressError("no address")
    if config.family == 4:
        return tuple(_dotted(message[at : at + 4]) for at in range(8, 8 + 4 * count, 4))
    return tuple(str(ipaddress.IPv6Address(message[at : at + 16])) for at in range(8, 8 + 16 * count, 16))


def _pseudo_header(source: str, destination: str, length: int) -> bytes:
    """RFC 9568 5.2.8: IPv4 as for UDP, IPv6 as RFC 8200 8.1."""
    packed = _packed(source) + _packed(destination)
    if len(packed) == 8:
        return packed + struct.pack("!BBH", 0, PROTOCOL_VRRP, length)
    return packed + struct.pack("!IHBB", length, 0, 0, PROTOCOL_VRRP)


def internet_checksum(content: bytes) -> int:
    """RFC 1071, of an even number of bytes. Over content that holds its own right checksum: 0.

    The sum of 16-bit digits with end-around carry is the remainder by 65535, where a sum of anything but zeros is
    65535 and not 0.
    """
    number = int.from_bytes(content, "big")
    remainder = number % 0xFFFF
    if remainder == 0 and number:
        return 0
    return 0xFFFF - remainder


@functools.lru_cache(maxsize=1024)
def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _dotted(packed: bytes) -> str:
    return "{}.{}.{}.{}".format(*packed)

"""An advertisement as it was sent, right or wrong, and how it differs from our configuration. Pure; for people only.

Deliberately more lenient than the daemon's own parser: a wrong packet is shown with what is wrong, not dropped. Used
by `pyhadctl capture` and `decode`, and by the VRRP process for the peers that its status shows.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator

from pyhad.common.config.model import VrrpInstance
from pyhad.common.records import dataclass

_VRRP = 112
_AUTH_BYTES = 8
_HMAC_BYTES = 28
_DEFAULT_GROUP = bytes((224, 0, 0, 18))
NO_PSEUDO_HEADER = "no_pseudo_header"
OLD_UNICAST = "old_unicast"
WRONG = "wrong"


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
    """`none`, `PASS`, `AH` or `HMAC`; the password itself is not kept."""
    checksum: str = "usual"
    """`usual` of its version; of version 3 over IPv4 also `no_pseudo_header` (v3_checksum_as_v2), `old_unicast` (of
    keepalived before 1.3.7); `wrong`."""
    faults: tuple[str, ...] = ()
    """What is wrong with it by itself."""

    @property
    def family(self) -> int:
        """Of its addresses: 4 or 6."""
        return 6 if ":" in self.source else 4


def read_advert(
    payload: bytes, *, source: str, destination: str, ttl: int, mac: str = "", authentication: str = ""
) -> Advert:
    """What the VRRP message says. Raises struct.error or IndexError when it is shorter than its head."""
    first, vrid, priority, count, interval, _ = struct.unpack_from("!BBBBHH", payload)
    version, size = first >> 4, 16 if ":" in source else 4
    faults: list[str] = []
    if first & 0xF != 1:
        faults.append(f"type {first & 0xF} is not an advertisement")
    if ttl != 255:
        faults.append(f"TTL {ttl} instead of 255: it was routed or forged, receivers drop it")
    if version == 2:
        authentication = authentication or {0: "", 1: "PASS"}.get(interval >> 8, f"type {interval >> 8}")
        interval_cs, expected = (interval & 0xFF) * 100, 8 + count * size + _AUTH_BYTES
    else:
        interval_cs, expected = interval & 0xFFF, 8 + count * size
    summed = expected
    if len(payload) >= expected + _HMAC_BYTES and payload[expected] == 1:
        authentication, expected = "HMAC", expected + _HMAC_BYTES
        summed = expected if size == 16 else summed  # over IPv6 the kernel's sum has the trailer in it
    if len(payload) < 8 + count * size:
        faults.append(f"cut off: {count} addresses need {expected} bytes, there are {len(payload)}")
    checksum = _checksum_form(payload[:summed], version, source, destination)
    if checksum == WRONG:
        faults.append("wrong checksum")
    elif checksum == NO_PSEUDO_HEADER:
        faults.append("checksum without pseudo header, as version 2 has it (v3_checksum_as_v2)")
    count = min(count, (len(payload) - 8) // size)
    addresses = tuple(
        str(ipaddress.ip_address(payload[8 + number * size : 8 + (number + 1) * size])) for number in range(count)
    )
    return Advert(
        source=source, destination=destination, mac=mac, ttl=ttl, version=version, vrid=vrid, priority=priority,
        interval_cs=interval_cs, addresses=addresses, authentication=authentication or "none", checksum=checksum,
        faults=tuple(faults),
    )  # fmt: skip


def _checksum_form(payload: bytes, version: int, source: str, destination: str) -> str:
    without = _sum(payload) == 0xFFFF
    if version == 2 and ":" not in source:
        return "usual" if without else WRONG
    ends = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    if _sum(_pseudo(*ends, len(payload)) + payload) == 0xFFFF:
        return "usual"
    if without:
        return NO_PSEUDO_HEADER
    is_old = ":" not in source and _sum(_pseudo(ends[0], _DEFAULT_GROUP, len(payload)) + payload) == 0xFFFF
    return OLD_UNICAST if is_old else WRONG


def _pseudo(source: bytes, destination: bytes, length: int) -> bytes:
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, _VRRP, length)
    return source + destination + struct.pack("!IBBBB", length, 0, 0, 0, _VRRP)


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


# ----------------------------------------------------------------------------------------- beside our own


def compare(advert: Advert, instances: tuple[VrrpInstance, ...], own_addresses: frozenset[str]) -> tuple[str, ...]:
    """What is remarkable about an advert, given our instances; empty when all fits."""
    ours = [one for one in instances if one.vrid == advert.vrid and one.family == advert.family]
    if not ours:
        known = ", ".join(str(one.vrid) for one in instances) or "none"
        return (*advert.faults, f"no virtual router of ours has VRID {advert.vrid} (ours: {known})")
    if advert.source in own_addresses:
        return advert.faults
    return (*advert.faults, *differences(advert, ours[0]))


def differences(advert: Advert, ours: VrrpInstance) -> Iterator[str]:
    """In which settings its sender is not like `ours`, and what comes of it."""
    who, name = advert.source, f"'{ours.name}'"
    if advert.version != ours.version:
        yield f"{who} speaks version {advert.version}, ours ({name}) is {ours.version}: neither hears the other"
    elif advert.interval_cs != ours.advertisement_interval_cs:
        result = "we drop it, both may be master" if ours.version == 2 else "we follow the sender's while it is master"
        own_s = ours.advertisement_interval_cs / 100
        yield f"{who} sends advert_int {advert.interval_cs / 100:g}, ours ({name}) is {own_s:g}: {result}"
    if advert.priority == ours.base_priority and advert.priority not in (0, 255):
        yield f"{who} has our own priority {advert.priority}: the greater address wins"
    if advert.priority == 255 == ours.base_priority:
        yield f"{who} claims to own the addresses, and so do we"
    theirs, own = set(advert.addresses), {one.address for one in ours.addresses}
    if theirs - own:
        yield f"{who} serves {' '.join(sorted(theirs - own))}, which we do not have in {name}"
    if own - theirs:
        yield f"{who} does not serve {' '.join(sorted(own - theirs))} of {name}"
    if advert.authentication != authentication_of(ours):
        yield f"{who} has authentication {advert.authentication}, ours ({name}) is {authentication_of(ours)}"
    if advert.family == 4 and not ours.unicast_peers and advert.destination != ours.multicast_group:
        yield f"{who} sends to {advert.destination}, we listen to {ours.multicast_group}"


def authentication_of(ours: VrrpInstance) -> str:
    """`none`, `PASS`, `AH` or `HMAC`."""
    if ours.hmac is not None:
        return "HMAC"
    if not ours.authentication_data:
        return "none"
    return "AH" if ours.authentication_header else "PASS"

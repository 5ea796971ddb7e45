"""What a virtual router hears of others, part of its status. Data only, in the catalogue by way of messages.py."""

from __future__ import annotations

from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatus:
    """Another router of the same VRID, as its last advertisement has it, right or wrong. Part of `RouterStatus`."""

    address: str
    version: int
    priority: int
    advert_interval_cs: int
    addresses: tuple[str, ...]
    authentication: str
    """`none`, `PASS`, `AH` or `HMAC`."""
    checksum: str
    """`usual`, `no_pseudo_header`, `old_unicast` or `wrong` (see adverts.py)."""
    since_ns: int
    """When it first said just this."""
    refused: str
    """Empty, or the counter of why its advertisements do not count."""
    differences: tuple[str, ...]
    """How it is not like us, as sentences for a person."""

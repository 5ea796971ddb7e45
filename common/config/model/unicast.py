"""Adverts that go to named peers, as frozen dataclasses. Pure data, part of the model (see model.py)."""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class UnicastChecksum(enum.StrEnum):
    """Version 3 over IPv4: whether the checksum of Keepalived before 1.3.7 is used (`old_unicast_checksum`)."""

    DETECT = "detect"
    OLD = "old"
    NEVER_OLD = "never_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnicastPeer:
    """One line of `unicast_peer`, with the TTL or hop limit that its adverts may arrive with."""

    address: str
    min_ttl: int = 0
    max_ttl: int = 255

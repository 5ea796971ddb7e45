"""Who of two routers is the better one (RFC 9568 6.4.3): one comparison, by priority and then by address. No state."""

from __future__ import annotations

import enum
import ipaddress


class Standing(enum.Enum):
    """How the sender of an advertisement stands to us."""

    LEAVES = enum.auto()
    """Priority 0: it stops."""
    HIGHER = enum.auto()
    TIE_LOST = enum.auto()
    """Our priority, and a greater address than ours."""
    TIE_WON = enum.auto()
    LOWER = enum.auto()
    SAME_ADDRESS = enum.auto()
    """Our priority and our address: a duplicate on the segment, not a question of rank (FSM-35)."""


def standing(*, priority: int, source: str, own_priority: int, own_source: str) -> Standing:
    """Compare as the Active router does. Addresses are compared as numbers: .9 is less than .10."""
    if priority == 0:
        return Standing.LEAVES
    if priority != own_priority:
        return Standing.HIGHER if priority > own_priority else Standing.LOWER
    theirs, ours = _number(source), _number(own_source)
    if theirs == ours:
        return Standing.SAME_ADDRESS
    return Standing.TIE_LOST if theirs > ours else Standing.TIE_WON


def _number(address: str) -> int:
    return int(ipaddress.ip_address(address)) if address else 0

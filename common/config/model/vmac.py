"""Interfaces that a virtual router makes for itself (virtual MAC, ipvlan), and what keeps packets from addresses."""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class VmacKind(enum.StrEnum):
    """Which device of the kernel it is."""

    MACVLAN = "macvlan"
    IPVLAN = "ipvlan"


class IpvlanMode(enum.StrEnum):
    """Who of the same base hears whom."""

    BRIDGE = "bridge"
    PRIVATE = "private"
    VEPA = "vepa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vmac:
    """One such interface (VMAC-1, VMAC-6). `family` is that of the addresses on it."""

    name: str
    base: str
    """The interface that it stands on."""
    family: int
    kind: VmacKind = VmacKind.MACVLAN
    mac: str = ""
    """`00:00:5e:00:01:33`; empty for an ipvlan, which has that of its base."""
    named: bool = False
    """The name is the operator's. Otherwise it is only the first to be tried."""
    group: int | None = None
    """Link group; None: as the base."""
    notify_base: bool = False
    """Have the kernel tell everybody of the base once the interface is there (`netlink_notify_msg`)."""
    mode: IpvlanMode = IpvlanMode.BRIDGE
    address: str = ""
    """Own address of an ipvlan, which its adverts come from."""
    prefix_len: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """How nftables is used for accept mode and for what must not leave a virtual MAC (VMAC-20, VMAC-21)."""

    table: str = "keepalived"
    priority: int = -1
    """Relative to filter."""
    by_index: bool = False
    """Interfaces are matched by index, not by name."""
    counters: bool = False


PLAIN_FIREWALL = Firewall()

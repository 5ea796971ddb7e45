"""Routes, policy rules and static items as frozen dataclasses. Pure data, part of the model (see model.py).

Numbers are the kernel's (`linux/rtnetlink.h`, `linux/fib_rules.h`); names of tables, scopes and protocols are resolved.
Two of the same meaning are equal however they were written and watched: `text` and `tracked` are nothing to the kernel
and do not count.
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass, field

PROTOCOL_KEEPALIVED = 18
"""RTPROT_KEEPALIVED: the mark of routes and rules that are ours (NET-6)."""
TABLE_MAIN = 254


class EncapKind(enum.StrEnum):
    """Lightweight tunnels of a route."""

    MPLS = "mpls"
    IP = "ip"
    IP6 = "ip6"
    ILA = "ila"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encapsulation:
    """What a route wraps packets into. None: not given, the kernel's default."""

    kind: EncapKind
    labels: tuple[int, ...] = ()
    tunnel_id: int | None = None
    destination: str = ""
    source: str = ""
    tos: int | None = None
    """Traffic class of IPv6."""
    ttl: int | None = None
    flags: int | None = None
    locator: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """One way of a multipath route."""

    gateway: str = ""
    interface: str = ""
    weight: int = 1
    """1 to 256."""
    onlink: bool = False
    encap: Encapsulation | None = None
    realms: int = 0
    """Source realm in the upper 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMetric:
    """One RTAX_* value. `text` is the name of a congestion control instead of a number."""

    number: int
    value: int = 0
    text: str = ""
    locked: bool = False


class Placement(enum.StrEnum):
    """Where a route goes among others to the same destination."""

    PREPEND = "prepend"
    ADD = "add"
    """Not at all where there is one already."""
    APPEND = "append"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRoute:
    """One line of `virtual_routes` or `static_routes`."""

    text: str = field(compare=False)
    """As written."""
    family: int
    destination: str
    prefix_len: int
    type: int = 1
    """RTN_*: 1 unicast."""
    preferred_source: str = ""
    source: str = ""
    source_len: int = 0
    """IPv6: only packets from there."""
    tos: int = 0
    table: int = TABLE_MAIN
    vrf: str = ""
    """The table of this VRF, looked up when the route is installed, instead of `table`."""
    protocol: int = PROTOCOL_KEEPALIVED
    scope: int = 0
    metric: int | None = None
    gateway: str = ""
    interface: str = ""
    onlink: bool = False
    encap: Encapsulation | None = None
    expires_s: int | None = None
    metrics: tuple[RouteMetric, ...] = ()
    realms: int = 0
    preference: int | None = None
    """RFC 4191: 0 medium, 1 high, 3 low."""
    ttl_propagate: bool | None = None
    placement: Placement = Placement.PREPEND
    next_hops: tuple[NextHop, ...] = ()
    tracked: bool = field(default=True, compare=False)
    """Its loss and that of its interfaces matter (TRK-31)."""

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The devices that it names."""
        names = (self.interface, *(hop.interface for hop in self.next_hops))
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRule:
    """One line of `virtual_rules` or `static_rules`."""

    text: str = field(compare=False)
    family: int
    action: int = 1
    """FR_ACT_*: 1 to table."""
    priority: int
    inverted: bool = False
    source: str = ""
    source_len: int = 0
    destination: str = ""
    destination_len: int = 0
    table: int = 0
    tos: int = 0
    mark: int | None = None
    mark_mask: int | None = None
    realms: int = 0
    suppress_prefix_len: int | None = None
    suppress_group: int | None = None
    input_interface: str = ""
    output_interface: str = ""
    tunnel_id: int | None = None
    uid_first: int | None = None
    uid_last: int = 0
    l3mdev: bool = False
    protocol: int = PROTOCOL_KEEPALIVED
    ip_protocol: int | None = None
    source_port: int | None = None
    source_port_last: int = 0
    destination_port: int | None = None
    destination_port_last: int = 0
    goto: int | None = None
    tracked: bool = field(default=True, compare=False)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The devices that it names."""
        return tuple(dict.fromkeys(name for name in (self.input_interface, self.output_interface) if name))


Path = VirtualRoute | VirtualRule
"""What leads packets: installed with the addresses and removed before them."""

"""The rtnetlink bytes of routes and policy rules, packed and parsed. No socket, no clock, no state.

Layouts and numbers: `linux/rtnetlink.h`, `linux/fib_rules.h`, `linux/lwtunnel.h`. Removals describe what they remove as
fully as additions do, so that a route of somebody else is never meant.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from pyhad.common.config.model.routes import (
    EncapKind,
    Encapsulation,
    NextHop,
    Placement,
    RouteMetric,
    VirtualRoute,
    VirtualRule,
)
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.kernel.netlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    attribute,
    attributes,
    message,
)

RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTM_NEWRULE, RTM_DELRULE = 32, 33
NLM_F_REPLACE, NLM_F_APPEND = 0x100, 0x800

_RTMSG = struct.Struct("=BBBBBBBBI")  # family, dst len, src len, tos, table, protocol, scope, type, flags
_RULE = struct.Struct("=BBBBBxxBI")  # family, dst len, src len, tos, table, action, flags
_NEXT_HOP = struct.Struct("=HBBi")  # length, flags, weight - 1, interface
_U8, _U16, _U32, _PAIR16, _PAIR32 = (struct.Struct(f"={layout}") for layout in ("B", "H", "I", "HH", "II"))
_BE16, _BE32, _BE64 = (struct.Struct(f"!{layout}") for layout in ("H", "I", "Q"))
_RTNH_F_ONLINK = 4
_FIB_RULE_INVERT = 2
_WHOLE_TABLE_BYTE = 255
_RTAX_LOCK, _RTAX_CC_ALGO = 1, 16
_RTN_UNICAST = 1
_DEFAULT_METRIC6 = 1024
"""What the kernel gives an IPv6 route without a metric; a removal that names none would mean any."""
(
    _RTA_DST, _RTA_SRC, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_METRICS, _RTA_MULTIPATH, _RTA_FLOW,
    _RTA_TABLE, _RTA_VIA, _RTA_PREF, _RTA_ENCAP_TYPE, _RTA_ENCAP, _RTA_EXPIRES, _RTA_TTL_PROPAGATE,
) = (1, 2, 4, 5, 6, 7, 8, 9, 11, 15, 18, 20, 21, 22, 23, 26)  # fmt: skip
(
    _FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_GOTO, _FRA_PRIORITY, _FRA_FWMARK, _FRA_FLOW, _FRA_TUN_ID,
    _FRA_SUPPRESS_IFGROUP, _FRA_SUPPRESS_PREFIXLEN, _FRA_TABLE, _FRA_FWMASK, _FRA_OIFNAME, _FRA_L3MDEV, _FRA_UID_RANGE,
    _FRA_PROTOCOL, _FRA_IP_PROTO, _FRA_SPORT_RANGE, _FRA_DPORT_RANGE,
) = (1, 2, 3, 4, 6, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24)  # fmt: skip
_ENCAP_TYPES = {EncapKind.MPLS: 1, EncapKind.IP: 2, EncapKind.ILA: 3, EncapKind.IP6: 4}
_MPLS_BOTTOM = 0x100
_PLACEMENTS = {
    Placement.PREPEND: NLM_F_CREATE,
    Placement.ADD: NLM_F_CREATE | NLM_F_EXCL,
    Placement.APPEND: NLM_F_CREATE | NLM_F_APPEND,
}

IndexOf = Callable[[str], int]
"""The number of an interface by its name; KeyError where there is none."""


# ----------------------------------------------------------------------------------------------- routes


def encode_route_add(route: VirtualRoute, table: int, index_of: IndexOf, sequence: int) -> bytes:
    """RTM_NEWROUTE; EEXIST when the very same one is there. Raises KeyError naming an interface that is not."""
    flags = NLM_F_REQUEST | NLM_F_ACK | _PLACEMENTS[route.placement]
    return message(RTM_NEWROUTE, flags, sequence, _route(route, table, index_of))


def encode_route_probe(route: VirtualRoute, table: int, index_of: IndexOf, sequence: int) -> bytes:
    """Changes nothing: EEXIST when the very same IPv4 route is there, ENOENT when it is not. Not for IPv6."""
    return message(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK, sequence, _route(route, table, index_of))


def encode_route_remove(route: VirtualRoute, table: int, index_of: IndexOf, sequence: int) -> bytes:
    """RTM_DELROUTE; ESRCH when it is not there. Raises KeyError as above."""
    return message(RTM_DELROUTE, NLM_F_REQUEST | NLM_F_ACK, sequence, _route(route, table, index_of))


def _route(route: VirtualRoute, table: int, index_of: IndexOf) -> bytes:
    family = socket.AF_INET6 if route.family == 6 else socket.AF_INET
    head = _RTMSG.pack(
        family, route.prefix_len, route.source_len, route.tos, table if table < _WHOLE_TABLE_BYTE else 0,
        route.protocol, route.scope, route.type, _RTNH_F_ONLINK if route.onlink else 0,
    )  # fmt: skip
    metric = _DEFAULT_METRIC6 if route.family == 6 and route.metric is None else route.metric
    parts = [head, _u32(_RTA_TABLE, table)]
    if route.prefix_len:
        parts.append(_address(_RTA_DST, route.destination))
    if route.source:
        parts.append(_address(_RTA_SRC, route.source))
    if route.preferred_source:
        parts.append(_address(_RTA_PREFSRC, route.preferred_source))
    if metric is not None:
        parts.append(_u32(_RTA_PRIORITY, metric))
    parts.append(_way(route.family, route.gateway, route.encap, route.realms))
    if route.interface:
        parts.append(attribute(_RTA_OIF, _U32.pack(index_of(route.interface))))
    if route.metrics:
        parts.append(attribute(_RTA_METRICS, _metrics(route.metrics)))
    if route.next_hops:
        hops = b"".join(_next_hop(route.family, hop, index_of) for hop in route.next_hops)
        parts.append(attribute(_RTA_MULTIPATH, hops))
    if route.preference is not None:
        parts.append(attribute(_RTA_PREF, _U8.pack(route.preference)))
    if route.expires_s is not None:
        parts.append(_u32(_RTA_EXPIRES, route.expires_s))
    if route.ttl_propagate is not None:
        parts.append(attribute(_RTA_TTL_PROPAGATE, _U8.pack(route.ttl_propagate)))
    return b"".join(parts)


def _way(family: int, gateway: str, encap: Encapsulation | None, realms: int) -> bytes:
    parts = []
    if gateway and (":" in gateway) == (family == 6):
        parts.append(_address(_RTA_GATEWAY, gateway))
    elif gateway:  # IPv4 by way of an IPv6 neighbour
        packed = socket.inet_pton(socket.AF_INET6 if ":" in gateway else socket.AF_INET, gateway)
        via = _U16.pack(socket.AF_INET6 if ":" in gateway else socket.AF_INET) + packed
        parts.append(attribute(_RTA_VIA, via))
    if encap is not None:
        parts.append(attribute(_RTA_ENCAP_TYPE, _U16.pack(_ENCAP_TYPES[encap.kind])))
        parts.append(attribute(_RTA_ENCAP, _encap(encap)))
    if realms:
        parts.append(_u32(_RTA_FLOW, realms))
    return b"".join(parts)


def _next_hop(family: int, hop: NextHop, index_of: IndexOf) -> bytes:
    body = _way(family, hop.gateway, hop.encap, hop.realms)
    index = index_of(hop.interface) if hop.interface else 0
    flags = _RTNH_F_ONLINK if hop.onlink else 0
    return _NEXT_HOP.pack(_NEXT_HOP.size + len(body), flags, hop.weight - 1, index) + body


def _metrics(metrics: tuple[RouteMetric, ...]) -> bytes:
    locks = sum(1 << metric.number for metric in metrics if metric.locked)
    parts = [_u32(_RTAX_LOCK, locks)] if locks else []
    for metric in metrics:
        if metric.number == _RTAX_CC_ALGO:
            parts.append(attribute(metric.number, metric.text.encode() + b"\0"))
        else:
            parts.append(_u32(metric.number, metric.value))
    return b"".join(parts)


def _encap(encap: Encapsulation) -> bytes:
    if encap.kind is EncapKind.MPLS:
        last = len(encap.labels) - 1
        words = (_BE32.pack(label << 12 | (_MPLS_BOTTOM if at == last else 0)) for at, label in enumerate(encap.labels))
        return attribute(1, b"".join(words))
    if encap.kind is EncapKind.ILA:
        return attribute(1, _BE64.pack(encap.locator))
    parts = []
    if encap.tunnel_id is not None:
        parts.append(attribute(1, _BE64.pack(encap.tunnel_id)))
    if encap.destination:
        parts.append(_address(2, encap.destination))
    if encap.source:
        parts.append(_address(3, encap.source))
    if encap.ttl is not None:
        parts.append(attribute(4, _U8.pack(encap.ttl)))
    if encap.tos is not None:
        parts.append(attribute(5, _U8.pack(encap.tos)))
    if encap.flags is not None:
        parts.append(attribute(6, _BE16.pack(encap.flags)))
    return b"".join(parts)


# ------------------------------------------------------------------------------------------------ rules


def encode_rule_add(rule: VirtualRule, sequence: int) -> bytes:
    """RTM_NEWRULE; EEXIST when there is one that does the same."""
    return message(RTM_NEWRULE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sequence, _rule(rule))


def encode_rule_remove(rule: VirtualRule, sequence: int) -> bytes:
    """RTM_DELRULE of one with our protocol; ENOENT when it is not there."""
    return message(RTM_DELRULE, NLM_F_REQUEST | NLM_F_ACK, sequence, _rule(rule))


def _rule(rule: VirtualRule) -> bytes:
    head = _RULE.pack(
        socket.AF_INET6 if rule.family == 6 else socket.AF_INET, rule.destination_len, rule.source_len, rule.tos,
        rule.table if rule.table < _WHOLE_TABLE_BYTE else 0, rule.action, _FIB_RULE_INVERT if rule.inverted else 0,
    )  # fmt: skip
    parts = [head, _u32(_FRA_PRIORITY, rule.priority), attribute(_FRA_PROTOCOL, _U8.pack(rule.protocol))]
    if rule.table:
        parts.append(_u32(_FRA_TABLE, rule.table))
    if rule.destination:
        parts.append(_address(_FRA_DST, rule.destination))
    if rule.source:
        parts.append(_address(_FRA_SRC, rule.source))
    if rule.input_interface:
        parts.append(attribute(_FRA_IIFNAME, rule.input_interface.encode() + b"\0"))
    if rule.output_interface:
        parts.append(attribute(_FRA_OIFNAME, rule.output_interface.encode() + b"\0"))
    if rule.goto is not None:
        parts.append(_u32(_FRA_GOTO, rule.goto))
    return b"".join(parts) + _selectors(rule)


def _selectors(rule: VirtualRule) -> bytes:
    parts = []
    for kind, value in (
        (_FRA_FWMARK, rule.mark),
        (_FRA_FWMASK, rule.mark_mask),
        (_FRA_FLOW, rule.realms or None),
        (_FRA_SUPPRESS_IFGROUP, rule.suppress_group),
        (_FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefix_len),
    ):
        if value is not None:
            parts.append(_u32(kind, value))
    if rule.tunnel_id is not None:
        parts.append(attribute(_FRA_TUN_ID, _BE64.pack(rule.tunnel_id)))
    if rule.l3mdev:
        parts.append(attribute(_FRA_L3MDEV, _U8.pack(1)))
    if rule.uid_first is not None:
        parts.append(attribute(_FRA_UID_RANGE, _PAIR32.pack(rule.uid_first, rule.uid_last)))
    if rule.ip_protocol is not None:
        parts.append(attribute(_FRA_IP_PROTO, _U8.pack(rule.ip_protocol)))
    if rule.source_port is not None:
        parts.append(attribute(_FRA_SPORT_RANGE, _PAIR16.pack(rule.source_port, rule.source_port_last)))
    if rule.destination_port is not None:
        parts.append(attribute(_FRA_DPORT_RANGE, _PAIR16.pack(rule.destination_port, rule.destination_port_last)))
    return b"".join(parts)


# -------------------------------------------------------------------------------------------- notifications


@dataclass(frozen=True, slots=True)
class RouteGone:
    """A route was removed, or another took its place. `table` 0 means that the message did not say."""

    family: int
    destination: str
    prefix_len: int
    table: int


@dataclass(frozen=True, slots=True)
class RuleGone:
    """A policy rule was removed."""

    family: int
    priority: int


def parse_gone(kind: int, body: bytes) -> RouteGone | RuleGone | None:
    """What one message says of a loss; None when it says something else. Raises ValueError, struct.error."""
    if not body or body[0] not in (socket.AF_INET, socket.AF_INET6):
        return None
    family = 6 if body[0] == socket.AF_INET6 else 4
    if kind in (RTM_NEWROUTE, RTM_DELROUTE):
        _, prefix_len, _, _, table, _, _, _, _ = _RTMSG.unpack_from(body)
        found = attributes(body, _RTMSG.size)
        packed = found.get(_RTA_DST, bytes(16 if family == 6 else 4))
        destination = socket.inet_ntop(body[0], packed)
        return RouteGone(family, destination, prefix_len, _number(found, _RTA_TABLE, table))
    if kind == RTM_DELRULE:
        return RuleGone(family, _number(attributes(body, _RULE.size), _FRA_PRIORITY, 0))
    return None


def _number(found: dict[int, bytes], kind: int, default: int) -> int:
    return int(_U32.unpack(found[kind])[0]) if kind in found else default


def _u32(kind: int, value: int) -> bytes:
    return attribute(kind, _U32.pack(value))


def _address(kind: int, text: str) -> bytes:
    return attribute(kind, socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text))

"""Routes and rules as keepalived's dumps write them (SIG-21): not as in the file, but option by option. Pure.

What encapsulates a route's packets is named by its kind only.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyhad.common.config.model.routes import (
    PROTOCOL_KEEPALIVED,
    TABLE_MAIN,
    NextHop,
    RouteMetric,
    VirtualRoute,
    VirtualRule,
)

_TYPES = {2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit",
          9: "throw", 10: "nat"}  # fmt: skip
_PREFERENCES = {0: "medium", 1: "high", 3: "low"}
_CONGESTION_CONTROL, _FEATURES = 16, 12
_METRICS = {
    _CONGESTION_CONTROL: "congctl", 4: "rtt", 5: "rttvar", 13: "rto_min", _FEATURES: "features", 2: "mtu", 3: "window",
    6: "ssthresh", 7: "cwnd", 8: "advmss", 9: "reordering", 10: "hoplimit", 11: "initcwnd", 14: "initrwnd",
    15: "quickack",
}  # fmt: skip
"""RTAX_*, in the order of the dump."""
_PER_MS = {4: 8, 5: 4, 13: 1}
"""What the kernel counts these in."""
_ACTIONS = {3: "nop", 6: "type blackhole", 7: "type unreachable", 8: "type prohibit"}


def route(one: VirtualRoute) -> str:
    """`prepend 10.8.0.0/16 src 10.0.9.100 via inet 10.0.9.9 dev eth0 table 77 proto 18 metric 5`."""
    words = ["add" if one.type != 1 else one.placement.value, _TYPES.get(one.type, "")]
    words += [_network(one.destination, one.prefix_len)]
    words += ["from", _network(one.source, one.source_len)] if one.source else []
    words += ["src", one.preferred_source] if one.preferred_source else []
    words += ["tos", str(one.tos)] if one.tos else []
    words += ["encap", one.encap.kind.value] if one.encap is not None else []
    words += _way(one.gateway, one.interface)
    words += _place(one)
    words += ["onlink"] if one.onlink else []
    words += ["realm", _realms(one.realms)] if one.realms else []
    given = {metric.number: metric for metric in one.metrics}
    words += [_metric(given[number], name) for number, name in _METRICS.items() if number in given]
    words += [f"expires {one.expires_s}sec"] if one.expires_s is not None else []
    words += ["pref", _PREFERENCES[one.preference]] if one.preference is not None else []
    words += ["ttl-propagate", "enabled" if one.ttl_propagate else "disabled"] if one.ttl_propagate is not None else []
    words += [word for hop in one.next_hops for word in _next_hop(hop)]
    return _joined([*words, "" if one.tracked else "no_track"])


def _place(one: VirtualRoute) -> list[str]:
    table = ["table", one.vrf or str(one.table)] if one.vrf or one.table != TABLE_MAIN else []
    scope = ["scope", str(one.scope)] if one.scope else []
    metric = ["metric", str(one.metric)] if one.metric is not None else []
    return table + _protocol("proto", one.protocol, tracked=one.tracked) + scope + metric


def _protocol(word: str, number: int, *, tracked: bool) -> list[str]:
    """What is not followed has ours only by default."""
    return [word, str(number)] if tracked or number != PROTOCOL_KEEPALIVED else []


def _way(gateway: str, interface: str) -> list[str]:
    words = ["via", "inet6" if ":" in gateway else "inet", gateway] if gateway else []
    return words + (["dev", interface] if interface else [])


def _next_hop(hop: NextHop) -> Iterator[str]:
    yield "nexthop"
    yield from _way(hop.gateway, hop.interface)
    yield from ["weight", str(hop.weight)] if hop.weight != 1 else []
    yield "onlink" if hop.onlink else ""
    yield from ["realm", _realms(hop.realms)] if hop.realms else []


def _metric(metric: RouteMetric, name: str) -> str:
    lock = " lock" if metric.locked else ""
    if metric.number == _CONGESTION_CONTROL:
        return f"{name}{lock} {metric.text}"
    if metric.number == _FEATURES:
        return f"{name}{lock} ecn"
    per_ms = _PER_MS.get(metric.number)
    return f"{name}{lock} {metric.value // per_ms}ms" if per_ms else f"{name}{lock} {metric.value}"


def rule(one: VirtualRule) -> str:
    """`from 10.0.9.100 priority 100 tos 0x0 protocol 18 lookup 77`."""
    words = ["not" if one.inverted else "", "from", _network(one.source, one.source_len) if one.source else "all"]
    words += ["to", _network(one.destination, one.destination_len)] if one.destination else []
    words += ["priority", str(one.priority), "tos", f"{one.tos:#x}"]
    if one.mark is not None:
        words += ["fwmark", f"{one.mark:#x}" + ("" if one.mark_mask is None else f"/{one.mark_mask:#x}")]
    words += ["iif", one.input_interface] if one.input_interface else []
    words += ["oif", one.output_interface] if one.output_interface else []
    words += _number("suppress_prefixlen", one.suppress_prefix_len) + _number("suppress_ifgroup", one.suppress_group)
    words += _number("tunnel-id", one.tunnel_id) + _span("uidrange", one.uid_first, one.uid_last)
    words += ["l3mdev"] if one.l3mdev else []
    words += _protocol("protocol", one.protocol, tracked=one.tracked) + _number("ipproto", one.ip_protocol)
    words += _span("sport", one.source_port, one.source_port_last)
    words += _span("dport", one.destination_port, one.destination_port_last)
    words += ["realms", _realms(one.realms)] if one.realms else []
    return _joined([*words, _action(one), "" if one.tracked else "no_track"])


def _action(one: VirtualRule) -> str:
    return f"goto {one.goto}" if one.goto is not None else _ACTIONS.get(one.action, f"lookup {one.table}")


def _number(name: str, value: int | None) -> list[str]:
    return [] if value is None else [name, str(value)]


def _span(name: str, first: int | None, last: int) -> list[str]:
    return [] if first is None else [name, f"{first}-{last}"]


def _realms(both: int) -> str:
    """The source's, if there is one, and the destination's."""
    return f"{both >> 16}/{both & 0xFFFF}" if both >> 16 else str(both)


def _network(address: str, prefix_len: int) -> str:
    return address if prefix_len == (128 if ":" in address else 32) else f"{address}/{prefix_len}"


def _joined(words: list[str]) -> str:
    return " ".join(word for word in words if word)

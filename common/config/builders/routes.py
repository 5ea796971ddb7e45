"""Lines of `virtual_routes` and `static_routes` to the model (NET-6). Asks no kernel."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from pyhad.common.config.builders.encap import EncapReader
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model.routes import PROTOCOL_KEEPALIVED, NextHop, Placement, RouteMetric, VirtualRoute
from pyhad.common.config.name_tables import Names, NameTables
from pyhad.common.config.path_lines import PathLine, Refused, family_of, number_of, prefix_of, text_of
from pyhad.common.config.tree import Said, Statement
from pyhad.common.config.values import BadValue, canonical_address

TYPES = {
    "unicast": 1, "local": 2, "broadcast": 3, "brd": 3, "anycast": 4, "multicast": 5, "blackhole": 6,
    "unreachable": 7, "prohibit": 8, "throw": 9, "nat": 10, "xresolve": 11,
}  # fmt: skip
_HOST, _LINK = 254, 253
_SCOPE_OF_TYPE = {2: _HOST, 10: _HOST, 3: _LINK, 4: _LINK}
"""The kernel refuses these with the scope `global`."""
_METRICS = {
    "mtu": 2, "window": 3, "rtt": 4, "rttvar": 5, "ssthresh": 6, "cwnd": 7, "advmss": 8, "reordering": 9,
    "hoplimit": 10, "initcwnd": 11, "features": 12, "rto_min": 13, "initrwnd": 14, "quickack": 15, "congctl": 16,
    "fastopen_no_cookie": 17,
}  # fmt: skip
_PER_MS = {"rtt": 8, "rttvar": 4, "rto_min": 1}
"""Units of the kernel in a millisecond; a bare number is in the kernel's."""
_TIME_LIMITS_MS = (200, 120_000)
_FEATURE_ECN = 1
_PREFERENCES = {"low": 3, "medium": 0, "high": 1, "0": 0, "1": 1, "2": 2, "3": 3}
"""RFC 4191 section 2.1, by name or by number."""
_V4_ONLY = ("tos", "realms", "onlink", "scope")
_V6_ONLY = ("from", "expires", "pref")


def build_route(entry: Statement, names: NameTables, complaints: Complaints) -> VirtualRoute | None:
    """One line; None when it cannot be used, which has been said."""
    if entry.broken:
        return None
    try:
        return _Route(PathLine(entry, names, complaints)).build()
    except Refused:
        return None


class _Route:
    """One line on its way."""

    def __init__(self, line: PathLine) -> None:
        self._line = line
        self._fields: dict[str, Any] = {}
        self._metrics: list[RouteMetric] = []
        self._hops: list[NextHop] = []
        self._hop: dict[str, Any] | None = None
        """Fields of the next hop whose options come now."""
        self._encap = EncapReader(line)
        self._destination: Said | None = None

    def build(self) -> VirtualRoute:
        line = self._line
        for said in line.entry.said:
            self._take(said)
        self._end_hop()
        if self._destination is None:
            raise line.refuse(f"route '{line.text}' has no destination", hint="write a PREFIX, or default")
        family = self._family()
        destination, prefix_len = self._prefix(self._destination, family)
        fields = self._fields
        fields.setdefault("scope", _SCOPE_OF_TYPE.get(fields.get("type", 1), 0) if family == 4 else 0)
        route = VirtualRoute(
            text=line.text,
            family=family,
            destination=destination,
            prefix_len=prefix_len,
            metrics=tuple(sorted(self._metrics, key=lambda metric: metric.number)),
            next_hops=tuple(self._hops),
            **fields,
        )
        self._check(route)
        return self._marked(route)

    # ----------------------------------------------------------------------------------- option by option

    def _take(self, said: Said) -> None:
        name = said.name
        if name.startswith("encap "):
            self._encap.take(said)
        elif name == "nexthop":
            self._end_hop()
            self._hop = {}
        elif name in ("via", "dev", "onlink", "encap", "nexthop: weight", "or") or (name == "realms" and self._hop):
            self._take_way(said)
        elif name in ("DEST", "to"):
            self._take_destination(said)
        elif name in _METRICS:
            self._metrics.append(self._metric(said))
        else:
            self._take_field(said)

    def _take_way(self, said: Said) -> None:
        """What a route has once, or each of its next hops."""
        where = self._fields if self._hop is None else self._hop
        match said.name:
            case "via":
                where["gateway"] = text_of(said)
            case "dev":
                where["interface"] = text_of(said)
            case "onlink":
                where["onlink"] = True
            case "encap":
                self._encap.begin(said)
            case "nexthop: weight":
                where["weight"] = number_of(said)
            case "realms":
                where["realms"] = self._line.realms(said)
            case "or":  # the old form: two ways of equal weight, by one device
                self._hops.append(NextHop(gateway=text_of(said)))

    def _end_hop(self) -> None:
        encap = self._encap.end()
        if self._hop is None:
            if encap is not None:
                self._fields["encap"] = encap
            return
        self._hops.append(NextHop(**self._hop, encap=encap))
        self._hop = None

    def _take_destination(self, said: Said) -> None:
        if self._destination is not None:
            raise self._line.refuse(f"route '{self._line.text}' has two destinations", said)
        self._destination = said
        if said.leading:
            self._fields["type"] = TYPES[said.leading[-1]]

    def _take_field(self, said: Said) -> None:
        line, fields = self._line, self._fields
        match said.name:
            case "TYPE":
                if self._destination is not None:
                    raise line.refuse("the type of a route stands before its destination", said)
                text = text_of(said)
                fields["type"] = TYPES[text] if text in TYPES else int(text)
            case "src":
                fields["preferred_source"] = text_of(said)
            case "from":
                fields["source"], fields["source_len"] = prefix_of(said)
            case "tos":
                fields["tos"] = line.named(Names.DSFIELD, said)
            case "table":
                fields["table"] = line.named(Names.TABLE, said)
            case "protocol":
                fields["protocol"] = line.named(Names.PROTOCOL, said)
            case "scope":
                fields["scope"] = line.named(Names.SCOPE, said)
            case "metric":
                fields["metric"] = number_of(said)
            case "expires":
                fields["expires_s"] = number_of(said)
            case "realms":
                fields["realms"] = line.realms(said)
            case "pref":
                fields["preference"] = _PREFERENCES[text_of(said)]
            case "ttl-propagate":
                fields["ttl_propagate"] = text_of(said) == "enabled"
            case "add" | "prepend" | "append":
                fields["placement"] = Placement(said.name)
            case "no_track":
                fields["tracked"] = False
            case "vrf":
                fields["vrf"] = text_of(said)
            case "as":
                line.warn("as is ignored: the kernel has no such option any more", said)

    def _metric(self, said: Said) -> RouteMetric:
        number, locked, value = _METRICS[said.name], "lock" in said.leading, said.values[0]
        if said.name == "congctl":
            return RouteMetric(number=number, text=str(value), locked=locked)
        if said.name == "features":
            return RouteMetric(number=number, value=_FEATURE_ECN, locked=locked)
        if said.name in _PER_MS:
            return RouteMetric(number=number, value=self._time(said), locked=locked)
        assert isinstance(value, int)
        return RouteMetric(number=number, value=value, locked=locked)

    def _time(self, said: Said) -> int:
        text, per_ms = text_of(said), _PER_MS[said.name]
        if text.endswith("ms"):
            value = int(text[:-2]) * per_ms
        elif text.endswith("s"):
            whole, _, part = text[:-1].partition(".")
            value = (int(whole) * 1000 + int(part.ljust(3, "0") if part else 0)) * per_ms
        else:
            value = int(text)
        low, high = (limit * per_ms for limit in _TIME_LIMITS_MS)
        fitted = min(max(value, low), high)
        if fitted != value:
            self._line.warn(f"{said.name}: '{text}' is out of range (0.2 s to 120 s): the nearest is used", said)
        return fitted

    # ------------------------------------------------------------------------------------------ the whole

    def _family(self) -> int:
        """As said, else of the destination, else of the other addresses; IPv4 where none tells."""
        options = self._line.entry.options
        if "inet" in options or "inet6" in options:
            return 6 if "inet6" in options else 4
        assert self._destination is not None
        told = (text_of(self._destination), *(self._fields.get(name, "") for name in ("source", "preferred_source")))
        for text in told:
            if text not in ("", "default"):
                return family_of(text)
        gateways = [self._fields.get("gateway", ""), *(hop.gateway for hop in self._hops)]
        return 6 if any(":" in gateway for gateway in gateways) else 4

    def _prefix(self, said: Said, family: int) -> tuple[str, int]:
        text = text_of(said)
        if text == "default":
            return str(ipaddress.ip_address(bytes(16 if family == 6 else 4))), 0
        address, slash, length = text.partition("/")
        widest = 128 if ":" in address else 32
        try:
            canonical = canonical_address(address)
        except BadValue:
            raise self._line.refuse(f"'{text}' is no destination", said, hint="write ADDRESS/LENGTH") from None
        if slash and not (length.isdigit() and int(length) <= widest):
            raise self._line.refuse(f"'{text}': the length must be 0 to {widest}", said)
        network = ipaddress.ip_network((canonical, int(length) if slash else widest), strict=False)
        if str(network.network_address) != canonical:
            self._line.warn(f"'{text}' is no network: {network} is used", said)
        return str(network.network_address), network.prefixlen

    def _check(self, route: VirtualRoute) -> None:
        line, options = self._line, self._line.entry.options
        for name in _V6_ONLY if route.family == 4 else _V4_ONLY:
            if name in options and not (name == "onlink" or (name == "scope" and not route.scope)):
                message = f"{name} is for IPv{10 - route.family} routes only, and '{line.text}' is IPv{route.family}"
                raise line.refuse(message)
        addresses = [route.destination, route.preferred_source, route.source]
        if route.family == 6:
            addresses += [route.gateway, *(hop.gateway for hop in route.next_hops)]
        if any(address and family_of(address) != route.family for address in addresses):
            raise line.refuse(f"'{line.text}' mixes IPv4 and IPv6")
        if route.next_hops and "nexthop" in options and (route.gateway or route.interface):
            raise line.refuse(
                f"'{line.text}' has nexthops, and a way of its own", hint="move via and dev into a nexthop"
            )
        if any(not (hop.gateway or hop.interface) for hop in route.next_hops):
            raise line.refuse(f"a nexthop of '{line.text}' has neither via nor dev")

    def _marked(self, route: VirtualRoute) -> VirtualRoute:
        """Last fixes: the old `or`, and whose protocol it is."""
        old = [hop for hop in route.next_hops if not hop.interface] if "or" in self._line.entry.options else []
        if old:
            ways = (NextHop(gateway=route.gateway), *old)
            hops = tuple(NextHop(gateway=hop.gateway, interface=route.interface) for hop in ways if hop.gateway)
            route = replace(route, gateway="", interface="", next_hops=hops)
        if route.protocol != PROTOCOL_KEEPALIVED and route.tracked:
            hint = "say no_track with it, and the route is neither watched nor put back"
            self._line.warn(f"protocol is ignored: '{self._line.text}' is tracked by it", hint=hint)
            route = replace(route, protocol=PROTOCOL_KEEPALIVED)
        return route

"""The nftables form of the load-balancing table: text out, listing in. Pure; who runs nft is not known here.

One table `inet pyhad` that is wholly ours. Both nat hooks jump to `balance`, which finds a service's chain in a
verdict map by address, protocol and port. The service's chain deals new connections to destination chains by
`numgen inc` over interleaved slots, or by a hash of the client (sh, mh); a destination's chain counts and translates.
Weight 0 gets no slot; a service without slots refuses at once, so that clients fail fast. No masquerading: as with IPVS
in NAT mode the real server sees the client and must route back through us. Connections of a removed destination go on
until they end (IPVS drops them). Scheduler and flags are kept in the rule's comment, weights in the maps `weights4` and
`weights6`: a successor reads the whole table back from the listing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core.dealing import slots
from pyhad.ipvs_proc.core.table import (
    FLAG_SCHEDULER_1,
    FLAG_SCHEDULER_2,
    Connections,
    Destination,
    Endpoint,
    Entry,
    Reading,
    Service,
    Table,
)

TABLE = "inet pyhad"
HASH_SEED = 0x7079
"""The same on every node and for ever: a client stays with its server over a fail-over and a new rule."""
SCHEDULERS = ("rr", "wrr", "sh", "mh")
_BASE_CHAINS = {"balance": 2, "prerouting": 1, "output": 1}
"""Chains that are always there, and how many rules each must have."""

BASE = f"""\
add table {TABLE}
add map {TABLE} services4 {{ type ipv4_addr . inet_proto . inet_service : verdict; }}
add map {TABLE} services6 {{ type ipv6_addr . inet_proto . inet_service : verdict; }}
add map {TABLE} weights4 {{ type ipv4_addr . inet_proto . inet_service . ipv4_addr . inet_service : mark; }}
add map {TABLE} weights6 {{ type ipv6_addr . inet_proto . inet_service . ipv6_addr . inet_service : mark; }}
add chain {TABLE} balance
add chain {TABLE} prerouting {{ type nat hook prerouting priority -100; policy accept; }}
add chain {TABLE} output {{ type nat hook output priority -100; policy accept; }}
add rule {TABLE} balance ip daddr . meta l4proto . th dport vmap @services4
add rule {TABLE} balance ip6 daddr . meta l4proto . th dport vmap @services6
add rule {TABLE} prerouting jump balance
add rule {TABLE} output jump balance
"""
REMOVE = f"add table {TABLE}\ndelete table {TABLE}\n"
"""`add` first: deleting what is not there would fail."""


def problem_with(entry: Entry) -> str:
    """Why nftables cannot serve this as it is configured, as a sentence; empty when it can."""
    service = entry.service
    if service.listener.fwmark:
        return "firewall marks need IPVS: this kernel has none"
    if service.listener.port == 0:
        return "a service for all ports needs IPVS: this kernel has none"
    if service.scheduler not in SCHEDULERS:
        return f"scheduler {service.scheduler} needs IPVS: with nftables there are {', '.join(SCHEDULERS)}"
    if service.flags & ~(FLAG_SCHEDULER_1 | FLAG_SCHEDULER_2 if service.scheduler in ("sh", "mh") else 0):
        return "scheduler flags need IPVS: this kernel has none"
    if service.persistence_timeout_s:
        return "persistence needs IPVS: this kernel has none"
    for destination in entry.destinations.values():
        if destination.forwarding is not Forwarding.NAT:
            return f"forwarding {destination.forwarding} needs IPVS: with nftables there is NAT"
        if destination.upper_threshold or destination.lower_threshold:
            return "connection limits need IPVS: this kernel has none"
        if (6 if ":" in destination.address else 4) != service.listener.family:
            return "server and service of different address families need IPVS tunnels"
    return ""


def write_entry(listener: Listener, before: Entry | None, after: Entry | None) -> Iterator[str]:
    """The commands that turn `before` into `after`, in an order that one transaction accepts."""
    if before is None and after is None:
        return
    chain = chain_name(listener)
    old = before.destinations if before is not None else {}
    new = after.destinations if after is not None else {}
    if before is None:
        yield f"add chain {TABLE} {chain}"
    for endpoint in (each for each in new if each not in old):
        yield from _add_destination_chain(listener, endpoint)
    if before is not None:
        yield f"flush chain {TABLE} {chain}"
    if after is not None:
        yield f"add rule {TABLE} {chain} {_deal(after)}"
    yield from _write_weights(listener, old, new)
    if before is None:
        yield f"add element {TABLE} services{listener.family} {{ {_key(listener)} : goto {chain} }}"
    if after is None:
        yield f"delete element {TABLE} services{listener.family} {{ {_key(listener)} }}"
    for endpoint in (each for each in old if each not in new):
        yield f"flush chain {TABLE} {destination_chain_name(listener, endpoint)}"
        yield f"delete chain {TABLE} {destination_chain_name(listener, endpoint)}"
    if after is None:
        yield f"delete chain {TABLE} {chain}"


def _add_destination_chain(listener: Listener, endpoint: Endpoint) -> Iterator[str]:
    chain = destination_chain_name(listener, endpoint)
    family = "ip" if listener.family == 4 else "ip6"
    address = endpoint[0] if listener.family == 4 else f"[{endpoint[0]}]"
    yield f"add chain {TABLE} {chain}"
    yield (
        f"add rule {TABLE} {chain} counter meta l4proto {listener.protocol} dnat {family} to {address}:{endpoint[1]}"
    )


def _write_weights(
    listener: Listener, old: dict[Endpoint, Destination], new: dict[Endpoint, Destination]
) -> Iterator[str]:
    for endpoint, destination in old.items():
        there = new.get(endpoint)
        if there is None or there.weight != destination.weight:
            yield f"delete element {TABLE} weights{listener.family} {{ {_key(listener)} . {_pair(endpoint)} }}"
    for endpoint, destination in new.items():
        there = old.get(endpoint)
        if there is None or there.weight != destination.weight:
            element = f"{_key(listener)} . {_pair(endpoint)} : {destination.weight}"
            yield f"add element {TABLE} weights{listener.family} {{ {element} }}"


def _deal(entry: Entry) -> str:
    """The one rule of a service's chain."""
    listener = entry.service.listener
    names = [destination_chain_name(listener, endpoint) for endpoint in slots(entry)]
    comment = f'comment "{_remembered(entry.service)}"'
    if not names:
        answer = "tcp reset" if listener.protocol is Protocol.TCP else "icmpx type port-unreachable"
        return f"meta l4proto {listener.protocol} reject with {answer} {comment}"
    if len(names) == 1:
        return f"goto {names[0]} {comment}"
    lots = ", ".join(f"{number} : goto {name}" for number, name in enumerate(names))
    return f"{_draw(entry.service, len(names))} vmap {{ {lots} }} {comment}"


def _draw(service: Service, lots: int) -> str:
    """How a new connection gets its number."""
    if service.scheduler in ("rr", "wrr"):
        return f"numgen inc mod {lots}"
    listener = service.listener
    what = "ip saddr" if listener.family == 4 else "ip6 saddr"
    if service.flags & FLAG_SCHEDULER_2:  # sh-port, mh-port
        what += f" . {listener.protocol} sport"
    return f"jhash {what} mod {lots} seed {HASH_SEED:#x}"


def _remembered(service: Service) -> str:
    """Scheduler and flags for whoever reads the table back."""
    return f"{service.scheduler} {service.flags}" if service.flags else service.scheduler


# ------------------------------------------------------------------------------------------------ names


def chain_name(listener: Listener) -> str:
    """`tcp4.10.0.0.1.80`, `tcp6.fd00__1.80`: an identifier that nft takes and that can be read back."""
    return f"{listener.protocol}{listener.family}.{listener.address.replace(':', '_')}.{listener.port}"


def destination_chain_name(listener: Listener, endpoint: Endpoint) -> str:
    """The service's name, a slash, the destination's."""
    return f"{chain_name(listener)}/{endpoint[0].replace(':', '_')}.{endpoint[1]}"


def _key(listener: Listener) -> str:
    return f"{listener.address} . {listener.protocol} . {listener.port}"


def _pair(endpoint: Endpoint) -> str:
    return f"{endpoint[0]} . {endpoint[1]}"


def _listener_of(key: list[Any], family: int) -> Listener | None:
    address, protocol, port = key
    words = {6: Protocol.TCP, 17: Protocol.UDP, 132: Protocol.SCTP}
    try:
        known = words[protocol] if isinstance(protocol, int) else Protocol(protocol)
        return Listener(protocol=known, family=family, address=str(ipaddress.ip_address(address)), port=int(port))
    except (KeyError, ValueError):
        return None


# -------------------------------------------------------------------------------------------- reading back


def read_listing(objects: list[dict[str, Any]]) -> Reading | None:
    """The table from nft's JSON listing (`nftables` array). None when it is not there or its frame is damaged."""
    chains: set[str] = set()
    rules: dict[str, list[dict[str, Any]]] = {}
    maps: dict[str, list[Any]] = {}
    for each in objects:
        if "chain" in each:
            chains.add(each["chain"]["name"])
        elif "rule" in each:
            rules.setdefault(each["rule"]["chain"], []).append(each["rule"])
        elif "map" in each:
            maps[each["map"]["name"]] = each["map"].get("elem", [])
    if any(len(rules.get(name, ())) != count or name not in chains for name, count in _BASE_CHAINS.items()):
        return None
    if not {"services4", "services6", "weights4", "weights6"} <= maps.keys():
        return None
    return _read_entries(chains, rules, maps)


def _read_entries(
    chains: set[str], rules: dict[str, list[dict[str, Any]]], maps: dict[str, list[Any]]
) -> Reading | None:
    table: Table = {}
    connections: dict[tuple[Listener, Endpoint], Connections] = {}
    known = set(_BASE_CHAINS)
    for family in (4, 6):
        for key, _ in maps[f"services{family}"]:
            listener = _listener_of(key["concat"], family)
            if listener is None or len(rules.get(chain_name(listener), ())) != 1:
                return None
            scheduler, _, flags = rules[chain_name(listener)][0].get("comment", "").partition(" ")
            service = Service(listener=listener, scheduler=scheduler, flags=int(flags) if flags.isdecimal() else 0)
            table[listener] = Entry(service=service, destinations={})
            known.add(chain_name(listener))
        for key, weight in maps[f"weights{family}"]:
            *words, address, port = key["concat"]
            listener = _listener_of(words, family)
            if listener is None or listener not in table:
                return None
            endpoint = (str(ipaddress.ip_address(address)), int(port))
            name = destination_chain_name(listener, endpoint)
            if len(rules.get(name, ())) != 1:
                return None
            table[listener].destinations[endpoint] = Destination(
                address=endpoint[0], port=endpoint[1], weight=int(weight), forwarding=Forwarding.NAT
            )
            connections[listener, endpoint] = Connections(total=_count(rules[name][0]))
            known.add(name)
    return Reading(table=table, connections=connections) if chains == known else None


def _count(rule: dict[str, Any]) -> int:
    for expression in rule["expr"]:
        if "counter" in expression:
            return int(expression["counter"]["packets"])
    return -1

"""The nftables form of the load-balancing table, as text for nft. Pure; who runs nft is not known here.

One table `inet pyhad` that is wholly ours. Both nat hooks jump to `balance`, which finds a service's chain in a
verdict map by mark, by address, protocol and port, or by address and protocol alone. The service's chain first looks
whether a destination knows the client (persistence: one set with timeout per destination), then deals new connections
to destination chains by `numgen inc` over interleaved slots, or by a hash of the client (sh, mh) or of the address
asked for (dh). A packet that is within that rule at the moment when another replaces it finds the map of lots empty
already: the rule behind takes what falls through. A destination's chain remembers the client, counts and translates.
Weight 0 gets no slot and no old client; a service without slots refuses at once, so that clients fail fast. Real
servers see the client and must route back through us, as with IPVS in NAT mode, unless the service masquerades.
Connections of a removed destination go on until they end (IPVS drops them). Settings of a service are kept in the
comment of its last rule, weights in maps: a successor reads the whole table back from the listing
(`ruleset_listing.py`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core.dealing import slots
from pyhad.ipvs_proc.core.ruleset_names import (
    TABLE,
    chain_name,
    clients_name,
    destination_chain_name,
    host,
    masquerade_key,
    name_within,
    service_key,
    services_map,
    weight_key,
    weights_map,
)
from pyhad.ipvs_proc.core.table import FLAG_SCHEDULER_1, FLAG_SCHEDULER_2, Destination, Endpoint, Entry, Service

HASH_SEED = 0x7079
"""The same on every node and for ever: a client stays with its server over a fail-over and a new rule."""
CLIENTS_MAX = 65535
"""Clients that a destination remembers; those beyond are dealt anew each time."""
SCHEDULERS = ("rr", "wrr", "sh", "mh", "dh")
BASE_CHAINS = {"balance": 6, "prerouting": 1, "output": 1, "postrouting": 2}
"""Chains that are always there, and how many rules each must have."""

_ADDRESS = {4: "ipv4_addr", 6: "ipv6_addr"}


def _base() -> Iterator[str]:
    yield f"add table {TABLE}"
    for family, address in _ADDRESS.items():
        yield f"add map {TABLE} marks{family} {{ type mark : verdict; }}"
        yield f"add map {TABLE} services{family} {{ type {address} . inet_proto . inet_service : verdict; }}"
        yield f"add map {TABLE} hosts{family} {{ type {address} . inet_proto : verdict; }}"
        key = f"{address} . inet_proto . inet_service . {address} . inet_service"
        yield f"add map {TABLE} weights{family} {{ type {key} : mark; }}"
        yield f"add map {TABLE} markweights{family} {{ type mark . {address} . inet_service : mark; }}"
        yield f"add set {TABLE} masquerade{family} {{ type {address} . {address} . inet_proto . inet_service; }}"
    yield f"add chain {TABLE} balance"
    for hook, kind in (("prerouting", -100), ("output", -100), ("postrouting", 100)):
        yield f"add chain {TABLE} {hook} {{ type nat hook {hook} priority {kind}; policy accept; }}"
    for family, word in ((4, "ipv4"), (6, "ipv6")):  # as with IPVS a mark comes before an address
        yield f"add rule {TABLE} balance meta nfproto {word} meta mark vmap @marks{family}"
    for family, ip in ((4, "ip"), (6, "ip6")):
        yield f"add rule {TABLE} balance {ip} daddr . meta l4proto . th dport vmap @services{family}"
        yield f"add rule {TABLE} balance {ip} daddr . meta l4proto vmap @hosts{family}"
        translated = f"ct original {ip} daddr . {ip} daddr . meta l4proto . th dport"
        yield f"add rule {TABLE} postrouting ct status dnat {translated} @masquerade{family} masquerade"
    yield f"add rule {TABLE} prerouting jump balance"
    yield f"add rule {TABLE} output jump balance"


BASE = "\n".join(_base()) + "\n"
REMOVE = f"add table {TABLE}\ndelete table {TABLE}\n"
"""`add` first: deleting what is not there would fail."""


def problem_with(entry: Entry) -> str:
    """Why nftables cannot serve this as it is configured, as a sentence; empty when it can."""
    service = entry.service
    if service.scheduler not in SCHEDULERS:
        return f"scheduler {service.scheduler} needs IPVS: with nftables there are {', '.join(SCHEDULERS)}"
    if service.flags & ~(FLAG_SCHEDULER_1 | FLAG_SCHEDULER_2 if service.scheduler in ("sh", "mh") else 0):
        return "one-packet scheduling and plain scheduler flags need IPVS"
    if service.persistence_engine:
        return f"persistence engine {service.persistence_engine} needs IPVS"
    if service.masquerade and not service.listener.port:
        return "masquerading needs a service with a port"
    for destination in entry.destinations.values():
        if destination.forwarding is not Forwarding.NAT:
            return f"forwarding {destination.forwarding} needs IPVS: with nftables there is NAT"
        if destination.upper_threshold or destination.lower_threshold:
            return "connection limits need IPVS"
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
    yield f"add chain {TABLE} {chain}" if before is None else f"flush chain {TABLE} {chain}"
    if after is not None:
        yield from _write_destinations(before, after)
        yield from _deal(after)
    yield from _write_weights(listener, old, new)
    yield from _write_masquerade(before, after)
    element = service_key(listener)
    if before is None:
        yield f"add element {TABLE} {services_map(listener)} {{ {element} : goto {chain} }}"
    if after is None:
        yield f"delete element {TABLE} {services_map(listener)} {{ {element} }}"
    for endpoint in (each for each in old if each not in new):
        yield f"flush chain {TABLE} {destination_chain_name(listener, endpoint)}"
        yield f"delete chain {TABLE} {destination_chain_name(listener, endpoint)}"
        if before is not None and before.service.persistence_timeout_s:
            yield f"delete set {TABLE} {clients_name(listener, endpoint)}"
    if after is None:
        yield f"delete chain {TABLE} {chain}"


# ------------------------------------------------------------------------------------------ destinations


def _write_destinations(before: Entry | None, after: Entry) -> Iterator[str]:
    """Their chains and clients. All are made anew when persistence is another: their counters begin again."""
    listener = after.service.listener
    old = before.destinations if before is not None else {}
    redo = before is not None and _persistence(before.service) != _persistence(after.service)
    for endpoint, destination in after.destinations.items():
        there = old.get(endpoint)
        if there is None:
            yield f"add chain {TABLE} {destination_chain_name(listener, endpoint)}"
        elif redo:
            yield f"flush chain {TABLE} {destination_chain_name(listener, endpoint)}"
            if before is not None and before.service.persistence_timeout_s:
                yield f"delete set {TABLE} {clients_name(listener, endpoint)}"
        else:
            if after.service.persistence_timeout_s and there.weight > 0 and destination.weight == 0:
                yield f"flush set {TABLE} {clients_name(listener, endpoint)}"  # they find another, and stay there
            continue
        yield from _fill_destination(after.service, endpoint)


def _fill_destination(service: Service, endpoint: Endpoint) -> Iterator[str]:
    listener = service.listener
    chain = destination_chain_name(listener, endpoint)
    ip, address, port = "ip", host(endpoint[0]), f":{endpoint[1]}" if endpoint[1] else ""
    if listener.family == 6:
        ip, address = "ip6", f"[{address}]" if port else address
    if service.persistence_timeout_s:
        clients = clients_name(listener, endpoint)
        kind = f"type {_ADDRESS[listener.family]}; flags dynamic,timeout"
        yield f"add set {TABLE} {clients} {{ {kind}; timeout {service.persistence_timeout_s}s; size {CLIENTS_MAX}; }}"
        # a rule of its own: when the set is full the connection goes on all the same
        yield f"add rule {TABLE} {chain} update @{clients} {{ {_client(service)} }}"
    protocols = str(listener.protocol)
    if listener.fwmark:
        protocols = "{ tcp, udp, sctp }"
    transport = f"meta l4proto {protocols} " if port or not listener.fwmark else ""
    yield f"add rule {TABLE} {chain} counter {transport}dnat {ip} to {address}{port}"


def _persistence(service: Service) -> tuple[int, int]:
    return service.persistence_timeout_s, service.persistence_prefix_len


def _client(service: Service) -> str:
    """The part of a client's address that makes it the same client."""
    family = service.listener.family
    source, bits = ("ip saddr", 32) if family == 4 else ("ip6 saddr", 128)
    length = service.persistence_prefix_len
    if length >= bits:
        return source
    number = (1 << bits) - (1 << bits - length)
    mask = ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number)
    return f"{source} & {mask}"


def _write_weights(
    listener: Listener, old: dict[Endpoint, Destination], new: dict[Endpoint, Destination]
) -> Iterator[str]:
    where = f"{TABLE} {weights_map(listener)}"
    for endpoint, destination in old.items():
        there = new.get(endpoint)
        if there is None or there.weight != destination.weight:
            yield f"delete element {where} {{ {weight_key(listener, endpoint)} }}"
    for endpoint, destination in new.items():
        there = old.get(endpoint)
        if there is None or there.weight != destination.weight:
            yield f"add element {where} {{ {weight_key(listener, endpoint)} : {destination.weight} }}"


def _write_masquerade(before: Entry | None, after: Entry | None) -> Iterator[str]:
    old, new = (
        {} if entry is None or not entry.service.masquerade else entry.destinations for entry in (before, after)
    )
    entry = after or before
    assert entry is not None
    listener = entry.service.listener
    for word, some, others in (("delete", old, new), ("add", new, old)):
        for endpoint in (each for each in some if each not in others):
            yield f"{word} element {TABLE} masquerade{listener.family} {{ {masquerade_key(listener, endpoint)} }}"


# ------------------------------------------------------------------------------------------------ dealing


def _deal(entry: Entry) -> Iterator[str]:
    """The rules of a service's chain: who is known, then how all others are dealt."""
    service, listener = entry.service, entry.service.listener
    own_name = chain_name(listener)
    chain = f"add rule {TABLE} {own_name}"
    if service.persistence_timeout_s:
        for endpoint, destination in entry.destinations.items():
            if destination.weight > 0:
                known = f"{_client(service)} @{clients_name(listener, endpoint)}"
                yield f"{chain} {known} goto {destination_chain_name(listener, endpoint)}"
    names = [name_within(own_name, endpoint) for endpoint in slots(entry)]
    comment = f'comment "{remembered(service)}"'
    if not names:
        yield f"{chain} {_refusal(listener)} {comment}"
    elif len(names) == 1:
        yield f"{chain} goto {names[0]} {comment}"
    else:
        lots = ", ".join(f"{number} : goto {name}" for number, name in enumerate(names))
        yield f"{chain} {_draw(service, len(names))} vmap {{ {lots} }}"
        yield f"{chain} goto {min(names)} {comment}"  # for a packet amid a change: lots are gone with their rule


def _refusal(listener: Listener) -> str:
    if listener.protocol is Protocol.TCP:
        return "meta l4proto tcp reject with tcp reset"
    protocol = "" if listener.fwmark else f"meta l4proto {listener.protocol} "
    return f"{protocol}reject with icmpx type port-unreachable"


def _draw(service: Service, lots: int) -> str:
    """How a new connection gets its number."""
    if service.scheduler in ("rr", "wrr"):
        return f"numgen inc mod {lots}"
    listener = service.listener
    ip = "ip" if listener.family == 4 else "ip6"
    what = f"{ip} daddr" if service.scheduler == "dh" else f"{ip} saddr"
    if service.flags & FLAG_SCHEDULER_2:  # sh-port, mh-port
        what += f" . {'th' if listener.fwmark else listener.protocol} sport"
    return f"jhash {what} mod {lots} seed {HASH_SEED:#x}"


def remembered(service: Service) -> str:
    """Settings for whoever reads the table back: `wrr`, `sh 16`, `rr persist=360/24 masquerade`."""
    words = [service.scheduler]
    if service.flags:
        words.append(str(service.flags))
    if service.persistence_timeout_s:
        words.append(f"persist={service.persistence_timeout_s}/{service.persistence_prefix_len}")
    if service.masquerade:
        words.append("masquerade")
    return " ".join(words)

"""Groups of addresses as one service each, found by a mark that nftables gives (`nftables_ipvs`, LVS-22). Pure.

As keepalived does it: marks from `nftables_ipvs_start_fwmark` up, one for each group and protocol, and in a table for
each family a map by address and port for each protocol. A mark stays with its group for as long as the group is
configured, whatever stands before it after a reload: another mark would be another service, without connections.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pyhad.common.config.model import Listener, Marking, Protocol, VirtualServer

OURS = "pyhad"
"""A chain of this name, with nothing in it, makes a table ours."""
_FAMILIES = {4: ("ip", "ipv4_addr"), 6: ("ip6", "ipv6_addr")}
_SPECIFIC, _ANY_PORT = "map", "any_map"


def allot(services: Iterable[VirtualServer], first_mark: int, known: Mapping[str, int]) -> dict[str, int]:
    """The mark of each marked service by its id. What is `known` stays; the configuration's own marks are not used."""
    every = list(services)
    marked = [service.id for service in every if service.marked]
    taken = {listener.fwmark for service in every for listener in service.listeners if listener.fwmark}
    marks = {name: known[name] for name in marked if name in known and known[name] not in taken}
    taken.update(marks.values())
    mark = first_mark
    for name in marked:
        if name not in marks:
            while mark in taken:
                mark += 1
            marks[name] = mark
            taken.add(mark)
    return marks


def with_mark(service: VirtualServer, mark: int) -> VirtualServer:
    """The same service at a mark in place of its addresses."""
    listener = Listener(protocol=Protocol.NONE, family=service.listeners[0].family, fwmark=mark)
    return replace(service, listeners=(listener,))


def ruleset(marking: Marking, services: Iterable[VirtualServer], marks: Mapping[str, int]) -> str:
    """What puts the tables of `marking` in place of those that are there, as text for nft: one transaction."""
    maps: dict[tuple[int, Protocol, str], list[str]] = {}
    for service in services:
        for listener, last in _ranges(service.listeners) if service.id in marks else ():
            place = listener.family, listener.protocol, _SPECIFIC if listener.port else _ANY_PORT
            addresses = listener.address if last == listener.address else f"{listener.address}-{last}"
            key = f"{addresses} . {listener.port}" if listener.port else addresses
            maps.setdefault(place, []).append(f"{key} : {marks[service.id]}")
    text = remove(marking.table)
    for family, (kind, address) in _FAMILIES.items():
        mine = {place[1:]: elements for place, elements in maps.items() if place[0] == family}
        if mine:
            body = "".join(_table(marking, kind, address, mine))
            text += f"table {kind} {marking.table} {{\n chain {OURS} {{\n }}\n{body}}}\n"
    return text


def remove(table: str) -> str:
    """Takes both tables away, whether they are there or not."""
    return "".join(f"add table {kind} {table}\ndelete table {kind} {table}\n" for kind, _ in _FAMILIES.values())


def _table(marking: Marking, kind: str, address: str, maps: Mapping[tuple[Protocol, str], list[str]]) -> Iterator[str]:
    counter = " counter" if marking.counters else ""
    rules: list[str] = []
    for (protocol, sort), elements in sorted(maps.items(), key=lambda item: (item[0][1] != _SPECIFIC, item[0][0])):
        key = f"{address} . inet_service" if sort == _SPECIFIC else address
        name = f"{protocol}_{sort}"
        yield f" map {name} {{\n  type {key} : mark\n  flags interval\n  elements = {{ {', '.join(elements)} }}\n }}\n"
        if sort == _SPECIFIC:
            rules.append(f"  meta mark set {kind} daddr . {protocol} dport map @{name}{counter} return\n")
        else:
            rules.append(f"  meta l4proto {protocol} meta mark set {kind} daddr map @{name}{counter} return\n")
    yield f" chain in {{\n  type filter hook input priority {marking.priority}; policy accept;\n"
    yield from rules
    yield " }\n"


def _ranges(listeners: Iterable[Listener]) -> Iterator[tuple[Listener, str]]:
    """Listeners whose addresses follow each other on one port, as the first and the last address."""
    numbers = sorted((one.port, int(ipaddress.ip_address(one.address)), one) for one in dict.fromkeys(listeners))
    begin = 0
    for index in range(1, len(numbers) + 1):
        port, number, _ = numbers[index - 1]
        if index == len(numbers) or numbers[index][:2] != (port, number + 1):
            yield numbers[begin][2], numbers[index - 1][2].address
            begin = index

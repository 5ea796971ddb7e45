"""The load-balancing table from nft's JSON listing: what `ruleset.py` wrote, read back. Pure.

What is not wholly as it was written counts as no table at all, and is built anew. A service that has its servers but
not the rules of its own is one that nobody wants so: its rules are written again, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyhad.common.config.model import Forwarding, Listener
from pyhad.common.records import dataclass, field
from pyhad.ipvs_proc.core.ruleset import BASE_CHAINS, remembered
from pyhad.ipvs_proc.core.ruleset_names import chain_name, clients_name, destination_chain_name, listener_of, place_of
from pyhad.ipvs_proc.core.table import DAMAGED, Connections, Destination, Endpoint, Entry, Reading, Service, Table

MAPS = tuple(
    f"{kind}{family}" for kind in ("marks", "services", "hosts", "weights", "markweights") for family in (4, 6)
)
"""Listed with their elements; everything else is listed without, for the clients of a service may be many."""
MASQUERADE = ("masquerade4", "masquerade6")


@dataclass(slots=True)
class _Listing:
    """The parts by name."""

    chains: set[str] = field(default_factory=set)
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    maps: dict[str, list[Any]] = field(default_factory=dict)
    sets: set[str] = field(default_factory=set)

    def add(self, part: dict[str, Any]) -> None:
        if "chain" in part:
            self.chains.add(part["chain"]["name"])
        elif "rule" in part:
            self.rules.setdefault(part["rule"]["chain"], []).append(part["rule"])
        elif "map" in part:  # twice: without elements among everything, and with them
            name, elements = part["map"]["name"], part["map"].get("elem", [])
            self.maps[name] = elements or self.maps.get(name, [])
        elif "set" in part:
            self.sets.add(part["set"]["name"])

    def count(self, chain: str) -> int:
        return len(self.rules.get(chain, ()))


def read_listing(objects: list[dict[str, Any]]) -> Reading | None:
    """The table from nft's JSON listing (`nftables` array). None when it is not there or its frame is damaged."""
    listing = _Listing()
    for part in objects:
        listing.add(part)
    if any(listing.count(name) != count or name not in listing.chains for name, count in BASE_CHAINS.items()):
        return None
    if not (listing.maps.keys() >= set(MAPS) and listing.sets >= set(MASQUERADE)):
        return None
    table = _read_services(listing)
    return _read_destinations(listing, table) if table is not None else None


def _read_services(listing: _Listing) -> Table | None:
    table: Table = {}
    for family in (4, 6):
        for kind in ("marks", "services", "hosts"):
            for key, _ in listing.maps[f"{kind}{family}"]:
                listener = listener_of(key, family)
                rules = listing.rules.get(chain_name(listener), []) if listener is not None else []
                service = _service(listener, rules[-1].get("comment", "")) if listener is not None and rules else None
                if listener is None or service is None:
                    return None
                table[listener] = Entry(service=service, destinations={})
    return table


def _service(listener: Listener, comment: str) -> Service | None:
    scheduler, *words = comment.split()[:4] or [""]
    flags = timeout_s = prefix_len = 0
    for word in words:
        if word.isdecimal():
            flags = int(word)
        elif word.startswith("persist="):
            timeout, _, prefix = word.removeprefix("persist=").partition("/")
            if not (timeout.isdecimal() and prefix.isdecimal()):
                return None
            timeout_s, prefix_len = int(timeout), int(prefix)
    service = Service(
        listener=listener,
        scheduler=scheduler,
        flags=flags,
        persistence_timeout_s=timeout_s,
        persistence_prefix_len=prefix_len,
        masquerade="masquerade" in words,
    )
    return service if remembered(service) == comment else None


def _read_destinations(listing: _Listing, table: Table) -> Reading | None:
    connections: dict[Listener, dict[Endpoint, Connections]] = {}
    known = set(BASE_CHAINS) | {chain_name(listener) for listener in table}
    for family in (4, 6):
        for kind in ("weights", "markweights"):
            for key, weight in listing.maps[f"{kind}{family}"]:
                place = place_of(key, family, by_mark=kind == "markweights")
                if place is None or place[0] not in table:
                    return None
                listener, endpoint = place
                counted = _counted(listing, table[listener].service, endpoint)
                if counted is None:
                    return None
                table[listener].destinations[endpoint] = Destination(
                    address=endpoint[0], port=endpoint[1], weight=int(weight), forwarding=Forwarding.NAT
                )
                connections.setdefault(listener, {})[endpoint] = counted
                known.add(destination_chain_name(listener, endpoint))
    for listener, entry in table.items():
        if listing.count(chain_name(listener)) != _rules_of(entry):  # of another program, or somebody was there
            table[listener] = replace(entry, service=replace(entry.service, scheduler=DAMAGED))
    return Reading(table=table, connections=connections) if listing.chains == known else None


def _rules_of(entry: Entry) -> int:
    """How many rules the chain of a service has: questions of a persistent one, lots, and what takes all others."""
    serving = sum(destination.weight > 0 for destination in entry.destinations.values())
    return (serving if entry.service.persistence_timeout_s else 0) + (serving > 1) + 1


def _counted(listing: _Listing, service: Service, endpoint: Endpoint) -> Connections | None:
    """None when the destination's chain or set is not as it was made."""
    persistent = service.persistence_timeout_s > 0
    rules = listing.rules.get(destination_chain_name(service.listener, endpoint), [])
    if len(rules) != 1 + persistent or (persistent and clients_name(service.listener, endpoint) not in listing.sets):
        return None
    for expression in rules[-1]["expr"]:
        if "counter" in expression:
            return Connections(total=int(expression["counter"]["packets"]))
    return Connections()

"""The table read back from what nft prints."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core.ruleset_listing import MAPS, read_listing
from pyhad.ipvs_proc.core.table import Connections, Destination, Entry, Service

SVC = "tcp4.10.0.0.1.80"


def chain(name: str, *rules: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"chain": {"name": name}}, *({"rule": {"chain": name, **rule}} for rule in rules)]


PLAIN: dict[str, Any] = {"expr": []}
COUNTED = {"expr": [{"counter": {"packets": 7, "bytes": 420}}]}


def frame(**elements: list[Any]) -> list[dict[str, Any]]:
    """Chains, maps and sets that are always there, with these elements of maps."""
    maps = [{"map": {"name": name, **({"elem": elements[name]} if name in elements else {})}} for name in MAPS]
    sets = [{"set": {"name": f"masquerade{family}"}} for family in (4, 6)]
    rules = [*chain("balance", *[PLAIN] * 6), *chain("prerouting", PLAIN), *chain("output", PLAIN)]
    without_elements = [{"map": {"name": name}} for name in MAPS]
    return [{"metainfo": {}}, *without_elements, *sets, *rules, *chain("postrouting", PLAIN, PLAIN), *maps]


def listing(second: int = 0, **without: str) -> list[dict[str, Any]]:
    """What nft prints for one service with two servers, the second of that weight, as far as it is read. `chain`: leave
    that chain's rules out."""
    key = ["10.0.0.1", "tcp", 80]
    parts = [
        *frame(
            services4=[[{"concat": key}, {"goto": {"target": SVC}}]],
            weights4=[[{"concat": [*key, "10.1.0.1", 80]}, 3], [{"concat": [*key, "10.1.0.2", 8080]}, second]],
        ),
        *chain(SVC, {"comment": "wrr", "expr": []}),
        *chain(f"{SVC}/10.1.0.1.80", COUNTED),
        *chain(f"{SVC}/10.1.0.2.8080", {"expr": [{"counter": {"packets": 0, "bytes": 0}}]}),
    ]
    return [part for part in parts if "rule" not in part or part["rule"]["chain"] != without.get("chain")]


def test_a_listing_is_read_back_with_scheduler_weights_and_connections(make: Any) -> None:
    reading = read_listing(listing())
    assert reading is not None
    first = Destination(address="10.1.0.1", port=80, weight=3, forwarding=Forwarding.NAT)
    second = Destination(address="10.1.0.2", port=8080, weight=0, forwarding=Forwarding.NAT)
    assert reading.table == {
        make.listener: Entry(
            service=Service(listener=make.listener, scheduler="wrr"),
            destinations={("10.1.0.1", 80): first, ("10.1.0.2", 8080): second},
        )
    }
    assert reading.connections[make.listener]["10.1.0.1", 80] == Connections(total=7)


@pytest.mark.parametrize("chain", ["balance", "prerouting", "output", "postrouting", SVC, f"{SVC}/10.1.0.1.80"])
def test_a_listing_with_an_emptied_chain_is_no_table(chain: str) -> None:
    assert read_listing(listing(chain=chain)) is None


def scheduler_in(listing: list[dict[str, Any]]) -> str:
    reading = read_listing(listing)
    assert reading is not None
    (entry,) = reading.table.values()
    return entry.service.scheduler


def test_a_service_with_a_rule_too_few_or_too_many_is_none_that_anybody_wants() -> None:
    last = {"rule": {"chain": SVC, "comment": "wrr", "expr": []}}
    assert scheduler_in([*listing(second=1), last]) == "wrr"
    assert scheduler_in(listing(second=1)) == ""
    assert scheduler_in([*listing(), last]) == ""


def test_a_listing_with_a_chain_too_many_or_a_map_missing_is_no_table() -> None:
    assert read_listing([*listing(), {"chain": {"name": "stray"}}]) is None
    assert read_listing([each for each in listing() if each.get("map", {}).get("name") != "weights6"]) is None
    assert read_listing([each for each in listing() if each.get("set", {}).get("name") != "masquerade4"]) is None
    assert read_listing([]) is None


def persistent(*lookups: dict[str, Any], clients: str, comment: str) -> list[dict[str, Any]]:
    """A service by mark 9 that remembers its clients, with one server of weight 2."""
    server = "fwm4.9/10.1.0.1.0"
    return [
        *frame(marks4=[[9, {"goto": {"target": "fwm4.9"}}]], markweights4=[[{"concat": [9, "10.1.0.1", 0]}, 2]]),
        {"set": {"name": clients}},
        *chain("fwm4.9", *lookups, {"comment": comment, "expr": []}),
        *chain(server, PLAIN, COUNTED),
    ]


def test_marks_persistence_and_masquerade_are_read_back() -> None:
    clients, comment = "clients/fwm4.9/10.1.0.1.0", "sh 16 persist=360/24 masquerade"
    reading = read_listing(persistent(PLAIN, clients=clients, comment=comment))
    assert reading is not None
    mark = Listener(protocol=Protocol.NONE, family=4, fwmark=9)
    service = Service(
        listener=mark, scheduler="sh", flags=16, persistence_timeout_s=360, persistence_prefix_len=24, masquerade=True
    )
    server = Destination(address="10.1.0.1", port=0, weight=2, forwarding=Forwarding.NAT)
    assert reading.table == {mark: Entry(service=service, destinations={("10.1.0.1", 0): server})}
    assert reading.connections == {mark: {("10.1.0.1", 0): Connections(total=7)}}


def test_a_persistent_service_without_its_set_or_its_comment_is_no_table() -> None:
    clients, comment = "clients/fwm4.9/10.1.0.1.0", "rr persist=360/24"
    assert read_listing(persistent(PLAIN, clients=clients, comment=comment)) is not None
    assert read_listing(persistent(PLAIN, clients="clients/other", comment=comment)) is None
    assert scheduler_in(persistent(PLAIN, clients=clients, comment=comment)) == "rr"
    assert scheduler_in(persistent(clients=clients, comment=comment)) == ""
    assert read_listing(persistent(PLAIN, clients=clients, comment="rr persist=soon")) is None
    assert read_listing(persistent(PLAIN, clients=clients, comment="rr and more")) is None


def test_a_service_for_all_ports_is_read_back() -> None:
    key = {"concat": ["10.0.0.1", 17]}
    chain_name = "udp4.10.0.0.1.0"
    reading = read_listing(
        [
            *frame(
                hosts4=[[key, {"goto": {"target": chain_name}}]],
                weights4=[[{"concat": ["10.0.0.1", 17, 0, "10.1.0.1", 0]}, 1]],
            ),
            *chain(chain_name, {"comment": "rr", "expr": []}),
            *chain(f"{chain_name}/10.1.0.1.0", COUNTED),
        ]
    )
    assert reading is not None
    assert list(reading.table) == [Listener(protocol=Protocol.UDP, family=4, address="10.0.0.1")]

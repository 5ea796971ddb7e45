"""The nftables form of the table: text, shares, and reading a listing back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core import ruleset
from pyhad.ipvs_proc.core.table import Connections, Destination, Entry, Service

TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=443)
SVC = "tcp4.10.0.0.1.80"


def test_a_new_service_is_filled_before_it_can_be_found(make: Any) -> None:
    assert list(ruleset.write_entry(make.listener, None, make.entry({1: 1, 2: 0}))) == [
        f"add chain inet pyhad {SVC}",
        *sorted_chains(make, 1, 2),
        f'add rule inet pyhad {SVC} goto {SVC}/10.1.0.1.80 comment "rr"',
        "add element inet pyhad weights4 { 10.0.0.1 . tcp . 80 . 10.1.0.1 . 80 : 1 }",
        "add element inet pyhad weights4 { 10.0.0.1 . tcp . 80 . 10.1.0.2 . 80 : 0 }",
        f"add element inet pyhad services4 {{ 10.0.0.1 . tcp . 80 : goto {SVC} }}",
    ]


def sorted_chains(make: Any, *numbers: int) -> list[str]:
    lines = []
    for number in numbers:
        chain = f"{SVC}/10.1.0.{number}.80"
        lines.append(f"add chain inet pyhad {chain}")
        lines.append(f"add rule inet pyhad {chain} counter meta l4proto tcp dnat ip to 10.1.0.{number}:80")
    return lines


def test_a_change_of_weight_touches_one_rule_and_one_element(make: Any) -> None:
    before, after = make.entry({1: 1, 2: 1}, scheduler="wrr"), make.entry({1: 1, 2: 2}, scheduler="wrr")
    lots = f"0 : goto {SVC}/10.1.0.2.80, 1 : goto {SVC}/10.1.0.1.80, 2 : goto {SVC}/10.1.0.2.80"
    assert list(ruleset.write_entry(make.listener, before, after)) == [
        f"flush chain inet pyhad {SVC}",
        f'add rule inet pyhad {SVC} numgen inc mod 3 vmap {{ {lots} }} comment "wrr"',
        "delete element inet pyhad weights4 { 10.0.0.1 . tcp . 80 . 10.1.0.2 . 80 }",
        "add element inet pyhad weights4 { 10.0.0.1 . tcp . 80 . 10.1.0.2 . 80 : 2 }",
    ]


def test_a_service_goes_from_the_outside_in(make: Any) -> None:
    assert list(ruleset.write_entry(make.listener, make.entry({1: 1}), None)) == [
        f"flush chain inet pyhad {SVC}",
        "delete element inet pyhad weights4 { 10.0.0.1 . tcp . 80 . 10.1.0.1 . 80 }",
        "delete element inet pyhad services4 { 10.0.0.1 . tcp . 80 }",
        f"flush chain inet pyhad {SVC}/10.1.0.1.80",
        f"delete chain inet pyhad {SVC}/10.1.0.1.80",
        f"delete chain inet pyhad {SVC}",
    ]


def test_without_servers_tcp_is_reset_and_udp_gets_an_icmp_error(make: Any) -> None:
    lines = list(ruleset.write_entry(make.listener, make.entry({1: 1}), make.entry({})))
    assert lines[1] == f'add rule inet pyhad {SVC} meta l4proto tcp reject with tcp reset comment "rr"'
    udp = replace(make.listener, protocol=Protocol.UDP)
    lines = list(ruleset.write_entry(udp, None, make.entry({}, listener=udp)))
    assert 'meta l4proto udp reject with icmpx type port-unreachable comment "rr"' in lines[1]


def test_ipv6_names_carry_no_colons_and_addresses_carry_brackets() -> None:
    destination = Destination(address="fd00:1::11", port=8443, weight=1, forwarding=Forwarding.NAT)
    entry = Entry(service=Service(listener=TCP6, scheduler="rr"), destinations={destination.endpoint: destination})
    lines = list(ruleset.write_entry(TCP6, None, entry))
    chain = "tcp6.fd00__1.443/fd00_1__11.8443"
    assert f"add rule inet pyhad {chain} counter meta l4proto tcp dnat ip6 to [fd00:1::11]:8443" in lines


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scheduler": "lc"}, "scheduler lc needs IPVS: with nftables there are rr, wrr, sh, mh"),
        ({"flags": 4}, "scheduler flags need IPVS: this kernel has none"),
        ({"persistence_timeout_s": 60}, "persistence needs IPVS: this kernel has none"),
        (
            {"listener": Listener(protocol=Protocol.NONE, family=4, fwmark=3)},
            "firewall marks need IPVS: this kernel has none",
        ),
        (
            {"listener": Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1")},
            "a service for all ports needs IPVS: this kernel has none",
        ),
    ],
)
def test_a_service_that_nftables_cannot_do_has_a_reason(make: Any, change: dict[str, Any], sentence: str) -> None:
    entry = make.entry({1: 1})
    assert ruleset.problem_with(entry) == ""
    assert ruleset.problem_with(replace(entry, service=replace(entry.service, **change))) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"forwarding": Forwarding.DIRECT_ROUTE}, "forwarding DR needs IPVS: with nftables there is NAT"),
        ({"upper_threshold": 9}, "connection limits need IPVS: this kernel has none"),
        ({"address": "fd00::1"}, "server and service of different address families need IPVS tunnels"),
    ],
)
def test_a_server_that_nftables_cannot_do_has_a_reason(make: Any, change: dict[str, Any], sentence: str) -> None:
    entry = make.entry({1: 1})
    destination = replace(entry.destinations["10.1.0.1", 80], **change)
    assert ruleset.problem_with(entry.with_destination(destination)) == sentence


def listing(**without: str) -> list[dict[str, Any]]:
    """What nft prints for one service with two servers, as far as it is read. `chain`: leave that chain's rules out."""

    def chain(name: str, *rules: dict[str, Any]) -> list[dict[str, Any]]:
        kept = () if without.get("chain") == name else rules
        return [{"chain": {"name": name}}, *({"rule": {"chain": name, **rule}} for rule in kept)]

    plain = {"expr": []}
    first, second = f"{SVC}/10.1.0.1.80", f"{SVC}/10.1.0.2.8080"
    key = ["10.0.0.1", "tcp", 80]
    return [
        {"metainfo": {}},
        {"table": {"name": "pyhad"}},
        {"map": {"name": "services4", "elem": [[{"concat": key}, {"goto": {"target": SVC}}]]}},
        {"map": {"name": "services6"}},
        {
            "map": {
                "name": "weights4",
                "elem": [[{"concat": [*key, "10.1.0.1", 80]}, 3], [{"concat": [*key, "10.1.0.2", 8080]}, 0]],
            }
        },
        {"map": {"name": "weights6"}},
        *chain("balance", plain, plain),
        *chain("prerouting", plain),
        *chain("output", plain),
        *chain(SVC, {"comment": "wrr", "expr": []}),
        *chain(first, {"expr": [{"counter": {"packets": 7, "bytes": 420}}]}),
        *chain(second, {"expr": [{"counter": {"packets": 0, "bytes": 0}}]}),
    ]


def test_a_listing_is_read_back_with_scheduler_weights_and_connections(make: Any) -> None:
    reading = ruleset.read_listing(listing())
    assert reading is not None
    first = Destination(address="10.1.0.1", port=80, weight=3, forwarding=Forwarding.NAT)
    second = Destination(address="10.1.0.2", port=8080, weight=0, forwarding=Forwarding.NAT)
    assert reading.table == {
        make.listener: Entry(
            service=Service(listener=make.listener, scheduler="wrr"),
            destinations={("10.1.0.1", 80): first, ("10.1.0.2", 8080): second},
        )
    }
    assert reading.connections[make.listener, ("10.1.0.1", 80)] == Connections(total=7)


@pytest.mark.parametrize("chain", ["balance", "prerouting", "output", SVC, f"{SVC}/10.1.0.1.80"])
def test_a_listing_with_an_emptied_chain_is_no_table(chain: str) -> None:
    assert ruleset.read_listing(listing(chain=chain)) is None


def test_a_listing_with_a_chain_too_many_or_a_map_missing_is_no_table() -> None:
    assert ruleset.read_listing([*listing(), {"chain": {"name": "stray"}}]) is None
    assert ruleset.read_listing([each for each in listing() if each.get("map", {}).get("name") != "weights6"]) is None
    assert ruleset.read_listing([]) is None


@pytest.mark.parametrize(
    ("flags", "family", "hashed"),
    [(0, 4, "ip saddr"), (0x10, 4, "ip saddr . tcp sport"), (0x18, 6, "ip6 saddr . tcp sport")],
)
def test_hashing_schedulers_draw_by_the_client(make: Any, flags: int, family: int, hashed: str) -> None:
    listener = TCP6 if family == 6 else make.listener
    entry = make.entry({1: 1, 2: 1}, listener=listener, scheduler="sh")
    entry = replace(entry, service=replace(entry.service, flags=flags))
    [rule] = [line for line in ruleset.write_entry(listener, None, entry) if "jhash" in line]
    assert f" jhash {hashed} mod 2 seed 0x7079 vmap " in rule
    assert rule.endswith(f'comment "sh {flags}"' if flags else 'comment "sh"')
    assert ruleset.problem_with(entry if family == 4 else make.entry({}, listener=listener, scheduler="sh")) == ""

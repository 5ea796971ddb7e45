"""The nftables form of the table: text, shares, and reading a listing back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core import ruleset
from pyhad.ipvs_proc.core.table import Destination, Entry, Service

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
        f"add rule inet pyhad {SVC} numgen inc mod 3 vmap {{ {lots} }}",
        f'add rule inet pyhad {SVC} goto {SVC}/10.1.0.1.80 comment "wrr"',
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
        ({"scheduler": "lc"}, "scheduler lc needs IPVS: with nftables there are rr, wrr, sh, mh, dh"),
        ({"flags": 4}, "one-packet scheduling and plain scheduler flags need IPVS"),
        ({"persistence_timeout_s": 60, "persistence_engine": "sip"}, "persistence engine sip needs IPVS"),
        (
            {"listener": Listener(protocol=Protocol.NONE, family=4, fwmark=3), "masquerade": True},
            "masquerading needs a service with a port",
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
        ({"upper_threshold": 9}, "connection limits need IPVS"),
        ({"address": "fd00::1"}, "server and service of different address families need IPVS tunnels"),
    ],
)
def test_a_server_that_nftables_cannot_do_has_a_reason(make: Any, change: dict[str, Any], sentence: str) -> None:
    entry = make.entry({1: 1})
    destination = replace(entry.destinations["10.1.0.1", 80], **change)
    assert ruleset.problem_with(entry.with_destination(destination)) == sentence


@pytest.mark.parametrize(
    ("flags", "family", "hashed"),
    [(0, 4, "ip saddr"), (0x10, 4, "ip saddr . tcp sport"), (0x18, 6, "ip6 saddr . tcp sport")],
)
def test_hashing_schedulers_draw_by_the_client(make: Any, flags: int, family: int, hashed: str) -> None:
    listener = TCP6 if family == 6 else make.listener
    entry = make.entry({1: 1, 2: 1}, listener=listener, scheduler="sh")
    entry = replace(entry, service=replace(entry.service, flags=flags))
    lines = list(ruleset.write_entry(listener, None, entry))
    [at] = [number for number, line in enumerate(lines) if "jhash" in line]
    assert f" jhash {hashed} mod 2 seed 0x7079 vmap " in lines[at]
    assert lines[at + 1].endswith(f'comment "sh {flags}"' if flags else 'comment "sh"')
    assert ruleset.problem_with(entry if family == 4 else make.entry({}, listener=listener, scheduler="sh")) == ""


def test_a_persistent_service_asks_its_destinations_whether_they_know_the_client(make: Any) -> None:
    entry = make.entry({1: 1, 2: 1, 3: 0})
    entry = replace(entry, service=replace(entry.service, persistence_timeout_s=360, persistence_prefix_len=24))
    lines = list(ruleset.write_entry(make.listener, None, entry))
    first, second = f"{SVC}/10.1.0.1.80", f"{SVC}/10.1.0.2.80"
    kind = "{ type ipv4_addr; flags dynamic,timeout; timeout 360s; size 65535; }"
    assert lines[1:5] == [
        f"add chain inet pyhad {first}",
        f"add set inet pyhad clients/{first} {kind}",
        f"add rule inet pyhad {first} update @clients/{first} {{ ip saddr & 255.255.255.0 }}",
        f"add rule inet pyhad {first} counter meta l4proto tcp dnat ip to 10.1.0.1:80",
    ]
    assert lines[13:17] == [
        f"add rule inet pyhad {SVC} ip saddr & 255.255.255.0 @clients/{first} goto {first}",
        f"add rule inet pyhad {SVC} ip saddr & 255.255.255.0 @clients/{second} goto {second}",
        f"add rule inet pyhad {SVC} numgen inc mod 2 vmap {{ 0 : goto {first}, 1 : goto {second} }}",
        f'add rule inet pyhad {SVC} goto {first} comment "rr persist=360/24"',
    ]


def test_a_server_that_gets_weight_0_forgets_its_clients(make: Any) -> None:
    entries = [make.entry({1: 1, 2: weight}) for weight in (1, 0)]
    before, after = (
        replace(each, service=replace(each.service, persistence_timeout_s=60, persistence_prefix_len=32))
        for each in entries
    )
    lines = list(ruleset.write_entry(make.listener, before, after))
    assert f"flush set inet pyhad clients/{SVC}/10.1.0.2.80" in lines
    assert not [line for line in lines if "@clients" in line and "10.1.0.2.80" in line]
    assert f"flush set inet pyhad clients/{SVC}/10.1.0.1.80" not in lines


def test_other_persistence_makes_the_destinations_anew(make: Any) -> None:
    before = make.entry({1: 1})
    after = replace(before, service=replace(before.service, persistence_timeout_s=60, persistence_prefix_len=32))
    lines = list(ruleset.write_entry(make.listener, before, after))
    assert lines[:3] == [
        f"flush chain inet pyhad {SVC}",
        f"flush chain inet pyhad {SVC}/10.1.0.1.80",
        f"add set inet pyhad clients/{SVC}/10.1.0.1.80 "
        "{ type ipv4_addr; flags dynamic,timeout; timeout 60s; size 65535; }",
    ]
    back = list(ruleset.write_entry(make.listener, after, before))
    assert back[2] == f"delete set inet pyhad clients/{SVC}/10.1.0.1.80"


def test_a_service_by_mark_keeps_the_port_and_comes_without_protocol(make: Any) -> None:
    mark = Listener(protocol=Protocol.NONE, family=4, fwmark=9)
    destination = Destination(address="10.1.0.1", port=0, weight=2, forwarding=Forwarding.NAT)
    entry = Entry(service=Service(listener=mark, scheduler="rr"), destinations={destination.endpoint: destination})
    assert ruleset.problem_with(entry) == ""
    assert list(ruleset.write_entry(mark, None, entry)) == [
        "add chain inet pyhad fwm4.9",
        "add chain inet pyhad fwm4.9/10.1.0.1.0",
        "add rule inet pyhad fwm4.9/10.1.0.1.0 counter dnat ip to 10.1.0.1",
        'add rule inet pyhad fwm4.9 goto fwm4.9/10.1.0.1.0 comment "rr"',
        "add element inet pyhad markweights4 { 9 . 10.1.0.1 . 0 : 2 }",
        "add element inet pyhad marks4 { 9 : goto fwm4.9 }",
    ]
    empty = replace(entry, destinations={})
    assert 'add rule inet pyhad fwm4.9 reject with icmpx type port-unreachable comment "rr"' in list(
        ruleset.write_entry(mark, entry, empty)
    )


def test_a_service_for_all_ports_is_found_by_its_address(make: Any) -> None:
    listener = Listener(protocol=Protocol.UDP, family=4, address="10.0.0.1")
    destination = Destination(address="10.1.0.1", port=0, weight=1, forwarding=Forwarding.NAT)
    entry = Entry(service=Service(listener=listener, scheduler="rr"), destinations={destination.endpoint: destination})
    lines = list(ruleset.write_entry(listener, None, entry))
    chain = "udp4.10.0.0.1.0"
    assert f"add rule inet pyhad {chain}/10.1.0.1.0 counter meta l4proto udp dnat ip to 10.1.0.1" in lines
    assert lines[-1] == f"add element inet pyhad hosts4 {{ 10.0.0.1 . udp : goto {chain} }}"


def test_a_service_that_masquerades_names_its_translated_connections(make: Any) -> None:
    plain = make.entry({1: 1})
    hidden = replace(plain, service=replace(plain.service, masquerade=True))
    element = "element inet pyhad masquerade4 { 10.0.0.1 . 10.1.0.1 . tcp . 80 }"
    assert f"add {element}" in list(ruleset.write_entry(make.listener, None, hidden))
    assert f"add {element}" in list(ruleset.write_entry(make.listener, plain, hidden))
    assert f"delete {element}" in list(ruleset.write_entry(make.listener, hidden, plain))
    assert f"delete {element}" in list(ruleset.write_entry(make.listener, hidden, None))
    assert not [line for line in ruleset.write_entry(make.listener, hidden, hidden) if "masquerade4" in line]


def test_dh_draws_by_the_address_asked_for(make: Any) -> None:
    [rule] = [
        line
        for line in ruleset.write_entry(make.listener, None, make.entry({1: 1, 2: 1}, scheduler="dh"))
        if "jhash" in line
    ]
    assert " jhash ip daddr mod 2 " in rule

"""`nftables_ipvs`: which mark a group has, and what marks its packets (LVS-22).

The rulesets are those that keepalived 2.2.7 made of the same groups, taken from its netlink messages.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.common.config.model import Listener, Marking, Protocol, VirtualServer
from pyhad.ipvs_proc.core import marks
from tests.unit.ipvs_proc.conftest import Make

pytestmark = pytest.mark.behaviour("LVS-22")
REMOVED = "add table ip t\ndelete table ip t\nadd table ip6 t\ndelete table ip6 t\n"


def group(make: Make, name: str, *places: str, protocol: Protocol = Protocol.TCP) -> VirtualServer:
    """A marked service; a place is `ADDRESS PORT`."""
    listeners = []
    for place in places:
        address, port = place.split()
        family = 6 if ":" in address else 4
        listeners.append(Listener(protocol=protocol, family=family, address=address, port=int(port)))
    return replace(make.virtual(make.server(1), name=name, listeners=tuple(listeners)), marked=True)


def test_each_group_and_protocol_has_the_next_mark(make: Make) -> None:
    services = [group(make, "a", "10.0.0.1 80"), make.virtual(name="plain"), group(make, "b", "10.0.0.1 53")]
    assert marks.allot(services, 1000, {}) == {"a": 1000, "b": 1001}


def test_a_group_keeps_its_mark_whatever_comes_before_it(make: Make) -> None:
    services = [group(make, "new", "10.0.0.9 80"), group(make, "a", "10.0.0.1 80")]
    assert marks.allot(services, 1000, {"gone": 1001, "a": 1000}) == {"a": 1000, "new": 1001}


def test_a_mark_of_the_configuration_is_not_given_to_a_group(make: Make) -> None:
    own = make.virtual(name="own", listeners=(Listener(protocol=Protocol.NONE, family=4, fwmark=1000),))
    services = [own, group(make, "a", "10.0.0.1 80"), group(make, "b", "10.0.0.2 80")]
    assert marks.allot(services, 1000, {"b": 1000}) == {"a": 1001, "b": 1002}


def test_a_marked_service_listens_at_its_mark_and_is_the_same_otherwise(make: Make) -> None:
    service = group(make, "a", "fd00::1 80", "fd00::2 80")
    marked = marks.with_mark(service, 1000)
    assert marked.listeners == (Listener(protocol=Protocol.NONE, family=6, fwmark=1000),)
    assert replace(marked, listeners=service.listeners) == service


def test_addresses_in_a_row_are_one_element_and_each_protocol_has_its_map(make: Make) -> None:
    services = [
        group(make, "a", "10.0.0.2 80", "10.0.0.4 80", "10.0.0.3 80", "10.0.0.9 80", "10.0.0.10 81"),
        group(make, "b", "10.0.0.2 53", protocol=Protocol.UDP),
    ]
    text = marks.ruleset(Marking(table="t", priority=-5, counters=True), services, {"a": 1000, "b": 1001})
    assert text == REMOVED + (
        "table ip t {\n chain pyhad {\n }\n"
        " map tcp_map {\n  type ipv4_addr . inet_service : mark\n  flags interval\n"
        "  elements = { 10.0.0.2-10.0.0.4 . 80 : 1000, 10.0.0.9 . 80 : 1000, 10.0.0.10 . 81 : 1000 }\n }\n"
        " map udp_map {\n  type ipv4_addr . inet_service : mark\n  flags interval\n"
        "  elements = { 10.0.0.2 . 53 : 1001 }\n }\n"
        " chain in {\n  type filter hook input priority -5; policy accept;\n"
        "  meta mark set ip daddr . tcp dport map @tcp_map counter return\n"
        "  meta mark set ip daddr . udp dport map @udp_map counter return\n }\n}\n"
    )


def test_an_address_with_all_ports_comes_after_those_with_one(make: Make) -> None:
    services = [group(make, "a", "fd00::1 0"), group(make, "b", "fd00::1 80")]
    text = marks.ruleset(Marking(table="t"), services, {"a": 1000, "b": 1001})
    assert text == REMOVED + (
        "table ip6 t {\n chain pyhad {\n }\n"
        " map tcp_map {\n  type ipv6_addr . inet_service : mark\n  flags interval\n"
        "  elements = { fd00::1 . 80 : 1001 }\n }\n"
        " map tcp_any_map {\n  type ipv6_addr : mark\n  flags interval\n"
        "  elements = { fd00::1 : 1000 }\n }\n"
        " chain in {\n  type filter hook input priority -1; policy accept;\n"
        "  meta mark set ip6 daddr . tcp dport map @tcp_map return\n"
        "  meta l4proto tcp meta mark set ip6 daddr map @tcp_any_map return\n }\n}\n"
    )


def test_without_marked_services_the_tables_go(make: Make) -> None:
    assert marks.ruleset(Marking(table="t"), [make.virtual()], {}) == REMOVED

"""The bytes of routes and rules, literally (little endian, as all machines of ours are)."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from pyhad.common.config.model.routes import (
    EncapKind,
    Encapsulation,
    NextHop,
    Placement,
    RouteMetric,
    VirtualRoute,
    VirtualRule,
)
from pyhad.vrrp_proc.kernel.netlink_paths import (
    RouteGone,
    RuleGone,
    encode_route_add,
    encode_route_probe,
    encode_route_remove,
    encode_rule_add,
    encode_rule_remove,
    parse_gone,
)


def index_of(name: str) -> int:
    return {"eth0": 7, "eth1": 8}[name]


def route(**changes: Any) -> VirtualRoute:
    settings = {"text": "", "family": 4, "destination": "10.7.0.0", "prefix_len": 16, **changes}
    return VirtualRoute(**settings)


def body_of(one: VirtualRoute, table: int = 254) -> bytes:
    return encode_route_add(one, table, index_of, 5)[16:]


HEAD = "02 10 00 00 fe 12 00 01 00000000"  # IPv4, /16, no source, tos 0, main, keepalived, global, unicast
TABLE = "0800 0f00 fe000000"
DESTINATION = "0800 0100 0a070000"


def test_a_plain_route_is_a_whole_message() -> None:
    message = encode_route_add(route(gateway="10.0.0.254", interface="eth0"), 254, index_of, 5)
    expected = (
        f"3c000000 1800 0504 05000000 00000000 {HEAD} {TABLE} {DESTINATION} 0800 0500 0a0000fe 0800 0400 07000000"
    )
    assert message == bytes.fromhex(expected)


def test_where_it_goes_and_whether_it_goes_is_said_in_the_flags() -> None:
    def flags(message: bytes) -> tuple[int, int]:
        kind, value = struct.unpack_from("=HH", message, 4)
        return kind, value

    assert flags(encode_route_add(route(placement=Placement.ADD), 254, index_of, 5)) == (24, 0x605)
    assert flags(encode_route_add(route(placement=Placement.APPEND), 254, index_of, 5)) == (24, 0xC05)
    assert flags(encode_route_probe(route(), 254, index_of, 5)) == (24, 0x005)
    assert flags(encode_route_remove(route(), 254, index_of, 5)) == (25, 0x005)


@pytest.mark.parametrize(
    ("one", "rest"),
    [
        (route(type=6), "02 10 00 00 fe 12 00 06 00000000" + TABLE + DESTINATION),
        (
            route(metric=500, preferred_source="10.0.0.9", onlink=True, tos=16, scope=253),
            "02 10 00 10 fe 12 fd 01 04000000" + TABLE + DESTINATION + "0800 0700 0a000009 0800 0600 f4010000",
        ),
        (
            route(gateway="fe80::1"),
            HEAD + TABLE + DESTINATION + "1600 1200 0a00 fe800000000000000000000000000001 0000",
        ),
        (route(realms=0x30004), HEAD + TABLE + DESTINATION + "0800 0b00 04000300"),
        (
            route(metrics=(RouteMetric(number=2, value=1400, locked=True), RouteMetric(number=16, text="reno"))),
            HEAD + TABLE + DESTINATION + "2000 0800 0800 0100 04000000 0800 0200 78050000 0900 1000 72656e6f00 000000",
        ),
        (
            route(next_hops=(NextHop(gateway="10.0.0.1", interface="eth1", weight=3, onlink=True, realms=7),)),
            HEAD + TABLE + DESTINATION + "1c00 0900 1800 04 02 08000000 0800 0500 0a000001 0800 0b00 07000000",
        ),
        (
            route(encap=Encapsulation(kind=EncapKind.MPLS, labels=(100, 200))),
            HEAD + TABLE + DESTINATION + "0600 1500 0100 0000 1000 1600 0c00 0100 00064000 000c8100",
        ),
        (
            route(encap=Encapsulation(kind=EncapKind.IP, tunnel_id=5, destination="10.3.3.3", ttl=3, tos=1, flags=8)),
            HEAD + TABLE + DESTINATION + "0600 1500 0200 0000 3000 1600"
            "0c00 0100 0000000000000005 0800 0200 0a030303 0500 0400 03 000000 0500 0500 01 000000 0600 0600 0008 0000",
        ),
        (
            route(encap=Encapsulation(kind=EncapKind.ILA, locator=0x0001000200030004)),
            HEAD + TABLE + DESTINATION + "0600 1500 0300 0000 1000 1600 0c00 0100 0001000200030004",
        ),
        (route(ttl_propagate=False), HEAD + TABLE + DESTINATION + "0500 1a00 00 000000"),
    ],
)  # fmt: skip
def test_every_option_has_its_attribute(one: VirtualRoute, rest: str) -> None:
    assert body_of(one) == bytes.fromhex(rest)


def test_a_default_route_names_no_destination_and_a_great_table_goes_beside_the_head() -> None:
    found = body_of(route(destination="0.0.0.0", prefix_len=0), 1000)
    assert found == bytes.fromhex("02 00 00 00 00 12 00 01 00000000 0800 0f00 e8030000")


def test_an_ipv6_route_names_the_metric_that_the_kernel_would_choose() -> None:
    """A removal without one would mean a route of any metric."""
    one = route(
        family=6, destination="2001:db8::", prefix_len=32, source="2001:db8:1::", source_len=48, expires_s=90,
        preference=3,
    )  # fmt: skip
    expected = (
        f"0a 20 30 00 fe 12 00 01 00000000 {TABLE} 1400 0100 20010db8000000000000000000000000"
        "1400 0200 20010db8000100000000000000000000 0800 0600 00040000 0500 1400 03 000000 0800 1700 5a000000"
    )
    assert body_of(one) == bytes.fromhex(expected)


def test_an_interface_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="eth9"):
        body_of(route(interface="eth9"))


def rule(**changes: Any) -> VirtualRule:
    settings = {"text": "", "family": 4, "priority": 7, **changes}
    return VirtualRule(**settings)


OWN = "0800 0600 07000000 0500 1500 12 000000"


@pytest.mark.parametrize(
    ("one", "body"),
    [
        (rule(table=100), f"02 00 00 00 64 0000 01 00000000 {OWN} 0800 0f00 64000000"),
        (
            rule(source="10.7.0.0", source_len=16, inverted=True, table=1000, tos=16),
            f"02 00 10 10 00 0000 01 02000000 {OWN} 0800 0f00 e8030000 0800 0200 0a070000",
        ),
        (
            rule(family=6, destination="2001:db8::", destination_len=32, action=7),
            f"0a 20 00 00 00 0000 07 00000000 {OWN} 1400 0100 20010db8000000000000000000000000",
        ),
        (
            rule(action=6, input_interface="eth0", output_interface="lo"),
            f"02 00 00 00 00 0000 06 00000000 {OWN} 0900 0300 6574683000 000000 0700 1100 6c6f00 00",
        ),
        (rule(action=2, goto=9), f"02 00 00 00 00 0000 02 00000000 {OWN} 0800 0400 09000000"),
        (
            rule(mark=16, mark_mask=255, realms=0x30004, suppress_group=1, suppress_prefix_len=0),
            f"02 00 00 00 00 0000 01 00000000 {OWN} 0800 0a00 10000000 0800 1000 ff000000 0800 0b00 04000300"
            "0800 0d00 01000000 0800 0e00 00000000",
        ),
        (
            rule(tunnel_id=77, l3mdev=True, uid_first=1, uid_last=2, ip_protocol=6),
            f"02 00 00 00 00 0000 01 00000000 {OWN} 0c00 0c00 000000000000004d 0500 1300 01 000000"
            "0c00 1400 01000000 02000000 0500 1600 06 000000",
        ),
        (
            rule(source_port=80, source_port_last=81, destination_port=1, destination_port_last=2),
            f"02 00 00 00 00 0000 01 00000000 {OWN} 0800 1700 50005100 0800 1800 01000200",
        ),
    ],
)
def test_every_selector_and_action_of_a_rule_has_its_attribute(one: VirtualRule, body: str) -> None:
    message = encode_rule_add(one, 5)
    assert message[:16] == struct.pack("=IHHII", len(message), 32, 0x605, 5, 0)
    assert message[16:] == bytes.fromhex(body)
    assert encode_rule_remove(one, 5) == struct.pack("=IHHII", len(message), 33, 0x005, 5, 0) + message[16:]


def test_losses_are_read_back() -> None:
    assert parse_gone(25, body_of(route(), 1000)) == RouteGone(4, "10.7.0.0", 16, 1000)
    default = route(family=6, destination="::", prefix_len=0)
    assert parse_gone(24, body_of(default)) == RouteGone(6, "::", 0, 254)
    assert parse_gone(33, encode_rule_remove(rule(table=1), 5)[16:]) == RuleGone(4, 7)
    assert parse_gone(32, encode_rule_add(rule(table=1), 5)[16:]) is None
    assert parse_gone(25, b"\x07" + bytes(11)) is None
    assert parse_gone(25, b"") is None


@pytest.mark.parametrize(
    "body", [b"\x02", b"\x02" + bytes(11) + b"\xff\x00\x01\x00", b"\x02" + bytes(11) + b"\x05\0\1\0a"]
)
def test_what_makes_no_sense_is_a_value_error(body: bytes) -> None:
    with pytest.raises((ValueError, struct.error, OSError)):
        parse_gone(25, body)

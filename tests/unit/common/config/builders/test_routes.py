"""Lines of routes to the model (NET-6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model.routes import (
    EncapKind,
    Encapsulation,
    NextHop,
    Placement,
    RouteMetric,
    VirtualRoute,
)

Compile = Callable[..., Any]


def routes(result: Any) -> tuple[VirtualRoute, ...]:
    assert result.errors == []
    [one] = result.result.configuration.vrrp.instances
    found: tuple[VirtualRoute, ...] = one.routes
    return found


def route(instance: Compile, line: str) -> VirtualRoute:
    [found] = routes(instance(f"virtual_routes {{\n{line}\n}}"))
    assert found.text == line
    return found


def plain(**changes: Any) -> VirtualRoute:
    settings = {"text": "", "family": 4, "destination": "10.7.0.0", "prefix_len": 16, **changes}
    return VirtualRoute(**settings)


@pytest.mark.behaviour("NET-6")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10.7.0.0/16 via 10.0.0.254", plain(gateway="10.0.0.254")),
        ("10.7.0.0/16 gw 10.0.0.254 oif eth1", plain(gateway="10.0.0.254", interface="eth1")),
        ("src 10.0.0.9 to 10.7.0.0/16 dev eth0", plain(preferred_source="10.0.0.9", interface="eth0")),
        ("blackhole 10.7.0.0/16", plain(type=6)),
        ("to unreachable 10.7.0.0/16", plain(type=7)),
        ("9 10.7.0.0/16", plain(type=9)),
        ("local 10.7.0.0/16 dev eth0", plain(type=2, scope=254, interface="eth0")),
        ("broadcast 10.7.0.0/16 scope host", plain(type=3, scope=254)),
        ("10.7.0.0/16 table local metric 5 tos 0x10 scope link", plain(table=255, metric=5, tos=16, scope=253)),
        ("10.7.0.0/16 via 10.0.0.9 onlink append", plain(gateway="10.0.0.9", onlink=True, placement=Placement.APPEND)),
        ("10.7.0.0/16 via inet6 fe80::1 dev eth0", plain(gateway="fe80::1", interface="eth0")),
        ("10.7.0.0/16 realms 3/4 vrf red", plain(realms=0x30004, vrf="red")),
        ("default via 10.0.0.254", plain(destination="0.0.0.0", prefix_len=0, gateway="10.0.0.254")),
        ("default via 2001:db8::1", plain(family=6, destination="::", prefix_len=0, gateway="2001:db8::1")),
        ("inet6 default dev eth0", plain(family=6, destination="::", prefix_len=0, interface="eth0")),
        (
            "2001:DB8:7::/48 from 2001:db8::/32 expires 90 pref low",
            plain(
                family=6, destination="2001:db8:7::", prefix_len=48, source="2001:db8::", source_len=32, expires_s=90,
                preference=3,
            ),
        ),
        (
            "2001:db8:7::/48 pref 1",
            plain(family=6, destination="2001:db8:7::", prefix_len=48, preference=1),
        ),
        ("blackhole 10.7.0.0/16 protocol static no_track", plain(type=6, protocol=4)),
        ("10.7.0.0/16 dev eth0 ttl-propagate disabled", plain(interface="eth0", ttl_propagate=False)),
    ],
)  # fmt: skip
def test_a_line_means_what_iproute2_would_make_of_it(instance: Compile, line: str, expected: VirtualRoute) -> None:
    assert route(instance, line) == expected


def test_metrics_are_the_kernel_s_numbers_with_their_locks(instance: Compile) -> None:
    line = "10.7.0.0/16 mtu lock 1400 rtt 300ms rttvar 0.5s rto_min 250 features ecn congctl lock cubic quickack 1"
    assert route(instance, line).metrics == (
        RouteMetric(number=2, value=1400, locked=True),
        RouteMetric(number=4, value=2400),
        RouteMetric(number=5, value=2000),
        RouteMetric(number=12, value=1),
        RouteMetric(number=13, value=250),
        RouteMetric(number=15, value=1),
        RouteMetric(number=16, text="cubic", locked=True),
    )


def test_a_time_out_of_range_is_pulled_into_it(instance: Compile) -> None:
    result = instance("virtual_routes {\n10.7.0.0/16 rttvar 400 rtt 121s\n}")
    assert [metric.value for metric in routes(result)[0].metrics] == [960_000, 800]
    assert [text for text in result.warnings if "out of range (0.2 s" in text] != []


def test_next_hops_have_each_their_own_way(instance: Compile) -> None:
    line = (
        "10.7.0.0/16 metric 5 nexthop via 10.0.0.1 dev eth0 weight 3 onlink realms 7"
        " nexthop encap mpls 100/200 via 10.0.0.2 weight 256 nexthop via inet6 fe80::1 dev eth1"
    )
    found = route(instance, line)
    assert found.next_hops == (
        NextHop(gateway="10.0.0.1", interface="eth0", weight=3, onlink=True, realms=7),
        NextHop(gateway="10.0.0.2", weight=256, encap=Encapsulation(kind=EncapKind.MPLS, labels=(100, 200))),
        NextHop(gateway="fe80::1", interface="eth1"),
    )
    assert (found.metric, found.gateway, found.interface, found.interfaces) == (5, "", "", ("eth0", "eth1"))


def test_the_old_second_gateway_is_a_next_hop_of_the_same_device(instance: Compile) -> None:
    found = route(instance, "10.7.0.0/16 via 10.0.0.1 or 10.0.0.2 dev eth0")
    hops = (NextHop(gateway="10.0.0.1", interface="eth0"), NextHop(gateway="10.0.0.2", interface="eth0"))
    assert (found.next_hops, found.gateway, found.interface) == (hops, "", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "encap ip id 5 dst 10.3.3.3 src 10.1.1.1 ttl 3 tos 0x10 flags 8 dev eth0 tos 4",
            Encapsulation(
                kind=EncapKind.IP, tunnel_id=5, destination="10.3.3.3", source="10.1.1.1", ttl=3, tos=16, flags=8
            ),
        ),
        (
            "encap ip6 dst 2001:db8::1 hoplimit 9 tc 1 dev eth0",
            Encapsulation(kind=EncapKind.IP6, destination="2001:db8::1", ttl=9, tos=1),
        ),
        ("encap ila 1:2:3:ffff dev eth0", Encapsulation(kind=EncapKind.ILA, locator=0x000100020003FFFF)),
        ("encap mpls 16 dev eth0", Encapsulation(kind=EncapKind.MPLS, labels=(16,))),
    ],
)
def test_tunnels_end_with_the_first_word_that_is_none_of_theirs(
    instance: Compile, words: str, expected: Encapsulation
) -> None:
    found = route(instance, f"10.7.0.0/16 {words}")
    assert (found.encap, found.interface) == (expected, "eth0")
    assert found.tos == (4 if words.endswith("tos 4") else 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("via 10.0.0.1", "has no destination"),
        ("10.7.0.0/16 10.8.0.0/16", "10.8.0.0/16"),
        ("to 10.7.0.0/16 10.8.0.0/16", "two destinations"),
        ("10.7.0.0/40", "the length must be 0 to 32"),
        ("10.7.0.300/16", "is no destination"),
        ("10.7.0.0/16 from 10.8.0.0/16", "for IPv6 routes only"),
        ("2001:db8::/32 tos 4", "for IPv4 routes only"),
        ("2001:db8::/32 via 10.0.0.1", "mixes IPv4 and IPv6"),
        ("10.7.0.0/16 src 2001:db8::1", "mixes IPv4 and IPv6"),
        ("10.7.0.0/16 dev eth0 nexthop via 10.0.0.1", "nexthops, and a way of its own"),
        ("10.7.0.0/16 nexthop weight 3", "neither via nor dev"),
        ("10.7.0.0/16 encap ip ttl 3", "neither id nor dst"),
        ("10.7.0.0/16 encap mpls 1/2/3", "one or two labels"),
        ("10.7.0.0/16 encap mpls 1048576", "one or two labels"),
        ("10.7.0.0/16 encap ila 1:2", "is no locator"),
        ("10.7.0.0/16 wia 10.0.0.1", "'wia'"),
    ],
)
def test_a_line_without_sense_is_an_error_that_says_why(instance: Compile, line: str, said: str) -> None:
    errors = instance(f"virtual_routes {{\n{line}\n}}").errors
    assert len(errors) == 1
    assert said in errors[0]


def test_a_name_that_nobody_knows_leaves_the_route_out(instance: Compile) -> None:
    result = instance("virtual_routes {\n10.7.0.0/16 table no_such_table\n10.8.0.0/16 dev eth0\n}")
    assert [one.destination for one in routes(result)] == ["10.8.0.0"]
    assert any("is left out: table 'no_such_table'" in text for text in result.warnings)


def test_host_bits_are_cleared_and_said(instance: Compile) -> None:
    result = instance("virtual_routes {\n10.7.1.1/16 dev eth0\n}")
    assert routes(result)[0].destination == "10.7.0.0"
    assert any("10.7.0.0/16 is used" in text for text in result.warnings)


def test_a_protocol_of_its_own_needs_no_track(instance: Compile) -> None:
    result = instance("virtual_routes {\n10.7.0.0/16 dev eth0 protocol static\n}")
    assert routes(result)[0].protocol == 18
    assert any("protocol is ignored" in text for text in result.warnings)


@pytest.mark.behaviour("NET-8", "VER-4")
def test_a_route_without_an_interface_is_taken_as_2_4_takes_it(instance: Compile) -> None:
    result = instance("virtual_routes {\n10.8.0.0/16 via 10.0.0.9\n}")
    assert [one.destination for one in routes(result)] == ["10.8.0.0"]
    assert result.warnings == []

"""What is left over of a predecessor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhad.common.config.model import VirtualAddress, VirtualRoute, VirtualRule
from pyhad.vrrp_proc.core.sweep import left_over, left_over_paths

Make = Callable[..., Any]


def address(last: int, interface: str = "eth0", prefix_len: int = 32) -> VirtualAddress:
    return VirtualAddress(address=f"10.1.1.{last}", prefix_len=prefix_len, interface=interface)


def test_what_a_router_has_is_not_left_over(make_config: Make) -> None:
    config = make_config(excluded_addresses=(address(2),))
    assert left_over([address(1), address(2)], [config]) == ()


def test_what_no_router_has_is_left_over(make_config: Make) -> None:
    assert left_over([address(1), address(2)], [make_config()]) == (address(2),)
    assert left_over([address(1)], []) == (address(1),)


def test_the_same_address_elsewhere_or_with_another_prefix_is_left_over(make_config: Make) -> None:
    found = [address(1, interface="eth1"), address(1, prefix_len=24)]
    assert left_over(found, [make_config()]) == tuple(found)


def route(destination: str, **changes: Any) -> VirtualRoute:
    family = 6 if ":" in destination else 4
    return VirtualRoute(text=destination, family=family, destination=destination, prefix_len=16, **changes)


def test_routes_and_rules_that_nobody_has_configured_are_left_over_the_last_first() -> None:
    one, other, rule = route("10.1.0.0"), route("10.2.0.0"), VirtualRule(text="", family=4, priority=7)
    assert left_over_paths((one, other, rule), ()) == (rule, other, one)
    assert left_over_paths((one, other, rule), (other,)) == (rule, one)
    assert left_over_paths((one,), (route("10.1.0.0", metric=5),)) == (one,)


def test_an_ipv6_route_that_another_took_the_place_of_is_not() -> None:
    """The kernel compares no gateway's metrics there: it would remove the new one."""
    old, new = route("fd01::", expires_s=500), route("fd01::", expires_s=600)
    assert left_over_paths((old,), (new,)) == ()
    assert left_over_paths((old,), (route("fd01::", metric=7),)) == (old,)

"""What is left over of a predecessor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhad.common.config.model import VirtualAddress
from pyhad.vrrp_proc.core.sweep import left_over

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

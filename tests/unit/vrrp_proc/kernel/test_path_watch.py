"""The filter before the watch, run by a small machine of its own as the kernel would run it."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model.routes import NextHop, VirtualRoute, VirtualRule
from pyhad.vrrp_proc.kernel.netlink_paths import encode_route_add, encode_route_remove, encode_rule_remove
from pyhad.vrrp_proc.kernel.path_watch import filter_program

ROUTE = VirtualRoute(text="a", family=4, destination="10.7.0.0", prefix_len=16, gateway="10.0.0.1")
ROUTE6 = VirtualRoute(text="b", family=6, destination="2001:db8:7::", prefix_len=48)
DEFAULT = replace(ROUTE, destination="0.0.0.0", prefix_len=0)
RULE = VirtualRule(text="c", family=4, priority=9, table=5)


def passes(program: bytes, message: bytes) -> bool:
    """Classic BPF as far as the filter uses it (linux/filter.h, with SKF_AD_NLATTR)."""
    steps = list(struct.iter_unpack("=HBBI", program))
    at, a, x = 0, 0, 0
    while True:
        code, if_true, if_false, k = steps[at]
        at += 1
        if code == 0x06:
            return bool(k)
        if code == 0x30:
            a = message[k]
        elif code == 0x20:
            assert k == 0xFFFFF00C
            a = _find(message, a, x)
        elif code == 0x40:
            a = int.from_bytes(message[x + k : x + k + 4], "big")
        elif code == 0x00:
            a = k
        elif code == 0x01:
            x = k
        elif code == 0x07:
            x = a
        else:
            at += if_true if (a == k if code == 0x15 else a & k) else if_false


def _find(message: bytes, at: int, wanted: int) -> int:
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == wanted:
            return at
        at += (length + 3) & ~3
    return 0


def removal(route: VirtualRoute) -> bytes:
    return encode_route_remove(route, 254, _index, 1)


def replacement(route: VirtualRoute, flags: int = 0x100) -> bytes:
    message = bytearray(encode_route_add(route, 254, _index, 1))
    struct.pack_into("=H", message, 6, flags)
    return bytes(message)


def _index(name: str) -> int:
    return 7


def test_removals_of_our_destinations_pass_whoever_removed_what() -> None:
    program = filter_program([ROUTE, ROUTE6])
    assert passes(program, removal(ROUTE))
    assert passes(program, removal(replace(ROUTE, gateway="10.0.0.9", protocol=3)))
    assert passes(program, removal(ROUTE6))
    assert not passes(program, removal(replace(ROUTE, destination="10.9.0.0")))
    assert not passes(program, removal(DEFAULT))


def test_of_additions_only_replacements_pass() -> None:
    program = filter_program([ROUTE])
    assert passes(program, replacement(ROUTE))
    assert not passes(program, replacement(ROUTE, 0x400))
    assert not passes(program, replacement(replace(ROUTE, destination="10.9.0.0")))


def test_a_default_route_of_ours_lets_default_routes_pass() -> None:
    program = filter_program([ROUTE, DEFAULT])
    assert passes(program, removal(DEFAULT))
    assert passes(program, removal(replace(DEFAULT, next_hops=(NextHop(gateway="10.0.0.2"),))))
    assert not passes(program, removal(replace(ROUTE, destination="10.9.0.0")))


def test_removals_of_rules_pass() -> None:
    assert passes(filter_program([RULE]), encode_rule_remove(RULE, 1))
    assert not passes(filter_program([RULE]), removal(ROUTE))


def test_with_too_many_destinations_it_goes_by_our_protocol() -> None:
    many = [replace(ROUTE, destination=f"10.{number}.0.0") for number in range(201)]
    program = filter_program(many)
    assert passes(program, removal(ROUTE))
    assert not passes(program, removal(replace(ROUTE, protocol=3)))


@pytest.mark.parametrize("count", [0, 1, 200])
def test_no_jump_leads_astray(count: int) -> None:
    routes: list[Any] = [replace(ROUTE, destination=f"10.{number}.0.0") for number in range(count)]
    program = filter_program(routes)
    for number in range(count):
        assert passes(program, removal(routes[number]))
    assert not passes(program, removal(replace(ROUTE, destination="11.0.0.0")))

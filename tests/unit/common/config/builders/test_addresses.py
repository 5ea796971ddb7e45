"""Lines of `virtual_ipaddress` (NET-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress

Compile = Callable[..., Any]


@pytest.mark.behaviour("NET-1")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("198.51.100.1", VirtualAddress(address="198.51.100.1", prefix_len=32, interface="eth0")),
        ("198.51.100.1/24 dev eth1", VirtualAddress(address="198.51.100.1", prefix_len=24, interface="eth1")),
        (
            "198.51.100.1/24 brd + scope link label eth0:v",
            VirtualAddress(
                address="198.51.100.1",
                prefix_len=24,
                interface="eth0",
                scope=253,
                label="eth0:v",
                broadcast="198.51.100.255",
            ),
        ),
        (
            "dev eth1 198.51.100.65/26 broadcast - scope 200",
            VirtualAddress(
                address="198.51.100.65", prefix_len=26, interface="eth1", scope=200, broadcast="198.51.100.64"
            ),
        ),
    ],
)
def test_a_line_becomes_an_address(instance: Compile, line: str, expected: VirtualAddress) -> None:
    result = instance(f"virtual_ipaddress_excluded {{\n{line}\n}}")
    assert result.errors == []
    assert result.result.configuration.vrrp.instances[0].excluded_addresses == (expected,)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dev eth1", "this line names no address"),
        ("198.51.100.1 scope nearby", "scope: 'nearby' is not one of global, site, link, host, nowhere or a number"),
        ("198.51.100.1 label eth0:a_long_label", "label: 'eth0:a_long_label' is longer than 15 characters"),
        ("198.51.100.1 brd +", "broadcast + needs a prefix length of at most 30, not 32"),
        ("198.51.100.1/24 brd x", "broadcast: 'x' is not an IPv4 address, '+' or '-'"),
        ("198.51.100.1/24 198.51.100.2", "unknown option '198.51.100.2' in virtual_ipaddress"),
        ("198.51.100.1/24 dev", "'virtual_ipaddress' is missing its parameter: interface name"),
    ],
)
def test_a_bad_line_is_an_error(instance: Compile, line: str, message: str) -> None:
    [error] = instance(f"virtual_ipaddress {{\n{line}\n}}").errors
    assert error.startswith(message)


@pytest.mark.behaviour("NET-3")
def test_an_excluded_address_may_be_of_the_other_family(instance: Compile) -> None:
    result = instance("virtual_ipaddress_excluded { fd00::1/64 }")
    assert result.warnings == []
    [excluded] = result.result.configuration.vrrp.instances[0].excluded_addresses
    assert (excluded.address, excluded.prefix_len) == ("fd00::1", 64)


@pytest.mark.behaviour("NET-1")
@pytest.mark.parametrize(
    ("line", "lifetime_s"),
    [
        ("fd00::1", 0),
        ("fd00::1/64", None),
        ("fd00::1 preferred_lft forever", None),
        ("fd00::1/64 preferred_lft 30", 30),
        ("192.0.2.9", None),
    ],
)
def test_nobody_shall_speak_from_an_ipv6_host_address_unasked(
    instance: Compile, line: str, lifetime_s: int | None
) -> None:
    result = instance(f"virtual_ipaddress_excluded {{\n{line}\n}}")
    assert result.result.configuration.vrrp.instances[0].excluded_addresses[0].preferred_lft_s == lifetime_s


@pytest.mark.parametrize("text", ["never", "-1", "4294967295"])
def test_a_lifetime_is_for_ever_or_a_number(instance: Compile, text: str) -> None:
    [error] = instance(f"virtual_ipaddress_excluded {{\nfd00::1 preferred_lft {text}\n}}").errors
    assert f": '{text}' is not " in error

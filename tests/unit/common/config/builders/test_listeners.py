"""Lines of `virtual_server_group` (LVS-20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.builders.listeners import expand
from pyhad.common.config.model import Listener, Protocol
from pyhad.common.config.values import BadValue

Compile = Callable[..., Any]


@pytest.mark.behaviour("LVS-20")
@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("192.0.2.7", ["192.0.2.7"]),
        ("192.0.2.7-9", ["192.0.2.7", "192.0.2.8", "192.0.2.9"]),
        ("192.0.2.255-192.0.3.1", ["192.0.2.255", "192.0.3.0", "192.0.3.1"]),
        ("192.0.2.4/30", ["192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"]),
        ("192.0.2.4/32", ["192.0.2.4"]),
        ("fd00::9-b", ["fd00::9", "fd00::a", "fd00::b"]),
        ("fd00::/127", ["fd00::", "fd00::1"]),
    ],
)
def test_a_range_stands_for_its_addresses(text: str, addresses: list[str]) -> None:
    assert expand(text) == addresses


@pytest.mark.behaviour("LVS-20")
@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.9-7",
        "192.0.2.9-9",
        "192.0.2.9-256",
        "192.0.2.9-+9",
        "192.0.2.9-",
        "fd00::9-8",
        "fd00::9-1_0",
        "192.0.2.5/30",
        "192.0.2.0/0",
        "192.0.2.0/33",
        "10.0.0.0/8",
        "fd00::/64",
        "10.0.0.0-10.255.0.0",
        "192.0.2.1-fd00::1",
        "nowhere",
    ],
)
def test_a_bad_range_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        expand(text)


def group_service(entries: str, words: str = "", server: str = "10.0.0.1") -> str:
    group = f"virtual_server_group G {{\n{entries}\n}}\n"
    service = f"protocol TCP\n lb_algo rr\n lb_kind NAT\n {words}\n real_server {server} 80 {{ }}"
    return f"{group}virtual_server group G {{\n{service}\n}}\n"


def test_all_entries_of_a_group_are_listeners_of_one_service(compiled: Compile) -> None:
    [one] = compiled(group_service("192.0.2.1-2 80\n192.0.2.9 81\nfwmark 0x9")).result.configuration.ipvs.services
    assert one.id == "group:G/tcp"
    assert one.listeners == (
        Listener(protocol=Protocol.TCP, family=4, address="192.0.2.1", port=80),
        Listener(protocol=Protocol.TCP, family=4, address="192.0.2.2", port=80),
        Listener(protocol=Protocol.TCP, family=4, address="192.0.2.9", port=81),
        Listener(protocol=Protocol.NONE, family=4, fwmark=9),
    )


@pytest.mark.behaviour("FIX-62")
def test_a_group_of_both_families_serves_that_of_its_servers(compiled: Compile) -> None:
    result = compiled(group_service("192.0.2.1 80\nfd00::1 80", server="fd00::9"))
    assert result.errors == []
    [one] = result.result.configuration.ipvs.services
    assert [listener.address for listener in one.listeners] == ["fd00::1"]


@pytest.mark.behaviour("FIX-62")
def test_an_empty_group_is_a_warning(compiled: Compile) -> None:
    assert compiled("virtual_server_group G { }\n").warnings == ["virtual_server_group 'G' has no entries"]


def test_a_group_defined_twice_is_an_error(compiled: Compile) -> None:
    text = "virtual_server_group G { 192.0.2.1 80 }\n"
    assert compiled(text + text).errors == ["virtual_server_group 'G' is defined twice: first at t.conf:1"]


def test_a_group_may_stand_below_its_service(compiled: Compile) -> None:
    group, service = group_service("192.0.2.1 80").split("}\n", 1)
    assert compiled(service + group + "}\n").errors == []

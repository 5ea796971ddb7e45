"""Where routes, rules and static items belong, and which interfaces they make an instance follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Compile = Callable[..., Any]
INSTANCE = """
vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    virtual_ipaddress {{ 192.0.2.{vrid} }}
    {words}
}}
"""


def document(result: Any) -> Any:
    assert result.errors == []
    return result.result.configuration.vrrp


@pytest.mark.behaviour("TRK-31")
def test_tracked_routes_and_rules_make_their_interfaces_followed(instance: Compile) -> None:
    words = """
    virtual_routes {
        10.1.0.0/16 dev eth1
        10.2.0.0/16 nexthop via 10.0.0.1 dev eth2 nexthop via 10.0.0.2 dev eth0
        10.3.0.0/16 dev eth3 no_track
    }
    virtual_rules {
        iif eth4 table 1 preference 5
        oif eth5 table 1 preference 5 no_track
    }
    """
    [one] = document(instance(words)).instances
    assert one.tracked_interfaces == ("eth1", "eth2", "eth4")
    assert [route.tracked for route in one.routes] == [True, True, False]


def test_a_track_group_of_nobody_is_a_warning(compiled: Compile) -> None:
    result = compiled("track_group G {\n    group {\n    }\n}\n" + INSTANCE.format(name="A", vrid=1, words=""))
    assert result.warnings == ["track_group 'G' has an empty group: nobody follows it"]


@pytest.mark.behaviour("TRK-61")
def test_the_instances_of_a_track_group_follow_the_interfaces_of_its_static_items(compiled: Compile) -> None:
    text = """
track_group G {
    group { A NOBODY }
}
static_ipaddress {
    10.1.0.1/24 dev eth1 track_group G
    10.1.1.1/24 track_group NO_GROUP
}
static_routes {
    10.2.0.0/16 dev eth2 track_group G
    10.3.0.0/16 via 10.0.0.1 track_group G
    10.4.0.0/16 dev eth4 track_group G no_track
}
static_rules {
    iif eth5 table 1 preference 4 track_group G
}
"""
    parts = (INSTANCE.format(name=name, vrid=vrid, words="") for name, vrid in (("A", 1), ("B", 2)))
    result = compiled(text + "".join(parts))
    first, second = document(result).instances
    assert first.tracked_interfaces == ("eth2", "eth5", "eth1")
    assert second.tracked_interfaces == ()
    for said in ("no vrrp_instance 'NOBODY'", "no track_group 'NO_GROUP'", "names no interface", "says no_track"):
        assert sum(said in warning for warning in result.warnings) == 1


def test_static_addresses_take_the_default_interface(compiled: Compile) -> None:
    line = "static_ipaddress {\n10.1.0.1/24\n10.1.0.1/24 dev eth0\n10.1.0.2/24 dev lan0\n}\n"
    found = document(compiled("global_defs {\ndefault_interface eth0\n}\n" + line))
    assert [(one.address, one.interface) for one in found.statics.addresses] == [
        ("10.1.0.1", "eth0"), ("10.1.0.2", "lan0"),
    ]  # fmt: skip
    assert found.instances == ()


def test_static_items_alone_need_the_vrrp_process(compiled: Compile) -> None:
    result = compiled("static_routes {\nblackhole 10.1.0.0/16\n}\n").result
    assert result.configuration.parent.vrrp
    assert not compiled("global_defs {\n}\n").result.configuration.parent.vrrp


def test_the_same_line_twice_counts_once(instance: Compile) -> None:
    result = instance("virtual_routes {\n10.1.0.0/16 dev eth0\n10.1.0.0/16 oif eth0\n}")
    assert len(document(result).instances[0].routes) == 1
    assert any("says the same as line" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("before", "words", "expected"),
    [
        ("", "", True),
        ("global_defs {\npyhad_put_back off\n}\n", "", False),
        ("global_defs {\npyhad_put_back off\n}\n", "pyhad_put_back", True),
        ("", "pyhad_put_back no", False),
    ],
)
def test_what_is_lost_is_put_back_unless_told_otherwise(
    compiled: Compile, before: str, words: str, expected: bool
) -> None:
    [one] = document(compiled(before + INSTANCE.format(name="A", vrid=1, words=words))).instances
    assert one.put_back is expected


def test_names_come_from_the_folders_that_are_named(compiled: Compile, tmp_path: Any) -> None:
    (tmp_path / "rt_tables").write_text("77 ours\n")
    text = f"global_defs {{\niproute_etc_dir {tmp_path}\n}}\nstatic_routes {{\n10.1.0.0/16 dev eth0 table ours\n}}\n"
    assert document(compiled(text)).statics.routes[0].table == 77

"""Strict mode, and what is special about an address owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VrrpInstance

Compile = Callable[..., Any]


def built(result: Any) -> VrrpInstance:
    assert result.errors == []
    [one] = result.result.configuration.vrrp.instances
    found: VrrpInstance = one
    return found


def changed(word: str) -> str:
    return f"{word} of 'VI_1' is changed: strict mode does not allow it"


@pytest.mark.behaviour("FIX-21", "FIX-25")
def test_strict_mode_alone_says_nothing_about_what_nobody_wrote(instance: Compile) -> None:
    result = instance("strict_mode")
    one = built(result)
    assert (one.lower_prio_no_advert, one.higher_prio_send_advert, one.down_timer_adverts) == (True, False, 3)
    assert (one.announcement.lower_prio_delay_ns, one.announcement.lower_prio_repeat) == (0, 0)
    assert (one.announcement.master_repeat, one.announcement.master_delay_ns) == (5, 5_000_000_000)
    assert result.warnings == []


def test_the_instance_s_own_word_goes_before_the_global_one(instance: Compile, compiled: Compile) -> None:
    text = (
        "global_defs {{\n vrrp_strict\n}}\nvrrp_instance VI_1 {{\n interface e\n virtual_router_id 1\n"
        " virtual_ipaddress {{ 192.0.2.1 }}\n {0}\n}}\n"
    )
    assert built(compiled(text.format(""))).lower_prio_no_advert
    assert not built(compiled(text.format("strict_mode no"))).lower_prio_no_advert


@pytest.mark.behaviour("FIX-3", "FIX-4", "FIX-20", "FIX-21", "FIX-25")
@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("authentication {\n auth_type PASS\n auth_pass x\n }", "authentication"),
        ("preempt_delay 5", "preempt_delay"),
        ("down_timer_adverts 5", "down_timer_adverts"),
        ("higher_prio_send_advert", "higher_prio_send_advert"),
        ("lower_prio_no_advert no", "lower_prio_no_advert"),
        ("garp_lower_prio_delay 3", "garp_lower_prio_delay"),
        ("garp_lower_prio_repeat 3", "garp_lower_prio_repeat"),
        ("state MASTER\npriority 150", "state"),
    ],
)
def test_what_the_rfc_does_not_know_is_undone_and_said(instance: Compile, words: str, word: str) -> None:
    result = instance("strict_mode\n" + words)
    assert changed(word) in result.warnings
    assert built(result) == built(instance("strict_mode" + ("\npriority 150" if word == "state" else "")))


@pytest.mark.behaviour("FIX-3")
def test_in_strict_mode_the_priority_decides_who_starts_as_master(instance: Compile) -> None:
    result = instance("strict_mode\nstate BACKUP\npriority 255")
    assert built(result).start_as_master
    assert result.warnings == [changed("state")]


@pytest.mark.rfc("9568-5.2.9b")
@pytest.mark.behaviour("FIX-2", "FIX-15")
def test_strict_ipv6_is_version_3_and_begins_link_local(compiled: Compile) -> None:
    text = (
        "vrrp_instance VI_1 {{\ninterface e\nvirtual_router_id 1\nversion 2\nvirtual_ipaddress {{ fd00::1 }}\n{0}\n}}"
    )
    result = compiled(text.format("strict_mode"))
    assert built(result).version == 3
    assert result.warnings == [
        "the first address of 'VI_1' should be link-local, fd00::1 is not", changed("version"),
    ]  # fmt: skip
    assert compiled(text.format("")).warnings == []
    assert built(compiled(text.format(""))).version == 2


@pytest.mark.behaviour("FIX-10", "FIX-34")
def test_strict_mode_refuses_unicast_and_no_address(instance: Compile, compiled: Compile) -> None:
    assert instance("strict_mode\nunicast_peer { 192.0.2.2 }").errors == [
        "unicast_peer: 'VI_1' is strict, and the RFC knows multicast only"
    ]
    text = "vrrp_instance VI_1 {\ninterface e\nvirtual_router_id 1\nstrict_mode\nno_virtual_ipaddress\n}\n"
    assert compiled(text).errors == ["vrrp_instance 'VI_1' is strict and has no virtual_ipaddress"]


@pytest.mark.behaviour("PKT-33", "FIX-26", "FIX-27", "QRK-8")
@pytest.mark.parametrize(
    ("words", "ignores"),
    [
        ("priority 255", False),
        ("priority 255\nowner_ignore_adverts", True),
        ("priority 255\nowner_ignore_adverts no", False),
        ("priority 255\nstrict_mode", True),
        ("priority 255\nstrict_mode\nowner_ignore_adverts no", False),
        ("priority 200\nowner_ignore_adverts", False),
    ],
)
def test_only_an_owner_may_listen_to_nobody(instance: Compile, words: str, ignores: bool) -> None:
    assert built(instance(words)).ignores_adverts is ignores


@pytest.mark.behaviour("FIX-26")
def test_who_is_no_owner_is_told_so(instance: Compile) -> None:
    assert instance("owner_ignore_adverts").warnings == ["owner_ignore_adverts is ignored: 'VI_1' has priority 100"]


def test_a_source_that_is_tracked_must_be_named(instance: Compile) -> None:
    assert built(instance("track_src_ip\nmcast_src_ip 192.0.2.1")).track_source
    result = instance("track_src_ip")
    assert not built(result).track_source
    assert result.warnings == ["track_src_ip is ignored: 'VI_1' names no source address"]


@pytest.mark.rfc("9568-6.4.3g")
@pytest.mark.behaviour("VMAC-23")
@pytest.mark.behaviour("FIX-23")
@pytest.mark.parametrize(
    ("words", "accepts"),
    [
        ("", True),
        ("no_accept", False),
        ("no_accept\naccept", True),
        ("no_accept\npriority 255", True),
        ("strict_mode on\nversion 3", False),
        ("strict_mode on\nversion 3\naccept", True),
        ("strict_mode on\nversion 2\naccept", False),
        ("strict_mode on\nversion 3\npriority 255", True),
    ],
)
def test_what_is_sent_to_the_addresses_is_accepted_or_not(instance: Compile, words: str, accepts: bool) -> None:
    result = instance(words)
    [one] = result.result.configuration.vrrp.instances
    assert one.accept_mode is accepts
    assert any("knows no accept mode" in warning for warning in result.warnings) is ("version 2\naccept" in words)

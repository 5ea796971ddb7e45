"""`unicast_peer` and its companions in the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import UnicastChecksum, UnicastPeer, VrrpInstance

Compile = Callable[..., Any]
PEERS = "unicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2\n192.0.2.3\n}\n"


def built(result: Any) -> VrrpInstance:
    assert result.errors == []
    [one] = result.result.configuration.vrrp.instances
    found: VrrpInstance = one
    return found


@pytest.mark.behaviour("PKT-8")
def test_peers_are_taken_in_their_order(instance: Compile) -> None:
    one = built(instance(PEERS))
    assert one.unicast_peers == (UnicastPeer(address="192.0.2.2"), UnicastPeer(address="192.0.2.3"))
    assert (one.source_address, one.unicast_ttl, one.check_unicast_source) == ("192.0.2.1", None, False)
    assert built(instance(PEERS + "unicast_ttl 5")).unicast_ttl == 5
    assert built(instance(PEERS + "unicast_ttl 0")).unicast_ttl == 0


def test_the_source_for_unicast_goes_before_that_for_multicast(instance: Compile) -> None:
    assert built(instance("mcast_src_ip 192.0.2.9\n" + PEERS)).source_address == "192.0.2.1"


@pytest.mark.behaviour("PKT-36")
@pytest.mark.parametrize(
    ("words", "before"),
    [
        (PEERS + "check_unicast_src", ""),
        (PEERS, "global_defs {\n vrrp_check_unicast_src\n}\n"),
        ("unicast_peer {\n192.0.2.2 min_ttl 250\n}", ""),
        ("unicast_peer {\n192.0.2.2 max_ttl 254\n}", ""),
    ],
)
def test_the_sender_is_checked_when_asked_or_limited(compiled: Compile, words: str, before: str) -> None:
    text = f"vrrp_instance A {{\ninterface e\nvirtual_router_id 1\nvirtual_ipaddress {{ 192.0.2.100 }}\n{words}\n}}\n"
    assert built(compiled(before + text)).check_unicast_source


def test_limits_belong_to_their_peer(instance: Compile) -> None:
    words = "unicast_peer {\n192.0.2.2 min_ttl 250 max_ttl 254\n192.0.2.3\n}"
    assert built(instance(words)).unicast_peers[0] == UnicastPeer(address="192.0.2.2", min_ttl=250, max_ttl=254)
    assert instance("unicast_peer {\n192.0.2.2 min_ttl 9 max_ttl 8\n}").errors == [
        "min_ttl 9 is above max_ttl 8: nothing of this peer would be accepted"
    ]


def test_peers_that_cannot_be_are_ignored(instance: Compile) -> None:
    words = "unicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2\n192.0.2.2\nfd00::2\n192.0.2.1\n}"
    result = instance(words)
    assert built(result).unicast_peers == (UnicastPeer(address="192.0.2.2"),)
    assert result.warnings == [
        "192.0.2.2 is ignored: 'VI_1' has this peer already",
        "fd00::2 is ignored: 'VI_1' uses IPv4",
        "192.0.2.1 is ignored: it is the address of 'VI_1' itself",
    ]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("", UnicastChecksum.DETECT),
        ("old_unicast_checksum", UnicastChecksum.OLD),
        ("old_unicast_checksum never", UnicastChecksum.NEVER_OLD),
    ],
)
def test_the_old_checksum_is_detected_forced_or_refused(instance: Compile, word: str, meaning: UnicastChecksum) -> None:
    assert built(instance(PEERS + word)).unicast_checksum is meaning


@pytest.mark.behaviour("FIX-9")
def test_a_unicast_word_without_peers_means_multicast(instance: Compile) -> None:
    result = instance("unicast_src_ip 192.0.2.1")
    assert built(result).source_address == "192.0.2.1"
    assert "unicast_src_ip without unicast_peer: 'VI_1' uses multicast" in result.warnings
    assert not built(result).fault_without_peers


@pytest.mark.behaviour("FIX-9")
def test_without_peers_it_stays_in_fault_when_asked(instance: Compile) -> None:
    result = instance("unicast_src_ip 192.0.2.1\nunicast_fault_no_peer")
    assert built(result).fault_without_peers
    assert "'VI_1' has no unicast_peer: it stays in FAULT" in result.warnings
    assert not built(instance(PEERS + "unicast_fault_no_peer")).fault_without_peers


@pytest.mark.behaviour("FIX-24")
def test_a_group_of_its_own_is_of_no_use_to_unicast(instance: Compile) -> None:
    result = instance(PEERS + "mcast_dst_ip 224.0.0.99")
    assert built(result).multicast_group == "224.0.0.18"
    assert "mcast_dst_ip is ignored: 'VI_1' uses unicast" in result.warnings


@pytest.mark.behaviour("FSM-15")
def test_one_vrid_may_be_used_by_several_who_speak_to_others(compiled: Compile) -> None:
    text = (
        "vrrp_instance {0} {{\ninterface e\nvirtual_router_id 1\n"
        "virtual_ipaddress {{ 192.0.2.10{0} }}\nunicast_peer {{ {1} }}\n}}\n"
    )
    apart = compiled(text.format(1, "192.0.2.2") + text.format(2, "192.0.2.3"))
    assert apart.errors == []
    assert len(apart.result.configuration.vrrp.instances) == 2
    [error] = compiled(text.format(1, "192.0.2.2") + text.format(2, "192.0.2.2")).errors
    assert error.startswith("virtual_router_id 1 is used twice on e (IPv4): by '2' and by '1'")


ROAMING = "vrrp_instance A {{\nvirtual_router_id 1\nvirtual_ipaddress {{\n{}\n}}\n{}\n}}\n"


@pytest.mark.behaviour("FIX-1", "FIX-33")
def test_unicast_with_a_source_needs_no_interface(compiled: Compile) -> None:
    result = compiled(ROAMING.format("192.0.2.9 dev eth7\n192.0.2.10", PEERS))
    one = built(result)
    assert (one.interface, one.source_address, result.warnings) == ("", "192.0.2.1", [])
    assert [virtual.interface for virtual in one.addresses] == ["eth7", "eth0"]
    text = "global_defs {\ndefault_interface eth5\n}\nlinkbeat_use_polling\n"
    result = compiled(text + ROAMING.format("192.0.2.9", PEERS), interfaces=frozenset({"eth5"}))
    assert [virtual.interface for virtual in built(result).addresses] == ["eth5"]
    assert result.warnings == []
    assert result.result.configuration.vrrp.lookout.link_polls == ()


@pytest.mark.behaviour("FIX-16")
def test_a_vrf_takes_the_place_of_an_interface_and_stands_beside_none(compiled: Compile, instance: Compile) -> None:
    one = built(compiled(ROAMING.format("192.0.2.9 dev eth7", PEERS + "vrf red")))
    assert (one.interface, one.vrf, one.speaks_on) == ("", "red", "red")
    result = compiled(ROAMING.format("192.0.2.9 dev eth7", PEERS + "vrf red"), interfaces=frozenset({"eth7"}))
    assert result.warnings == ["interface red does not exist: vrrp_instance 'A' stays in FAULT until it appears"]
    result = instance(PEERS + "vrf red")
    assert (built(result).vrf, result.warnings) == ("", ["vrf is ignored: 'VI_1' has interface eth0"])
    assert instance("vrf red").warnings == ["vrf is ignored: 'VI_1' has interface eth0"]


def test_one_place_may_be_in_two_vrfs(compiled: Compile) -> None:
    one, other = (ROAMING.format("192.0.2.9 dev eth7", PEERS + f"vrf {name}") for name in ("red", "blue"))
    assert compiled(one + other.replace("instance A", "instance B")).errors == []


@pytest.mark.parametrize("words", ["use_vmac", "use_vmac vrrp.9\nvmac_xmit_base", "use_ipvlan 192.0.2.5/24"])
def test_an_interface_of_its_own_needs_one_to_stand_on(compiled: Compile, words: str) -> None:
    result = compiled(ROAMING.format("192.0.2.9 dev eth7", PEERS + words))
    assert (built(result).vmac, built(result).speaks_on) == (None, "")
    assert result.warnings == [f"{words.split()[0]} is ignored: 'A' has no interface"]


def test_without_an_interface_the_source_is_not_looked_for_on_one(compiled: Compile) -> None:
    result = compiled(ROAMING.format("192.0.2.9", PEERS + "track_src_ip"))
    assert not built(result).track_source
    assert result.warnings == ["track_src_ip is ignored: 'A' names no interface"]


@pytest.mark.behaviour("FIX-11")
@pytest.mark.parametrize(
    ("address", "words", "error"),
    [
        ("192.0.2.9", "unicast_peer { 192.0.2.2 }", "vrrp_instance 'A' has no interface"),
        ("192.0.2.9", "unicast_src_ip 192.0.2.1\nunicast_peer { fd00::2 }",
         "vrrp_instance 'A' has no interface, and no peer to do without"),
        ("fd00::9", "version 3\nunicast_src_ip fe80::1\nunicast_peer { fe80::2 }",
         "unicast_src_ip: fe80::1 means nothing without an interface"),
    ],
)  # fmt: skip
def test_what_cannot_do_without_an_interface_is_an_error(
    compiled: Compile, address: str, words: str, error: str
) -> None:
    result = compiled(ROAMING.format(address, words))
    assert error in result.errors
    assert result.result.configuration is None


def test_an_empty_list_of_peers_is_said(instance: Compile) -> None:
    result = instance("unicast_peer {\n}")
    assert result.warnings == ["unicast_peer has no peer for 'VI_1': it uses multicast"]

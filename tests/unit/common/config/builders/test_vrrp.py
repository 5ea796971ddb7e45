"""`vrrp_instance` to the model: defaults, fix-ups, what is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import Announcement, VirtualAddress, VrrpInstance

Compile = Callable[..., Any]
SECOND_NS = 1_000_000_000


def built(compiled: Any) -> VrrpInstance:
    assert compiled.errors == []
    [one] = compiled.result.configuration.vrrp.instances
    return one


def test_an_instance_without_more_has_keepalived_s_defaults(instance: Compile) -> None:
    assert built(instance()) == VrrpInstance(
        name="VI_1",
        vrid=51,
        family=4,
        interface="eth0",
        version=2,
        start_as_master=False,
        base_priority=100,
        advertisement_interval_cs=100,
        higher_prio_send_advert=True,  # the one that differs: docs/decisions/0008-the-last-word.md
        vip_lease_s=4,
        addresses=(VirtualAddress(address="192.0.2.100", prefix_len=24, interface="eth0"),),
    )


@pytest.mark.parametrize(
    ("wanted", "words", "seconds"),
    [
        ("auto", "advert_int 1", 4),  # 3 adverts and a skew of less than a second
        ("auto", "advert_int 2", 7),
        ("auto", "version 3\nadvert_int 0.1", 1),
        ("auto", "version 3\nadvert_int 2", 8),
        ("auto", "down_timer_adverts 10", 11),
        ("off", "", 0),
        ("9", "", 9),
    ],
)
def test_a_lease_lasts_until_a_peer_has_taken_over(instance: Compile, wanted: str, words: str, seconds: int) -> None:
    assert built(instance(f"{words}\n}}\nglobal_defs {{\npyhad_vip_lease {wanted}")).vip_lease_s == seconds


@pytest.mark.behaviour("FSM-10")
@pytest.mark.parametrize(
    ("words", "priority", "starts"),
    [
        ("state MASTER", 255, True),
        ("priority 255", 255, True),
        ("state BACKUP\npriority 255", 255, False),
        ("state MASTER\npriority 150", 150, False),
        ("state BACKUP", 100, False),
    ],
)
def test_only_the_owner_who_wants_it_starts_as_master(
    instance: Compile, words: str, priority: int, starts: bool
) -> None:
    one = built(instance(words))
    assert (one.base_priority, one.start_as_master) == (priority, starts)


@pytest.mark.behaviour("QRK-1")
def test_state_master_alone_warns_that_it_means_the_owner(instance: Compile) -> None:
    assert (
        "'VI_1' has state MASTER and no priority: it is the address owner, priority 255"
        in instance("state MASTER").warnings
    )


@pytest.mark.behaviour("FIX-28", "PKT-7")
@pytest.mark.parametrize(("text", "cs"), [("1", 100), ("0.4", 100), ("1.5", 200), ("1.49", 100), ("255", 25500)])
def test_version_2_knows_whole_seconds(instance: Compile, text: str, cs: int) -> None:
    assert built(instance(f"advert_int {text}")).advertisement_interval_cs == cs


@pytest.mark.behaviour("FIX-29", "PKT-7")
@pytest.mark.parametrize(("text", "cs"), [("0.01", 1), ("0.014", 1), ("0.015", 2), ("40.96", 4095), ("1", 100)])
def test_version_3_knows_hundredths_up_to_40_95_seconds(instance: Compile, text: str, cs: int) -> None:
    assert built(instance(f"version 3\nadvert_int {text}")).advertisement_interval_cs == cs


def test_a_rounded_interval_is_said(instance: Compile) -> None:
    assert instance("advert_int 1.5").warnings == ["advert_int: version 2 knows whole seconds up to 255: 2 s is used"]


@pytest.mark.behaviour("FIX-19")
@pytest.mark.parametrize("words", ["state MASTER\npriority 150", "priority 255"])
def test_nopreempt_is_ignored_for_a_wanted_master(instance: Compile, words: str) -> None:
    one = instance(words + "\nnopreempt")
    assert built(one).preempt_mode
    assert any(text.startswith("nopreempt is ignored") for text in one.warnings)


def test_nopreempt_counts_otherwise_and_preempt_takes_it_back(instance: Compile) -> None:
    assert not built(instance("nopreempt")).preempt_mode
    assert built(instance("nopreempt\npreempt")).preempt_mode


@pytest.mark.behaviour("FIX-20")
@pytest.mark.parametrize(
    ("words", "delay_ns"),
    [("", 1_500_000_000), ("nopreempt", 0), ("state MASTER\npriority 150", 0)],
)
def test_preempt_delay_needs_preemption_and_a_backup(instance: Compile, words: str, delay_ns: int) -> None:
    assert built(instance(words + "\npreempt_delay 1.5")).preempt_delay_ns == delay_ns


@pytest.mark.behaviour("FIX-1")
def test_interface_and_virtual_router_id_are_required(compiled: Compile) -> None:
    assert compiled("vrrp_instance A { }").errors == [
        "vrrp_instance 'A' has no virtual_router_id",
        "vrrp_instance 'A' has no interface",
    ]


@pytest.mark.behaviour("FSM-15")
def test_the_same_vrid_twice_on_an_interface_names_both_lines(compiled: Compile) -> None:
    text = "\n".join(
        f"vrrp_instance {name} {{\n interface {interface}\n virtual_router_id 5\n"
        " virtual_ipaddress { 192.0.2.1 }\n }"
        for name, interface in (("A", "eth0"), ("B", "eth1"), ("C", "eth0"))
    )
    result = compiled(text)
    assert result.errors == ["virtual_router_id 5 is used twice on eth0 (IPv4): by 'C' and by 'A' at t.conf:1"]
    assert result.result.diagnostics[0].at.line == 11


def test_the_same_name_twice_is_an_error(compiled: Compile, instance: Compile) -> None:
    text = "vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n}\n"
    assert compiled(text + text.replace("id 1", "id 2")).errors == [
        "vrrp_instance 'A' is defined twice: first at t.conf:1"
    ]


@pytest.mark.behaviour("FSM-15")
def test_the_loopback_interface_is_refused(compiled: Compile) -> None:
    text = "vrrp_instance A {\n interface lo\n virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n}\n"
    assert compiled(text).errors == ["interface: VRRP cannot run on the loopback interface"]


@pytest.mark.behaviour("FIX-34")
def test_version_3_needs_an_address_and_version_2_only_warns(compiled: Compile) -> None:
    text = "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n version 3\n}\n"
    assert compiled(text).errors == ["vrrp_instance 'A' has no virtual_ipaddress; version 3 needs one"]
    assert compiled(text.replace("version 3", "version 2")).warnings == ["vrrp_instance 'A' has no virtual_ipaddress"]
    assert compiled(text.replace("version 3", "no_virtual_ipaddress")).warnings == []


@pytest.mark.behaviour("FIX-17", "NET-4")
def test_addresses_beyond_255_are_not_advertised(instance: Compile) -> None:
    one = built(instance("virtual_ipaddress {\n" + "\n".join(f"198.51.100.{n}" for n in range(256)) + "\n}"))
    assert len(one.addresses) == 255
    assert [address.address for address in one.excluded_addresses] == ["198.51.100.254", "198.51.100.255"]


@pytest.mark.rfc("9568-5.2.9a")
@pytest.mark.behaviour("FIX-18")
def test_an_address_of_the_other_family_is_ignored(instance: Compile) -> None:
    result = instance("virtual_ipaddress { fd00::1 }")
    assert [address.address for address in built(result).addresses] == ["192.0.2.100"]
    assert result.warnings == ["fd00::1 is ignored: the addresses of 'VI_1' are IPv4"]


@pytest.mark.behaviour("VER-2")
@pytest.mark.behaviour("NET-5")
def test_the_same_address_twice_counts_once(instance: Compile) -> None:
    result = instance("virtual_ipaddress { 192.0.2.100/32 }")
    assert len(built(result).addresses) == 1
    assert result.warnings == ["192.0.2.100 is ignored: 'VI_1' has it already"]


@pytest.mark.behaviour("TRK-30", "TRK-31", "FIX-30")
def test_interfaces_tracked_without_weight_or_holding_addresses_count(instance: Compile) -> None:
    words = """track_interface {
        eth0
        eth1
        eth2 weight 10
    }
    virtual_ipaddress {
        192.0.2.7 dev eth3
        192.0.2.8 dev eth4 no_track
    }"""
    result = instance(words)
    assert built(result).tracked_interfaces == ("eth1", "eth3")
    assert "track_interface eth0 is ignored: it is the instance's own" in result.warnings


@pytest.mark.behaviour("NET-24")
def test_announcements_come_from_the_instance_then_the_globals(compiled: Compile) -> None:
    text = """
    vrrp_instance A {
        interface eth0
        virtual_router_id 1
        virtual_ipaddress { 192.0.2.1 }
        garp_master_delay 2
    }
    global_defs {
        vrrp_garp_master_repeat 3
        vrrp_garp_master_refresh 60
        vrrp_garp_lower_prio_repeat 0
    }"""
    assert built(compiled(text)).announcement == Announcement(
        master_delay_ns=2 * SECOND_NS,
        master_repeat=3,
        refresh_ns=60 * SECOND_NS,
        refresh_repeat=1,
        lower_prio_delay_ns=5 * SECOND_NS,  # not the instance's own delay: seen in 2.2.7
        lower_prio_repeat=0,
    )


@pytest.mark.behaviour("NET-27")
def test_min_garp_replaces_defaults_only(compiled: Compile, instance: Compile) -> None:
    before = "global_defs {\n vrrp_min_garp\n vrrp_garp_master_repeat 4\n}\n"
    text = "vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 192.0.2.1 }\n}\n"
    one = built(compiled(before + text)).announcement
    assert (one.master_delay_ns, one.master_repeat, one.refresh_repeat) == (0, 4, 0)


@pytest.mark.behaviour("QRK-3")
def test_skip_check_adv_addr_no_means_no(instance: Compile) -> None:
    assert not built(instance("skip_check_adv_addr no")).skip_check_adv_addr
    assert built(instance("skip_check_adv_addr")).skip_check_adv_addr


@pytest.mark.behaviour("FSM-2")
def test_the_shortest_time_to_takeover_is_known_to_the_parent(instance: Compile) -> None:
    one = instance("version 3\nadvert_int 0.1").result.configuration
    assert one.parent.down_interval_ns == 300_390_625  # 3 x 100 ms + 100 ms / 256


def test_an_interface_that_is_not_there_is_a_warning(instance: Compile) -> None:
    result = instance(interfaces=frozenset({"lo", "eth1"}))
    assert result.errors == []
    assert result.warnings == ["interface eth0 does not exist: vrrp_instance 'VI_1' stays in FAULT until it appears"]
    assert instance(interfaces=frozenset({"eth0"})).warnings == []


def test_a_multicast_group_of_its_own_must_be_one(instance: Compile) -> None:
    assert built(instance("mcast_dst_ip 224.0.0.99")).multicast_group == "224.0.0.99"
    assert instance("mcast_dst_ip 192.0.2.1").errors == ["mcast_dst_ip: '192.0.2.1' is not an IPv4 multicast address"]


def test_an_option_with_a_bad_value_is_an_error_and_nothing_more(instance: Compile) -> None:
    [error] = instance("track_interface {\neth1 weight high\n}").errors
    assert error.startswith("track_interface: 'high' is not a whole number")


IPV6 = """
vrrp_instance VI_6 {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{
        fe80::100
        fd00::100/64
    }}
    {0}
}}
"""


def test_the_first_address_makes_an_instance_of_ipv6(compiled: Compile) -> None:
    one = built(compiled(IPV6.format("")))
    assert (one.family, one.version, one.multicast_group) == (6, 3, "ff02::12")
    assert [address.address for address in one.addresses] == ["fe80::100", "fd00::100"]
    assert built(compiled("global_defs {\n vrrp_mcast_group6 ff02::99\n}\n" + IPV6.format(""))).multicast_group == (
        "ff02::99"
    )
    assert built(compiled(IPV6.format("version 2"))).version == 2
    assert built(compiled(IPV6.format("version 2\nnative_ipv6"))).version == 3


def test_native_ipv6_does_not_count_beside_ipv4_addresses(compiled: Compile) -> None:
    """Seen in what keepalived 2.2.7 prints: version 2, IPv4, with its address."""
    found = compiled(IPV6.replace("fe80::100", "192.0.2.100").format("native_ipv6"))
    one = built(found)
    assert (one.family, one.version) == (4, 2)
    assert [address.address for address in one.addresses] == ["192.0.2.100"]
    assert "native_ipv6 is ignored: 'VI_6' has IPv4 addresses" in found.warnings


def test_a_source_address_of_the_other_family_is_an_error(compiled: Compile) -> None:
    assert compiled(IPV6.format("native_ipv6\nmcast_src_ip 192.0.2.1")).errors == [
        "mcast_src_ip: '192.0.2.1' is no IPv6 address, and 'VI_6' uses that"
    ]


def test_a_multicast_group_of_ipv6_stays_on_the_link(compiled: Compile) -> None:
    assert built(compiled(IPV6.format("mcast_dst_ip ff02::99"))).multicast_group == "ff02::99"
    assert compiled(IPV6.format("mcast_dst_ip ff05::99")).errors == [
        "mcast_dst_ip: 'ff05::99' is not an IPv6 link-local multicast address"
    ]

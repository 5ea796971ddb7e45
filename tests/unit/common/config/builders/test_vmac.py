"""`use_vmac`, `use_ipvlan` and their companions in the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.vmac import IpvlanMode, Vmac, VmacKind

Compile = Callable[..., Any]
OTHER = "vrrp_instance V{0} {{\n interface {1}\n virtual_router_id 51\n use_vmac\n virtual_ipaddress {{ {2} }}\n}}\n"


def built(result: Any) -> VrrpInstance:
    assert result.errors == []
    [one] = result.result.configuration.vrrp.instances
    found: VrrpInstance = one
    return found


@pytest.mark.behaviour("VMAC-1")
@pytest.mark.rfc("9568-7.3")
def test_a_virtual_mac_has_the_standards_mac_and_the_usual_name(instance: Compile) -> None:
    one = built(instance("use_vmac"))
    assert one.vmac == Vmac(name="vrrp.51", base="eth0", family=4, mac="00:00:5e:00:01:33")
    assert one.addresses[0].interface == "vrrp.51"
    assert (one.speaks_on, one.vmac_xmit_base) == ("vrrp.51", False)


@pytest.mark.behaviour("VMAC-1")
def test_names_are_given_in_order_and_never_twice(compiled: Compile) -> None:
    text = (
        OTHER.format(1, "eth0", "10.0.0.1") + OTHER.format(2, "eth0", "fe80::1") + OTHER.format(3, "eth1", "10.0.0.3")
    )
    text += OTHER.format(4, "eth2", "10.0.0.4").replace("use_vmac", "use_vmac vrrp2.51")
    text += OTHER.format(5, "eth3", "10.0.0.5")
    instances = compiled(text).result.configuration.vrrp.instances
    assert [one.speaks_on for one in instances] == ["vrrp.51", "vrrp6.51", "vrrp1.51", "vrrp2.51", "vrrp3.51"]
    assert [one.vmac.mac for one in instances][:2] == ["00:00:5e:00:01:33", "00:00:5e:00:02:33"]


def test_all_that_may_follow_use_vmac_is_taken(instance: Compile) -> None:
    one = built(instance("use_vmac name lan0 02:00:00:00:01 group 7 netlink_notify_msg\nvmac_xmit_base"))
    assert one.vmac == Vmac(
        name="lan0", base="eth0", family=4, mac="02:00:00:00:01:33", named=True, group=7, notify_base=True
    )
    assert one.speaks_on == "eth0"


@pytest.mark.behaviour("FIX-13")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("use_vmac 02:00:00:00:00:01\nstrict_mode on", "strict mode does not allow it"),
        ("use_vmac 03:00:00:00:00:01", "it is a multicast address"),
        ("use_vmac 00:00:5e:00:01:01", "it belongs to VRRP itself"),
    ],
)
def test_a_mac_that_cannot_be_is_ignored_and_said(instance: Compile, words: str, why: str) -> None:
    result = instance(words)
    assert built(result).vmac.mac == "00:00:5e:00:01:33"  # type: ignore[union-attr]
    assert any(why in warning for warning in result.warnings)


@pytest.mark.behaviour("VMAC-4")
def test_unicast_speaks_with_the_base(instance: Compile) -> None:
    result = instance("use_vmac\nunicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2\n}")
    assert built(result).speaks_on == "eth0"
    assert result.warnings == ["'VI_1' uses unicast: its adverts are sent by eth0, as by vmac_xmit_base"]


@pytest.mark.behaviour("FIX-31")
def test_strict_mode_speaks_with_the_virtual_mac(instance: Compile) -> None:
    assert built(instance("use_vmac\nvmac_xmit_base\nstrict_mode on\nversion 3")).speaks_on == "vrrp.51"


@pytest.mark.behaviour("VMAC-8")
@pytest.mark.behaviour("NET-3")
def test_addresses_elsewhere_have_a_virtual_mac_where_that_is_wanted(instance: Compile) -> None:
    words = "virtual_ipaddress {\n10.9.0.1 dev eth1\n10.9.0.2 dev eth1 use_vmac\n192.0.2.9 dev eth0\n}\n"
    words += "virtual_ipaddress_excluded {\nfd00::1\n}\nuse_vmac\n"
    plain, wanted = built(instance(words)), built(instance(words + "use_vmac_addr"))
    assert [one.interface for one in plain.addresses] == ["vrrp.51", "eth1", "vrrp1.51", "vrrp.51"]
    assert [one.interface for one in plain.excluded_addresses] == ["eth0"]
    assert [one.interface for one in wanted.addresses] == ["vrrp.51", "vrrp1.51", "vrrp1.51", "vrrp.51"]
    assert [one.interface for one in wanted.excluded_addresses] == ["vrrp6.51"]
    assert wanted.address_vmacs == (
        Vmac(name="vrrp1.51", base="eth1", family=4, mac="00:00:5e:00:01:33"),
        Vmac(name="vrrp6.51", base="eth0", family=6, mac="00:00:5e:00:02:33"),
    )


def test_an_address_can_have_one_where_the_instance_has_none(instance: Compile) -> None:
    one = built(instance("virtual_ipaddress { 192.0.2.9 use_vmac }"))
    assert (one.vmac, one.speaks_on) == (None, "eth0")
    assert [address.interface for address in one.addresses] == ["eth0", "vrrp.51"]


def test_prefixes_change_the_names_that_are_given(compiled: Compile) -> None:
    text = "global_defs {\n vmac_prefix va\n vmac_addr_prefix vb\n}\n" + OTHER.format(1, "eth0", "10.0.0.1")
    text = text.replace("use_vmac\n", "use_vmac\n use_vmac_addr\n virtual_ipaddress_excluded { fd00::1 }\n")
    [one] = compiled(text).result.configuration.vrrp.instances
    assert (one.speaks_on, one.excluded_addresses[0].interface) == ("va.51", "vb.51")
    assert "too long" in compiled(text.replace("va\n", "a-long-prefix\n")).errors[0]


@pytest.mark.behaviour("VMAC-6")
def test_an_ipvlan_has_its_address_and_mode(instance: Compile) -> None:
    one = built(instance("use_ipvlan ipv0 192.0.2.5/24 group 7 private"))
    assert one.vmac == Vmac(
        name="ipv0", base="eth0", family=4, kind=VmacKind.IPVLAN, named=True, group=7, mode=IpvlanMode.PRIVATE,
        address="192.0.2.5", prefix_len=24,
    )  # fmt: skip
    assert one.addresses[0].interface == "ipv0"
    assert instance("use_ipvlan").warnings == ["use_ipvlan without an address: 'VI_1' stays in FAULT"]
    assert "exclude each other" in instance("use_ipvlan ipv0 192.0.2.5/24 private vepa").errors[0]
    assert "is no IPv4 address" in instance("use_ipvlan ipv0 fd00::5/64").errors[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [("use_vmac own0", "use_vmac own0"), ("use_ipvlan own0 192.0.2.5/24", "use_ipvlan own0 192.0.2.6/24")],
)
def test_a_name_that_another_instance_has_for_its_interface_is_ignored(
    compiled: Compile, first: str, second: str
) -> None:
    a = OTHER.format(1, "eth0", "192.0.2.1").replace("use_vmac", first)
    b = OTHER.format(2, "eth0", "192.0.2.2").replace("use_vmac", second).replace("51", "52")
    result = compiled(a + b)
    assert [one.speaks_on for one in result.result.configuration.vrrp.instances] == ["own0", "vrrp.52"]
    assert result.warnings == [f"{second.split()[0]}: the name own0 is ignored: the interface of 'V1' has it"]


def test_what_is_the_same_may_be_shared_by_name(compiled: Compile) -> None:
    text = OTHER.format(1, "eth0", "10.0.0.1") + OTHER.format(2, "eth0", "10.0.0.2")
    text = text.replace("use_vmac\n", "use_vmac own0\n")
    assert not any("own0" in warning for warning in compiled(text).warnings)


@pytest.mark.behaviour("FIX-32")
def test_promote_secondaries_is_for_interfaces_of_others(instance: Compile) -> None:
    assert built(instance("promote_secondaries")).promote_secondaries is True
    result = instance("use_vmac\npromote_secondaries")
    assert built(result).promote_secondaries is False
    assert result.warnings == ["promote_secondaries is ignored: the interface that 'VI_1' makes has it anyway"]


@pytest.mark.behaviour("FIX-37")
def test_an_address_that_asks_for_what_it_has_anyway_is_told_so(instance: Compile) -> None:
    asked = "virtual_ipaddress {\n192.0.2.9 use_vmac\n}\n"
    result = instance("use_vmac\n" + asked)
    assert [one.interface for one in built(result).addresses][-1] == "vrrp.51"
    assert result.warnings == ["use_vmac of 192.0.2.9 does nothing: the interface of 'VI_1' is one already"]
    assert instance(asked).warnings == []

"""Which interface each virtual MAC is: names that are free, taken, or ours already."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.config.model.vmac import Vmac, VmacKind
from pyhad.vrrp_proc.core.vmac_plan import Found, can_become, fits, make_plan, rivals

MAC = "00:00:5e:00:01:33"
ETH0 = Found(name="eth0", kind="", mode=0, base="", mac="02:00:00:00:00:01", ours=False)
ETH1 = Found(name="eth1", kind="", mode=0, base="", mac="02:00:00:00:00:02", ours=False)


def vmac(name: str = "vrrp.51", base: str = "eth0", *, named: bool = False, mac: str = MAC) -> Vmac:
    return Vmac(name=name, base=base, family=4, mac=mac, named=named)


def router(name: str, its: Vmac) -> VrrpInstance:
    return VrrpInstance(
        name=name, vrid=51, family=4, interface=its.base, version=3, start_as_master=False, base_priority=100,
        advertisement_interval_cs=100, vmac=its,
        addresses=(VirtualAddress(address="10.0.0.100", prefix_len=24, interface=its.name),),
    )  # fmt: skip


def link(name: str, base: str = "eth0", *, ours: bool = True, mac: str = MAC, mode: int = 1) -> Found:
    return Found(name=name, kind="macvlan", mode=mode, base=base, mac=mac, ours=ours)


def machine(*links: Found) -> dict[str, Found]:
    return {one.name: one for one in (ETH0, ETH1, *links)}


def names(*routers: VrrpInstance, on: dict[str, Found]) -> list[str]:
    return [config.speaks_on for config in make_plan(routers, on).instances]


def test_a_free_name_is_used() -> None:
    config = router("A", vmac())
    assert make_plan([config], machine()).instances == (config,)


@pytest.mark.behaviour("VMAC-5")
def test_what_fits_is_used_whoever_made_it() -> None:
    assert names(router("A", vmac()), on=machine(link("vrrp.51", ours=False))) == ["vrrp.51"]


@pytest.mark.behaviour("VMAC-5")
@pytest.mark.parametrize(
    "there", [link("vrrp.51", ours=False, mode=4), link("vrrp.51", ours=False, mac="02:aa:00:00:00:01")]
)
def test_a_name_of_somebody_else_is_left_alone_and_said(there: Found) -> None:
    plan = make_plan([router("A", vmac())], machine(there))
    assert plan.taken == (("vrrp.51", "vrrp1.51"),)
    [config] = plan.instances
    assert (config.speaks_on, config.addresses[0].interface) == ("vrrp1.51", "vrrp1.51")


def test_for_a_taken_name_of_the_operators_one_of_the_usual_make_is_used() -> None:
    taken = link("lan-v", ours=False, mode=4)
    assert names(router("A", vmac("lan-v", named=True)), on=machine(taken)) == ["vrrp.51"]


def test_ours_of_another_name_goes_on_unless_the_operator_names_one() -> None:
    there = machine(link("vrrp1.51"))
    assert names(router("A", vmac()), on=there) == ["vrrp1.51"]
    assert names(router("A", vmac("lan-v", named=True)), on=there) == ["lan-v"]
    assert rivals(vmac("lan-v", named=True), there) == ["vrrp1.51"]
    assert rivals(vmac("vrrp1.51"), there) == []


def test_the_order_of_instances_does_not_change_what_is_there() -> None:
    there = machine(link("vrrp.51"), link("vrrp1.51", "eth1"))
    assert names(router("B", vmac("vrrp.51", "eth1")), router("A", vmac("vrrp1.51", "eth0")), on=there) == [
        "vrrp1.51",
        "vrrp.51",
    ]


def test_two_routers_of_one_mac_on_one_base_share_the_interface() -> None:
    assert names(router("A", vmac()), router("B", vmac()), on=machine(link("vrrp.51", ours=False, mode=4))) == [
        "vrrp1.51",
        "vrrp1.51",
    ]


@pytest.mark.behaviour("VMAC-7")
def test_on_a_macvlan_the_base_of_that_one_counts() -> None:
    there = machine(link("mv0", ours=False, mode=4, mac="02:aa:00:00:00:01"), link("vrrp.51"))
    assert fits(there["vrrp.51"], vmac(base="mv0"), there)
    assert not fits(there["vrrp.51"], vmac(base="eth1"), there)


def test_another_mac_can_be_changed_another_mode_or_base_cannot() -> None:
    there = machine()
    assert can_become(link("vrrp.51", mac="02:aa:00:00:00:01"), vmac(), there)
    assert not can_become(link("vrrp.51", mode=4), vmac(), there)
    assert not can_become(link("vrrp.51", "eth1"), vmac(), there)


@pytest.mark.behaviour("VMAC-6")
def test_an_ipvlan_is_known_by_its_mark() -> None:
    wanted = Vmac(name="vrrp.51", base="eth0", family=4, kind=VmacKind.IPVLAN, address="10.0.0.5", prefix_len=24)
    found = Found(name="vrrp.51", kind="ipvlan", mode=0, base="eth0", mac=ETH0.mac, ours=True)
    assert fits(found, wanted, machine())
    assert not fits(Found(name="vrrp.51", kind="ipvlan", mode=0, base="eth0", mac=ETH0.mac, ours=False), wanted, {})

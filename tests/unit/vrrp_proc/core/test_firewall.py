"""The rules of nftables, as they are written."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.config.model.vmac import Firewall, Vmac
from pyhad.vrrp_proc.core.firewall import make_rules

INDICES = {"eth0": 2, "vrrp.51": 7}
REPLACED = (
    "add table ip keepalived\ndelete table ip keepalived\nadd table ip6 keepalived\ndelete table ip6 keepalived\n"
)


def router(*addresses: str, accept: bool = False, vmac: Vmac | None = None) -> VrrpInstance:
    interface = vmac.name if vmac is not None else "eth0"
    return VrrpInstance(
        name="A", vrid=51, family=6 if ":" in addresses[0] else 4, interface="eth0", version=3, start_as_master=False,
        base_priority=100, advertisement_interval_cs=100, accept_mode=accept, vmac=vmac,
        addresses=tuple(VirtualAddress(address=one, prefix_len=64, interface=interface) for one in addresses),
    )  # fmt: skip


def test_nothing_is_written_where_nothing_is_wanted() -> None:
    vmac4 = Vmac(name="vrrp.51", base="eth0", family=4, mac="00:00:5e:00:01:33")
    assert make_rules(Firewall(), [router("10.0.0.1", accept=True, vmac=vmac4)], INDICES).text == ""


@pytest.mark.behaviour("VMAC-20")
@pytest.mark.behaviour("VMAC-21")
@pytest.mark.rfc("9568-6.1b")
def test_packets_to_and_from_addresses_without_accept_mode_are_dropped() -> None:
    rules = make_rules(Firewall(), [router("10.0.0.2"), router("10.0.0.1"), router("10.0.0.3", accept=True)], INDICES)
    assert rules.drops is True
    assert rules.text == REPLACED + (
        "table ip keepalived {\n"
        " chain pyhad {\n }\n"
        " set vips {\n  type ipv4_addr\n  elements = { 10.0.0.1, 10.0.0.2 }\n }\n"
        " chain in {\n  type filter hook input priority filter -1; policy accept;\n  ip daddr @vips drop\n }\n"
        " chain out {\n  type filter hook output priority filter -1; policy accept;\n  ip saddr @vips drop\n }\n"
        "}\n"
    )


@pytest.mark.behaviour("VMAC-21")
@pytest.mark.rfc("9568-6.1c")
def test_neighbour_discovery_goes_on_and_link_local_addresses_are_closed_on_their_interface() -> None:
    settings = Firewall(table="t", priority=5, counters=True)
    text = make_rules(settings, [router("fe80::1", "fd00::1")], INDICES).text
    assert text.endswith(
        "table ip6 t {\n"
        " chain pyhad {\n }\n"
        " set vips {\n  type ipv6_addr\n  elements = { fd00::1 }\n }\n"
        ' set vips_link_local {\n  type ipv6_addr . ifname\n  elements = { fe80::1 . "eth0" }\n }\n'
        " chain in {\n  type filter hook input priority filter +5; policy accept;\n"
        "  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
        "  ip6 daddr . iifname @vips_link_local counter drop\n"
        "  ip6 daddr @vips counter drop\n }\n"
        " chain out {\n  type filter hook output priority filter +5; policy accept;\n"
        "  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
        "  ip6 saddr . oifname @vips_link_local counter drop\n"
        "  ip6 saddr @vips counter drop\n }\n"
        "}\n"
    )
    by_index = make_rules(Firewall(by_index=True), [router("fe80::1")], INDICES).text
    assert "type ipv6_addr . iface_index\n  elements = { fe80::1 . 2 }" in by_index
    assert "ip6 daddr . iif @vips_link_local drop" in by_index


@pytest.mark.behaviour("VMAC-21")
def test_reports_of_membership_leave_by_the_base() -> None:
    vmac = Vmac(name="vrrp.51", base="eth0", family=6, mac="00:00:5e:00:02:33")
    open_router = router("fe80::1", accept=True, vmac=vmac)
    rules = make_rules(Firewall(), [open_router], INDICES)
    assert rules.drops is False
    assert ' map bases {\n  type ifname : iface_index\n  elements = { "vrrp.51" : 2 }\n }\n' in rules.text
    assert "icmpv6 type mld2-listener-report dup to ip6 daddr device oifname map @bases drop\n" in rules.text
    assert make_rules(Firewall(), [open_router], INDICES, copies=False).text == ""
    assert make_rules(Firewall(), [open_router], {"eth0": 2}).text == "", "while the interface is missing"

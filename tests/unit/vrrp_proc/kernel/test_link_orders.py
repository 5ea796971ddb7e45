"""The bytes that make interfaces, written out by hand from linux/if_link.h and rtnetlink(7)."""

from __future__ import annotations

import pytest

from pyhad.vrrp_proc.kernel import link_orders, netlink


@pytest.mark.behaviour("VMAC-1")
def test_a_private_macvlan_is_asked_for_with_its_mac() -> None:
    made = link_orders.encode_macvlan("v1", 2, bytes.fromhex("00005e000133"), 0, 0, 7)
    assert made.hex() == (
        "60000000" "1000" "0506" "07000000" "00000000"  # RTM_NEWLINK: request, ack, create, exclusive
        "0000" "0000" "00000000" "00000000" "00000000"
        "0700" "0300" "76310000"  # name
        "0800" "0500" "02000000"  # on the interface of index 2
        "1c00" "1280"  # what kind
        "0b00" "0100" "6d6163766c616e00"
        "0c00" "0280" "0800" "0100" "01000000"  # private
        "0800" "1b00" "00000000"  # group
        "0a00" "0100" "00005e0001330000"
    )  # fmt: skip


@pytest.mark.behaviour("VMAC-6")
def test_an_ipvlan_is_asked_for_in_l2_mode_with_its_flags() -> None:
    made = link_orders.encode_ipvlan("v1", 2, 1, 5, 9, 7).hex()
    assert "0a0001006970766c616e00001400028006000100000000000600020001000000" in made
    assert made.endswith("08001b000500000008000a0009000000")


@pytest.mark.behaviour("VMAC-2")
def test_settings_of_ipv4_are_set_without_proc() -> None:
    order = link_orders.encode_ipv4_settings("v1", {link_orders.ARP_IGNORE: 1}, 3)
    assert order.hex()[64:] == "070003007631000014001a80100002800c0001800800130001000000"


def test_an_interface_is_put_up_and_deleted() -> None:
    assert link_orders.encode_up("v1", 3).hex()[32:] == "000000000000000001000000010000000700030076310000"
    assert link_orders.encode_delete(9, 3).hex()[8:12] == "1100"


def test_what_was_asked_for_reads_back_as_it_will_be_seen() -> None:
    made = link_orders.encode_macvlan("v1", 2, bytes.fromhex("00005e000133"), 4, 9, 7)
    seen, malformed = netlink.parse(made[:20] + b"\x08\0\0\0" + made[24:])  # the kernel has given it an index
    assert malformed == 0
    [link] = seen
    assert isinstance(link, netlink.LinkSeen)
    assert (link.name, link.mac.hex()) == ("v1", "00005e000133")
    assert link.details == netlink.LinkDetails(kind="macvlan", mode=1, base=2, master=9, group=4)

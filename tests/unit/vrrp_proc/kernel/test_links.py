"""The picture of interfaces and addresses: what each notification does to it."""

from __future__ import annotations

import pytest

from pyhad.vrrp_proc.kernel.links import Changes, Links
from pyhad.vrrp_proc.kernel.netlink import AddressSeen, LinkSeen

MAC = bytes.fromhex("020000000001")
UP = 0x11043
NO_CARRIER = 0x1003


def link(index: int = 7, name: str = "eth0", flags: int = UP, *, gone: bool = False) -> LinkSeen:
    return LinkSeen(index, name, flags, MAC, gone)


def address(text: str, prefix_len: int = 24, *, index: int = 7, flags: int = 0x80, gone: bool = False) -> AddressSeen:
    return AddressSeen(index, text, prefix_len, 0, flags, 0, gone)


def picture(*seen: LinkSeen | AddressSeen) -> Links:
    links = Links()
    for one in seen:
        links.take(one, Changes())
    return links


def test_a_new_interface_is_found_by_name_and_by_index() -> None:
    links, changes = Links(), Changes()
    links.take(link(), changes)
    assert links.by_name["eth0"] is links.by_index[7]
    assert changes.links == {"eth0"}


def test_the_same_news_twice_is_no_change() -> None:
    links, changes = picture(link(), address("10.0.0.1")), Changes()
    links.take(link(), changes)
    links.take(address("10.0.0.1"), changes)
    assert not changes


@pytest.mark.behaviour("FSM-40")
def test_an_interface_without_carrier_is_not_usable() -> None:
    links, changes = picture(link()), Changes()
    assert links.by_name["eth0"].is_usable
    links.take(link(flags=NO_CARRIER), changes)
    assert not links.by_name["eth0"].is_usable
    assert changes.links == {"eth0"}


def test_an_interface_that_is_back_already_was_interrupted() -> None:
    links, changes = picture(link(), link(8, "eth1")), Changes()
    links.take(link(flags=NO_CARRIER), changes)
    links.take(link(), changes)
    links.take(link(8, "eth1", gone=True), changes)
    links.take(link(9, "eth1"), changes)
    links.take(link(10, "eth2"), changes)
    assert changes.interrupted == {"eth0", "eth1"}


def test_a_renamed_interface_leaves_its_old_name() -> None:
    links, changes = picture(link(), address("10.0.0.1")), Changes()
    links.take(link(name="lan0"), changes)
    assert "eth0" not in links.by_name
    assert links.by_name["lan0"].has_address("10.0.0.1")
    assert changes.links == {"eth0", "lan0"}


def test_what_was_put_on_an_interface_is_found_after_it_was_renamed_until_another_has_the_name() -> None:
    links = picture(link(), link(name="lan0"))
    found = links.once_named("eth0")
    assert found is not None
    assert (found.name, found is links.once_named("lan0")) == ("lan0", True)
    links.take(link(9, "eth0"), Changes())
    assert links.once_named("eth0") is links.by_index[9]
    gone = picture(link(), link(name="lan0"), link(name="lan0", gone=True))
    assert gone.once_named("eth0") is None


def test_two_interfaces_can_swap_their_names() -> None:
    links = picture(link(7, "a"), link(8, "b"), link(7, "x"), link(8, "a"), link(7, "b"))
    assert links.by_name["a"].index == 8
    assert links.by_name["b"].index == 7
    assert set(links.by_name) == {"a", "b"}


def test_an_interface_that_is_renamed_with_addresses_on_it_has_moved_them() -> None:
    links, changes = picture(link(), link(8, "eth1"), address("10.0.0.1")), Changes()
    for one in (link(7, "swap"), link(8, "eth0"), link(7, "eth1")):
        links.take(one, changes)
    assert changes.moved == {"swap", "eth1"}
    assert links.by_name["eth1"].has_address("10.0.0.1")
    assert not links.by_name["eth0"].has_address("10.0.0.1")


def test_a_deleted_interface_takes_its_addresses_with_it() -> None:
    links, changes = picture(link(), address("10.0.0.1")), Changes()
    links.take(link(gone=True), changes)
    assert links.by_name == {}
    assert links.by_index == {}
    assert changes.addresses == {("eth0", "10.0.0.1")}


def test_one_address_may_be_there_with_two_prefix_lengths() -> None:
    links = picture(link(), address("10.0.0.1", 24), address("10.0.0.1", 32), address("10.0.0.1", 32, gone=True))
    assert links.by_name["eth0"].has_address("10.0.0.1")


def test_a_full_dump_replaces_what_is_known_and_tells_the_difference() -> None:
    links, changes = picture(link(), link(8, "eth1"), address("10.0.0.1"), address("10.0.0.2")), Changes()
    links.replace([link(), link(9, "eth2")], [address("10.0.0.2"), address("10.0.0.3")], changes)
    assert set(links.by_name) == {"eth0", "eth2"}
    assert [key[0] for key in links.by_name["eth0"].addresses] == ["10.0.0.2", "10.0.0.3"]
    assert changes.links == {"eth1", "eth2"}
    assert changes.addresses == {("eth0", "10.0.0.1"), ("eth0", "10.0.0.3")}


@pytest.mark.behaviour("PKT-1")
def test_the_primary_address_is_the_first_the_kernel_names() -> None:
    links = picture(link(), address("10.0.0.9"), address("10.0.0.1"))
    assert links.by_name["eth0"].primary_ipv4(frozenset()) == "10.0.0.9"


@pytest.mark.behaviour("PROC-13")
def test_a_left_over_virtual_address_is_never_the_source() -> None:
    links = picture(link(), address("10.0.0.100"), address("10.0.0.1", flags=0x81), address("fd00::1", 64))
    assert links.by_name["eth0"].primary_ipv4(frozenset({"10.0.0.100"})) == "10.0.0.1"
    assert links.by_name["eth0"].primary_ipv4(frozenset({"10.0.0.100", "10.0.0.1"})) == ""


@pytest.mark.rfc("9568-7.2c")
@pytest.mark.behaviour("FSM-43")
def test_over_ipv6_it_speaks_from_a_link_local_address_that_is_sure_to_be_its_own() -> None:
    tentative, failed, sure = 0xC0, 0x88, 0x80
    virtual = frozenset({"fe80::100"})
    known = picture(
        link(),
        address("10.0.0.1"),
        address("fd00::1", 64),
        address("fe80::100", 128),
        address("fe80::1", 64, flags=tentative),
    )
    interface = known.by_name["eth0"]
    assert (interface.primary(6, virtual), interface.primary(4, virtual)) == ("", "10.0.0.1")
    known.take(address("fe80::1", 64, flags=failed), Changes())
    assert interface.primary(6, virtual) == ""
    known.take(address("fe80::1", 64, flags=sure), Changes())
    assert interface.primary(6, virtual) == "fe80::1"

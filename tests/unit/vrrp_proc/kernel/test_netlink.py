"""The rtnetlink codec against bytes worked out by hand from the structures of rtnetlink(7), little endian."""

from __future__ import annotations

import random

import pytest

from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.netlink import AddressRequest, AddressSeen, Answer, DumpDone, LinkSeen

LINK_UP = bytes.fromhex(
    "38000000 1000 0000 00000000 00000000"  # 56 bytes, RTM_NEWLINK
    "00 00 0100 07000000 43100100 00000000"  # AF_UNSPEC, Ethernet, index 7, UP BROADCAST RUNNING MULTICAST LOWER_UP
    "0900 0300 6574683000 000000"  # IFLA_IFNAME eth0
    "0a00 0100 020000000001"  # IFLA_ADDRESS, without padding at the end
    "0000"
)
ADDRESS_THERE = bytes.fromhex(
    "38000000 1400 0000 00000000 00000000"  # 56 bytes, RTM_NEWADDR
    "02 20 80 00 07000000"  # AF_INET, /32, permanent, global, index 7
    "0800 0100 0a000064"  # IFA_ADDRESS 10.0.0.100
    "0800 0200 0a000064"  # IFA_LOCAL
    "0800 0800 80000000"  # IFA_FLAGS
    "0500 0b00 70000000"  # IFA_PROTO 112
)


def test_an_address_to_add_is_packed_with_label_broadcast_and_mark() -> None:
    request = AddressRequest(7, "10.0.0.100", 24, scope=253, label="eth0:1", broadcast="10.0.0.255")
    assert netlink.encode_add(request, 5).hex() == (
        "44000000" "1400" "0506" "05000000" "00000000"  # 68 bytes, NEWADDR, REQUEST ACK EXCL CREATE, sequence 5
        "0218" "00" "fd" "07000000"
        "0800" "0200" "0a000064"
        "0800" "0100" "0a000064"
        "0b00" "0300" "657468303a3100" "00"
        "0800" "0400" "0a0000ff"
        "0500" "0b00" "70000000"
    )  # fmt: skip


@pytest.mark.behaviour("NET-1")
def test_an_ipv6_address_is_added_without_duplicate_address_detection() -> None:
    message = netlink.encode_add(AddressRequest(7, "fd00::1", 128), 1)
    assert message[16:24].hex() == "0a80020007000000"


def test_an_address_to_remove_is_named_exactly() -> None:
    assert netlink.encode_remove(AddressRequest(7, "10.0.0.100", 32), 6).hex() == (
        "20000000" "1500" "0500" "06000000" "00000000"
        "0220" "00" "00" "07000000"
        "0800" "0200" "0a000064"
    )  # fmt: skip


def test_a_dump_is_asked_for_all_links_and_all_addresses() -> None:
    assert netlink.encode_link_dump(1).hex() == "20000000120001030100000000000000" + "00" * 16
    assert netlink.encode_address_dump(2).hex() == "18000000160001030200000000000000" + "00" * 8


def test_a_link_is_read_with_name_flags_and_mac() -> None:
    seen, malformed = netlink.parse(LINK_UP)
    assert malformed == 0
    assert seen == [LinkSeen(7, "eth0", 0x11043, bytes.fromhex("020000000001"), gone=False)]


def test_an_address_is_read_with_its_mark() -> None:
    seen, malformed = netlink.parse(ADDRESS_THERE)
    assert malformed == 0
    assert seen == [AddressSeen(7, "10.0.0.100", 32, 0, 0x80, 112, gone=False)]


def test_a_deletion_is_read_as_gone() -> None:
    seen, _ = netlink.parse(ADDRESS_THERE[:4] + b"\x15\x00" + ADDRESS_THERE[6:])
    assert seen == [AddressSeen(7, "10.0.0.100", 32, 0, 0x80, 112, gone=True)]


def test_several_messages_of_one_datagram_are_all_read() -> None:
    seen, malformed = netlink.parse(LINK_UP + ADDRESS_THERE)
    assert [type(one) for one in seen] == [LinkSeen, AddressSeen]
    assert malformed == 0


def test_an_acknowledgement_has_errno_0_and_a_refusal_its_errno() -> None:
    head = "24000000020000010500000000000000"
    echo = "00" * 16
    assert netlink.parse(bytes.fromhex(head + "00000000" + echo)) == ([Answer(5, 0)], 0)
    assert netlink.parse(bytes.fromhex(head + "efffffff" + echo)) == ([Answer(5, 17)], 0)  # -17 is EEXIST


def test_the_end_of_a_dump_says_whether_it_is_whole() -> None:
    whole = bytes.fromhex("1400000003000200090000000000000000000000")
    broken = bytes.fromhex("1400000003001200090000000000000000000000")
    assert netlink.parse(whole) == ([DumpDone(9, interrupted=False)], 0)
    assert netlink.parse(broken) == ([DumpDone(9, interrupted=True)], 0)


def test_a_port_that_leaves_its_bridge_is_no_deleted_interface() -> None:
    bridge = LINK_UP[:4] + b"\x11\x00" + LINK_UP[6:16] + b"\x07" + LINK_UP[17:]  # RTM_DELLINK of AF_BRIDGE
    assert netlink.parse(bridge) == ([], 0)


def test_a_malformed_message_is_counted_and_its_neighbours_are_read() -> None:
    bad = ADDRESS_THERE[:24] + b"\xff\x00" + ADDRESS_THERE[26:]  # an attribute that runs over the end
    seen, malformed = netlink.parse(LINK_UP + bad + ADDRESS_THERE)
    assert [type(one) for one in seen] == [LinkSeen, AddressSeen]
    assert malformed == 1


@pytest.mark.parametrize("length", [0, 3, 15, 4096])
def test_a_message_length_that_cannot_be_ends_the_datagram(length: int) -> None:
    bad = length.to_bytes(4, "little") + LINK_UP[4:]
    seen, malformed = netlink.parse(ADDRESS_THERE + bad)
    assert [type(one) for one in seen] == [AddressSeen]
    assert malformed == 1


def test_no_input_raises() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(3000):
        datagram = bytearray(LINK_UP + ADDRESS_THERE)
        for _ in range(chance.randrange(1, 6)):
            datagram[chance.randrange(len(datagram))] = chance.randrange(256)
        netlink.parse(bytes(datagram[: chance.randrange(len(datagram) + 1)]))
        netlink.parse(chance.randbytes(chance.randrange(200)))


@pytest.mark.parametrize(
    "last_attribute",
    ["0900 0b00 70000000", "0300 0b00 70000000", "0400 0b00"],
    ids=["runs over the end", "shorter than its head", "empty"],
)
def test_an_attribute_that_cannot_be_spoils_its_message(last_attribute: str) -> None:
    body = ADDRESS_THERE[4:48] + bytes.fromhex(last_attribute)
    assert netlink.parse((len(body) + 4).to_bytes(4, "little") + body) == ([], 1)


@pytest.mark.behaviour("NET-1")
def test_an_address_that_nobody_shall_speak_from_has_a_preferred_lifetime_of_0() -> None:
    request = AddressRequest(7, "fd00::1", 128, preferred_lft_s=0)
    # IFA_CACHEINFO: preferred 0, valid for ever
    assert "14000600" + "00000000" + "ffffffff" + "00" * 8 in netlink.encode_add(request, 1).hex()
    assert "14000600" not in netlink.encode_add(AddressRequest(7, "fd00::1", 128), 1).hex()

"""IPv6 packets and neighbour advertisements: literal bytes, and scapy's view."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core import packet, packet6
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused, PacketLengthError

# version 3, VRID 2, priority 100, 50 cs, fe80::1 and 2001:db8::1, from fe80::2 (test_packet.py adds the checksum up)
MESSAGE = bytes.fromhex(
    "3102 6402 0032 405d fe80 0000 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0001"
)
HEADER = bytes.fromhex(
    "6c000000 0028 70 ff fe80 0000 0000 0000 0000 0000 0000 0002 ff02 0000 0000 0000 0000 0000 0000 0012"
)


@pytest.fixture(scope="module")
def scapy() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scapy.all as everything
        import scapy.layers.inet6  # noqa: F401
    return everything


@pytest.fixture
def config(make_config: Callable[..., VrrpInstance]) -> VrrpInstance:
    addresses = tuple(
        VirtualAddress(address=text, prefix_len=128, interface="eth0") for text in ("fe80::1", "2001:db8::1")
    )
    return make_config(
        family=6, version=3, vrid=2, multicast_group="ff02::12", advertisement_interval_cs=50, addresses=addresses
    )


@pytest.mark.behaviour("PKT-1")
def test_the_header_has_hop_limit_255_and_precedence() -> None:
    assert packet6.build_ipv6(MESSAGE, source="fe80::2", destination="ff02::12") == HEADER + MESSAGE


def test_a_good_advertisement_says_who_and_what(config: VrrpInstance) -> None:
    advert = packet.check_advertisement(packet6.parse_ipv6(HEADER + MESSAGE), config, "fe80::9")
    assert (advert.vrid, advert.source, advert.priority, advert.interval_cs) == (2, "fe80::2", 100, 50)
    assert (advert.addresses, advert.addresses_match) == (("fe80::1", "2001:db8::1"), True)
    assert advert.checksum_form is packet.ChecksumForm.PSEUDO_HEADER


def test_version_2_over_ipv6_has_a_pseudo_header_and_no_authentication(config: VrrpInstance) -> None:
    two = replace(config, version=2, advertisement_interval_cs=100)
    built = packet.build_advertisement(two, source="fe80::2", priority=100)
    # as above with 2102 for 3102 and 0001 for 0032
    assert built == bytes.fromhex("2102 6402 0001 508e") + MESSAGE[8:]
    received = packet6.parse_ipv6(packet6.build_ipv6(built, source="fe80::2", destination="ff02::12"))
    assert packet.check_advertisement(received, two, "fe80::9").interval_cs == 100


@pytest.mark.behaviour("PKT-24")
def test_hop_limit_254_is_refused(config: VrrpInstance) -> None:
    frame = packet6.build_ipv6(MESSAGE, source="fe80::2", destination="ff02::12", hop_limit=254)
    with pytest.raises(AdvertisementRefused) as caught:
        packet.check_advertisement(packet6.parse_ipv6(frame), config, "fe80::9")
    assert caught.value.counter == "ip_ttl_err"


@pytest.mark.behaviour("PKT-31")
def test_every_flipped_bit_of_the_message_is_noticed(config: VrrpInstance) -> None:
    for bit in range(len(MESSAGE) * 8):
        flipped = bytearray(MESSAGE)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(AdvertisementRefused):
            packet.check_advertisement(packet6.parse_ipv6(HEADER + bytes(flipped)), config, "fe80::9")


@pytest.mark.parametrize("cut", range(80))
@pytest.mark.behaviour("PKT-23")
def test_a_truncated_packet_is_refused(cut: int) -> None:
    with pytest.raises(PacketLengthError):
        packet6.parse_ipv6((HEADER + MESSAGE)[:cut])


def test_another_protocol_or_version_is_no_vrrp() -> None:
    for frame in (HEADER[:6] + b"\x3a" + HEADER[7:] + MESSAGE, b"\x45" + HEADER[1:] + MESSAGE):
        with pytest.raises(PacketLengthError):
            packet6.parse_ipv6(frame)


def test_what_a_raw_socket_tells_makes_the_packet_again() -> None:
    source, destination = HEADER[8:24], HEADER[24:40]
    assert packet6.with_header(MESSAGE, source=source, destination=destination, hop_limit=255) == HEADER + MESSAGE


@pytest.mark.behaviour("NET-21")
@pytest.mark.parametrize(("is_router", "flags", "checksum"), [(False, "20000000", "5a9b"), (True, "a0000000", "da9a")])
def test_a_neighbour_advertisement_overrides_what_all_nodes_knew(is_router: bool, flags: str, checksum: str) -> None:
    frame = packet6.build_neighbour_advertisement(bytes.fromhex("020000000001"), "fd00::1", is_router=is_router)
    # pseudo header fd00+0001+ff02+0001+0020+003a, message 8800+2000+fd00+0001+0201+0200+0000+0001 = a564 in all
    address = "fd000000000000000000000000000001"
    assert frame == bytes.fromhex(
        "333300000001 020000000001 86dd"
        f"60000000 0020 3a ff {address} ff020000000000000000000000000001"
        f"8800 {checksum} {flags} {address} 02 01 020000000001"
    )


def test_scapy_agrees_on_both(scapy: Any) -> None:
    seen = scapy.IPv6(HEADER + MESSAGE)
    assert (seen.hlim, seen.tc, seen.nh, seen.src, seen.dst) == (255, 0xC0, 112, "fe80::2", "ff02::12")
    for is_router in (False, True):
        frame = packet6.build_neighbour_advertisement(bytes.fromhex("020000000001"), "2001:db8::1", is_router=is_router)
        ours = scapy.Ether(frame)
        theirs = (
            scapy.Ether(dst="33:33:00:00:00:01", src="02:00:00:00:00:01")
            / scapy.IPv6(src="2001:db8::1", dst="ff02::1", hlim=255)
            / scapy.ICMPv6ND_NA(R=int(is_router), S=0, O=1, tgt="2001:db8::1")
            / scapy.ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:01")
        )
        assert ours == theirs.__class__(bytes(theirs))
        assert frame == bytes(theirs)


@given(frame=st.one_of(st.binary(max_size=120), st.binary(max_size=60).map(lambda tail: HEADER + tail)))
def test_no_frame_raises_anything_but_a_refusal(frame: bytes) -> None:
    try:
        packet.read_vrid(packet6.parse_ipv6(frame).payload)
    except AdvertisementRefused:
        pass

"""Advertisements and gratuitous ARP: literal bytes, worked out by hand or seen in the field, and scapy's view."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pyhad.common.config.model import UnicastChecksum, UnicastPeer, VirtualAddress, VrrpInstance
from pyhad.common.errors import PacketError
from pyhad.vrrp_proc.core import packet
from pyhad.vrrp_proc.core.packet import ChecksumForm, Received
from pyhad.vrrp_proc.core.refusals import COUNTERS, AdvertisementRefused, PacketLengthError

# 10.1.0.2 -> 224.0.0.18, version 3, VRID 2, priority 100, 50 cs, 10.1.2.1 (PKT-5)
V3 = bytes.fromhex("3102 6401 0032 7436 0a01 0201")
# the same with the checksum of the message alone: 3102+6401+0032+0a01+0201 = a137
V3_MESSAGE_ONLY = bytes.fromhex("3102 6401 0032 5ec8 0a01 0201")
# version 2, VRID 1, priority 100, 1 s, 10.1.1.1, no authentication: 2101+6401+0001+0a01+0101 = 9005
V2 = bytes.fromhex("2101 6401 0001 6ffa 0a01 0101 0000000000000000")
# the same with a password (PKT-4)
V2_PASSWORD = bytes.fromhex("2101 6401 0101 c63e 0a01 0101 7365 6372 6574 6c6f")


def _address(text: str) -> VirtualAddress:
    return VirtualAddress(address=text, prefix_len=32, interface="eth0")


@pytest.fixture
def v2(make_config: Callable[..., VrrpInstance]) -> VrrpInstance:
    return make_config(vrid=1, addresses=(_address("10.1.1.1"),))


@pytest.fixture
def v3(make_config: Callable[..., VrrpInstance]) -> VrrpInstance:
    return make_config(version=3, vrid=2, advertisement_interval_cs=50, addresses=(_address("10.1.2.1"),))


@pytest.fixture(scope="module")
def scapy() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scapy.all
        import scapy.layers.vrrp
    return scapy


def received(payload: bytes, **changes: Any) -> Received:
    return replace(Received(source="10.1.0.2", destination="224.0.0.18", ttl=255, payload=payload), **changes)


def refusal(message: Received, config: VrrpInstance, own_source: str = "10.1.0.1") -> str:
    with pytest.raises(AdvertisementRefused) as caught:
        packet.check_advertisement(message, config, own_source)
    return caught.value.counter


def with_checksum(payload: bytes) -> bytes:
    """Version 2's, added up word by word."""
    total = sum(int.from_bytes(payload[at : at + 2], "big") for at in range(0, len(payload), 2) if at != 6)
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return payload[:6] + (0xFFFF - total).to_bytes(2, "big") + payload[8:]


# ------------------------------------------------------------------------------------------------- building


@pytest.mark.behaviour("PKT-2")
def test_version_2_carries_eight_zero_bytes_without_authentication(v2: VrrpInstance) -> None:
    assert packet.build_advertisement(v2, source="10.1.0.2", priority=100) == V2


@pytest.mark.behaviour("PKT-3", "PKT-5")
def test_version_3_is_what_keepalived_sends(v3: VrrpInstance) -> None:
    assert packet.build_advertisement(v3, source="10.1.0.2", priority=100) == V3


@pytest.mark.rfc("9568-5.2.8")
def test_version_3_leaves_the_pseudo_header_out_when_asked(v3: VrrpInstance) -> None:
    config = replace(v3, checksum_pseudo_header=False)
    assert packet.build_advertisement(config, source="10.1.0.2", priority=100) == V3_MESSAGE_ONLY


@pytest.mark.behaviour("PKT-6")
def test_addresses_are_told_in_order_and_without_the_excluded(v2: VrrpInstance) -> None:
    config = replace(
        v2, addresses=(_address("10.1.1.9"), _address("10.1.1.1")), excluded_addresses=(_address("10.1.1.2"),)
    )
    built = packet.build_advertisement(config, source="10.1.0.2", priority=100)
    assert built[3] == 2
    assert built[8:16] == bytes.fromhex("0a010109 0a010101")


@pytest.mark.behaviour("PKT-3")
def test_two_addresses_of_version_6_make_40_bytes(v3: VrrpInstance) -> None:
    addresses = (_address("fe80::1"), _address("2001:db8::1"))
    config = replace(v3, family=6, multicast_group="ff02::12", addresses=addresses)
    built = packet.build_advertisement(config, source="fe80::2", priority=100)
    assert len(built) == 40
    # 3102+6402+0032, pseudo header fe80+0002+ff02+0012+0028+0070, addresses fe80+0001+2001+0db8+0001 = bfa2
    assert built[6:8].hex() == "405d"


@pytest.mark.behaviour("PKT-1")
def test_ipv4_header_has_ttl_255_and_precedence_and_may_be_fragmented() -> None:
    built = packet.build_ipv4(V3, source="10.1.0.2", destination="224.0.0.18", identification=1)
    # 45c0+0020+0001+0000+ff70+0a01+0002+e000+0012 = 2f68 with the carries
    assert built == bytes.fromhex("45c0 0020 0001 0000 ff70 d097 0a01 0002 e000 0012") + V3


@pytest.mark.behaviour("NET-20")
def test_gratuitous_arp_is_a_broadcast_request_with_all_ones_as_target() -> None:
    frame = packet.build_gratuitous_arp(bytes.fromhex("020000000001"), "10.1.2.1")
    assert frame == bytes.fromhex(
        "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a010201 ffffffffffff 0a010201"
    )


def test_scapy_reads_what_we_send_and_agrees_on_every_checksum(v2: VrrpInstance, v3: VrrpInstance, scapy: Any) -> None:
    for config, layer in ((v2, "VRRP"), (v3, "VRRPv3")):
        payload = packet.build_advertisement(config, source="10.1.0.2", priority=77)
        frame = packet.build_ipv4(payload, source="10.1.0.2", destination="224.0.0.18", identification=7)
        seen = scapy.all.IP(frame)
        vrrp = seen.getlayer(getattr(scapy.layers.vrrp, layer))
        assert (vrrp.priority, vrrp.vrid, vrrp.addrlist) == (77, config.vrid, [config.addresses[0].address])
        checksums = seen.chksum, vrrp.chksum
        seen.chksum = vrrp.chksum = None
        again = scapy.all.IP(bytes(seen))
        assert (again.chksum, again.getlayer(getattr(scapy.layers.vrrp, layer)).chksum) == checksums


def test_scapy_reads_our_gratuitous_arp(scapy: Any) -> None:
    seen = scapy.all.Ether(packet.build_gratuitous_arp(bytes.fromhex("020000000001"), "10.1.2.1"))
    arp = seen[scapy.all.ARP]
    assert (seen.dst, seen.src, arp.op) == ("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:01", 1)
    assert (arp.psrc, arp.pdst, arp.hwsrc, arp.hwdst) == (
        "10.1.2.1", "10.1.2.1", "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ receiving


def test_a_good_advertisement_says_who_and_what(v3: VrrpInstance) -> None:
    frame = bytes.fromhex("45c0 0020 0001 0000 ff70 d097 0a01 0002 e000 0012") + V3
    advert = packet.check_advertisement(packet.parse_ipv4(frame), v3, "10.1.0.1")
    assert (advert.vrid, advert.source, advert.priority, advert.interval_cs) == (2, "10.1.0.2", 100, 50)
    assert (advert.addresses, advert.addresses_match) == (("10.1.2.1",), True)
    assert advert.checksum_form is ChecksumForm.PSEUDO_HEADER


def test_version_2_interval_is_told_in_centiseconds(v2: VrrpInstance) -> None:
    assert packet.check_advertisement(received(V2), v2, "10.1.0.1").interval_cs == 100


@pytest.mark.behaviour("PKT-30")
def test_version_3_takes_another_interval(v3: VrrpInstance) -> None:
    config = replace(v3, advertisement_interval_cs=100)
    assert packet.check_advertisement(received(V3), config, "10.1.0.1").interval_cs == 50


@pytest.mark.rfc("9568-5.2.6")
def test_the_reserved_bits_beside_the_interval_are_ignored(v3: VrrpInstance) -> None:
    # 3102+6401+f032+0a01+0201 = 9138
    odd = bytes.fromhex("3102 6401 f032 6ec7 0a01 0201")
    assert packet.check_advertisement(received(odd), v3, "10.1.0.1").interval_cs == 50


def test_ip_options_are_skipped() -> None:
    frame = bytes.fromhex("46c0 0024 0001 0000 ff70 0000 0a01 0002 e000 0012 94040000") + V3
    assert packet.parse_ipv4(frame).payload == V3


@pytest.mark.behaviour("PKT-23")
def test_ethernet_padding_behind_the_packet_is_no_part_of_it() -> None:
    frame = bytes.fromhex("45c0 0020 0001 0000 ff70 d097 0a01 0002 e000 0012") + V3
    assert packet.parse_ipv4(frame.ljust(46, b"\0")).payload == V3
    with pytest.raises(PacketLengthError):
        packet.parse_ipv4(frame.ljust(47, b"\0"))


@pytest.mark.behaviour("PKT-23")
def test_padding_inside_the_packet_is_tolerated_up_to_46_bytes_in_all(v3: VrrpInstance) -> None:
    assert packet.check_advertisement(received(V3.ljust(26, b"\0")), v3, "10.1.0.1").vrid == 2
    assert refusal(received(V3.ljust(27, b"\0")), v3) == "packet_len_err"


@pytest.mark.behaviour("PKT-22")
def test_an_authentication_header_must_be_there_if_and_only_if_it_is_ours(v2: VrrpInstance) -> None:
    ours = replace(v2, authentication_data=b"sesame01", authentication_header=True)
    sealed = packet.build_sealed_ipv4(
        packet.build_advertisement(ours, source="10.1.0.2", priority=100),
        source="10.1.0.2", destination="224.0.0.18", identification=1, ttl=255, key=b"sesame01", sequence=1,
    )  # fmt: skip
    found = packet.parse_ipv4(sealed)
    assert packet.check_advertisement(found, ours, "10.1.0.1").priority == 100
    assert refusal(found, v2) == "authtype_mismatch"
    assert refusal(received(V2), ours) == "authtype_mismatch"


@pytest.mark.parametrize("cut", range(32))
@pytest.mark.behaviour("PKT-23")
def test_a_truncated_packet_is_refused(cut: int) -> None:
    frame = bytes.fromhex("45c0 0020 0001 0000 ff70 d097 0a01 0002 e000 0012") + V3
    with pytest.raises(PacketLengthError):
        packet.parse_ipv4(frame[:cut])


@pytest.mark.behaviour("PKT-23")
def test_length_must_fit_the_count(v2: VrrpInstance, v3: VrrpInstance) -> None:
    assert refusal(received(V2[:-1]), v2) == "packet_len_err"
    assert refusal(received(V3[:3] + b"\x02" + V3[4:]), v3) == "packet_len_err"
    assert refusal(received(V3[:7]), v3) == "packet_len_err"


@pytest.mark.behaviour("PKT-24")
def test_ttl_254_is_refused(v2: VrrpInstance) -> None:
    assert refusal(received(V2, ttl=254), v2) == "ip_ttl_err"


@pytest.mark.behaviour("PKT-25")
def test_another_version_is_refused_as_such(v2: VrrpInstance, v3: VrrpInstance) -> None:
    assert refusal(received(V2), v3) == "version_err"
    assert refusal(received(V3), v2) == "version_err"


@pytest.mark.behaviour("PKT-27", "PKT-4")
def test_a_password_where_we_have_none_is_a_mismatch(v2: VrrpInstance) -> None:
    assert refusal(received(V2_PASSWORD), v2) == "authtype_mismatch"


@pytest.mark.behaviour("PKT-27")
def test_an_authentication_type_of_3_does_not_exist(v2: VrrpInstance) -> None:
    assert refusal(received(with_checksum(V2[:4] + b"\x03" + V2[5:])), v2) == "invalid_authtype"


@pytest.mark.behaviour("PKT-28")
def test_version_2_refuses_another_interval(v2: VrrpInstance) -> None:
    assert refusal(received(with_checksum(V2[:5] + b"\x02" + V2[6:])), v2) == "advert_interval_err"


def test_an_interval_of_zero_is_refused(v3: VrrpInstance) -> None:
    config = replace(v3, checksum_pseudo_header=False)
    zero = with_checksum(V3[:4] + b"\0\0" + V3[6:])
    assert refusal(received(zero), config) == "advert_interval_err"


@pytest.mark.behaviour("PKT-29")
def test_only_type_1_is_an_advertisement(v2: VrrpInstance) -> None:
    assert refusal(received(with_checksum(b"\x22" + V2[1:])), v2) == "invalid_type_rcvd"


@pytest.mark.behaviour("PKT-31")
def test_every_flipped_bit_is_noticed(v2: VrrpInstance) -> None:
    for bit in range(len(V2) * 8):
        flipped = bytearray(V2)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(AdvertisementRefused):
            packet.check_advertisement(received(bytes(flipped)), v2, "10.1.0.1")


@pytest.mark.behaviour("QRK-4")
@pytest.mark.behaviour("PKT-31")
def test_the_peers_form_of_the_checksum_is_found_out(v3: VrrpInstance) -> None:
    for config in (v3, replace(v3, checksum_pseudo_header=False)):
        with_pseudo = packet.check_advertisement(received(V3), config, "10.1.0.1")
        without = packet.check_advertisement(received(V3_MESSAGE_ONLY), config, "10.1.0.1")
        assert with_pseudo.checksum_form is ChecksumForm.PSEUDO_HEADER
        assert without.checksum_form is ChecksumForm.MESSAGE
        assert refusal(received(V3_MESSAGE_ONLY[:6] + b"\0\0" + V3[8:]), config) == "checksum_err"


@pytest.mark.behaviour("PKT-32")
def test_sent_to_ourselves_instead_of_the_group_is_refused(v2: VrrpInstance) -> None:
    assert refusal(received(V2, destination="10.1.0.1"), v2) == "destination_err"


@pytest.mark.behaviour("PKT-38")
def test_our_own_packet_is_refused_before_anything_else(v2: VrrpInstance) -> None:
    assert refusal(received(b"", source="10.1.0.1"), v2) == "own_packet"


@pytest.mark.behaviour("PKT-35")
def test_another_list_of_addresses_counts_but_is_told(v2: VrrpInstance) -> None:
    config = replace(v2, addresses=(_address("10.1.1.2"),))
    assert not packet.check_advertisement(received(V2), config, "10.1.0.1").addresses_match
    lenient = replace(config, skip_check_adv_addr=True)
    assert not packet.check_advertisement(received(V2), lenient, "10.1.0.1", known_source="10.1.0.9").addresses_match
    assert packet.check_advertisement(received(V2), lenient, "10.1.0.1", known_source="10.1.0.2").addresses_match


@pytest.mark.behaviour("PKT-35")
def test_the_order_of_the_addresses_does_not_matter(v2: VrrpInstance) -> None:
    there = replace(v2, addresses=(_address("10.1.1.2"), _address("10.1.1.1")))
    here = replace(v2, addresses=(_address("10.1.1.1"), _address("10.1.1.2")))
    message = packet.build_advertisement(there, source="10.1.0.2", priority=1)
    assert packet.check_advertisement(received(message), here, "10.1.0.1").addresses_match


# ---------------------------------------------------------------------------------- passwords and unicast


@pytest.mark.behaviour("PKT-4", "AUTH-2")
def test_a_password_is_sent_as_keepalived_sends_it(v2: VrrpInstance) -> None:
    config = replace(v2, authentication_data=b"secretlo")
    assert packet.build_advertisement(config, source="10.1.0.2", priority=100) == V2_PASSWORD
    assert packet.check_advertisement(received(V2_PASSWORD), config, "10.1.0.1").priority == 100


@pytest.mark.behaviour("PKT-27")
def test_a_password_is_looked_at_before_interval_and_checksum(v2: VrrpInstance) -> None:
    config = replace(v2, authentication_data=b"othersec", advertisement_interval_cs=900)
    assert refusal(received(V2_PASSWORD[:-1] + b"x"), config) == "auth_failure"
    assert refusal(received(V2), config) == "authtype_mismatch"


UNICAST = {"unicast_peers": (UnicastPeer(address="10.1.0.2"), UnicastPeer(address="10.1.0.3", min_ttl=250))}


@pytest.mark.behaviour("PKT-24", "PKT-32")
def test_unicast_is_sent_to_us_from_any_distance(v2: VrrpInstance) -> None:
    config = replace(v2, **UNICAST)
    sent = received(V2, destination="10.1.0.1", ttl=3)
    assert packet.check_advertisement(sent, config, "10.1.0.1").priority == 100
    assert refusal(received(V2), config) == "destination_err"
    assert refusal(sent, config, own_source="10.1.0.9") == "destination_err"


@pytest.mark.behaviour("PKT-36")
def test_who_is_no_peer_is_refused_where_that_is_checked(v2: VrrpInstance) -> None:
    config = replace(v2, **UNICAST)
    stranger = received(V2, source="10.1.0.77", destination="10.1.0.1")
    assert packet.check_advertisement(stranger, config, "10.1.0.1").source == "10.1.0.77"
    strict = replace(config, check_unicast_source=True)
    assert refusal(stranger, strict) == "unknown_peer"
    assert packet.check_advertisement(received(V2, destination="10.1.0.1"), strict, "10.1.0.1").priority == 100


@pytest.mark.behaviour("PKT-36")
@pytest.mark.parametrize(("ttl", "good"), [(249, False), (250, True), (252, True), (253, False)])
def test_a_peer_may_be_so_far_away_and_no_farther(v2: VrrpInstance, ttl: int, good: bool) -> None:
    peers = (UnicastPeer(address="10.1.0.2", min_ttl=250, max_ttl=252),)
    config = replace(v2, unicast_peers=peers, check_unicast_source=True)
    sent = received(V2, destination="10.1.0.1", ttl=ttl)
    if good:
        assert packet.check_advertisement(sent, config, "10.1.0.1").priority == 100
    else:
        assert refusal(sent, config) == "ip_ttl_err"


@pytest.mark.behaviour("PKT-31")
def test_the_old_checksum_of_unicast_has_the_group_in_its_pseudo_header(v3: VrrpInstance) -> None:
    config = replace(v3, **UNICAST)
    old = received(V3, destination="10.1.0.1")  # V3's checksum was made for the group
    assert packet.check_advertisement(old, config, "10.1.0.1").checksum_form is ChecksumForm.OLD_UNICAST
    # pseudo header 0a01+0002+0a01+0001+0070+000c = 1481; message a137; together b5b8
    new = received(V3[:6] + bytes.fromhex("4a47") + V3[8:], destination="10.1.0.1")
    assert packet.check_advertisement(new, config, "10.1.0.1").checksum_form is ChecksumForm.PSEUDO_HEADER
    never = replace(config, unicast_checksum=UnicastChecksum.NEVER_OLD)
    assert refusal(old, never) == "checksum_err"
    forced = replace(config, unicast_checksum=UnicastChecksum.OLD)
    assert packet.build_advertisement(forced, source="10.1.0.2", priority=100, destination="10.1.0.1") == V3
    assert packet.build_advertisement(config, source="10.1.0.2", priority=100, destination="10.1.0.1")[6:8] == (
        bytes.fromhex("4a47")
    )


# ------------------------------------------------------------------------------------------------- anything


@given(frame=st.binary(max_size=120))
def test_no_frame_raises_anything_but_a_packet_error(frame: bytes) -> None:
    try:
        packet.read_vrid(packet.parse_ipv4(frame).payload)
    except PacketError:
        pass


_ANY = VrrpInstance(
    name="any", vrid=1, family=4, interface="eth0", version=2, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100,
)  # fmt: skip


@given(
    payload=st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(lambda tail: V2[:8] + tail)),
    version=st.sampled_from((2, 3)),
    family=st.sampled_from((4, 6)),
    ttl=st.sampled_from((255, 254)),
)
def test_no_payload_raises_anything_but_a_packet_error(payload: bytes, version: int, family: int, ttl: int) -> None:
    source, group = ("10.0.0.9", "224.0.0.18") if family == 4 else ("fe80::9", "ff02::12")
    config = replace(_ANY, version=version, family=family, multicast_group=group)
    message = Received(source=source, destination=group, ttl=ttl, payload=payload)
    counter = COUNTERS[0]
    try:
        packet.check_advertisement(message, config, "10.0.0.1")
    except AdvertisementRefused as error:
        counter = error.counter
    assert counter in COUNTERS


@given(
    version=st.sampled_from((2, 3)),
    vrid=st.integers(1, 255),
    priority=st.integers(0, 255),
    seconds=st.integers(1, 40),
    addresses=st.lists(st.ip_addresses(v=4).map(str), max_size=20, unique=True),
    pseudo=st.booleans(),
    source=st.ip_addresses(v=4).map(str).filter(lambda text: text != "10.0.0.1"),
)
def test_what_is_built_is_accepted_and_says_the_same(
    version: int, vrid: int, priority: int, seconds: int, addresses: list[str], pseudo: bool, source: str
) -> None:
    config = replace(
        _ANY, version=version, vrid=vrid, advertisement_interval_cs=seconds * 100, checksum_pseudo_header=pseudo,
        addresses=tuple(_address(text) for text in addresses),
    )  # fmt: skip
    payload = packet.build_advertisement(config, source=source, priority=priority)
    frame = packet.build_ipv4(payload, source=source, destination="224.0.0.18", identification=1)
    parsed = packet.parse_ipv4(frame)
    assert packet.read_vrid(parsed.payload) == vrid
    advert = packet.check_advertisement(parsed, config, "10.0.0.1")
    assert (advert.source, advert.priority, advert.interval_cs) == (source, priority, seconds * 100)
    assert (advert.addresses, advert.addresses_match) == (tuple(addresses), True)

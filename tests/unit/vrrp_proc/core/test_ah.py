"""The authentication header: packets that keepalived 2.2.7 sent, and what must not pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core import ah, packet
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused

# keepalived 2.2.7 at 10.0.0.1: VRID 51, priority 150, 1 s, 10.0.0.100, auth_type AH, auth_pass sesame01
FIRST = bytes.fromhex(
    "45c0004000010000ff33d0b60a000001e0000012"
    "700400000a0000010000000188ffb430eaa8d3290383480e"
    "2133960102013c660a0000640000000000000000"
)
SECOND = bytes.fromhex(
    "45c0004000020000ff33d0b50a000001e0000012"
    "700400000a00000100000002fc257c7ade417c3497624004"
    "2133960102013c660a0000640000000000000000"
)
KEY = b"sesame01"


@pytest.fixture
def config(make_config: Callable[..., VrrpInstance]) -> VrrpInstance:
    address = VirtualAddress(address="10.0.0.100", prefix_len=32, interface="eth0")
    return make_config(base_priority=150, addresses=(address,), authentication_data=KEY, authentication_header=True)


def refusal(frame: bytes, config: VrrpInstance, last_sequence: int = -1) -> AdvertisementRefused:
    with pytest.raises(AdvertisementRefused) as caught:
        packet.check_advertisement(packet.parse_ipv4(frame), config, "10.0.0.2", last_sequence=last_sequence)
    assert "sesame" not in str(caught.value)
    return caught.value


@pytest.mark.behaviour("AUTH-3")
def test_what_we_send_is_what_keepalived_sends(config: VrrpInstance) -> None:
    outgoing = Outgoing(config)
    outgoing.change(config, "10.0.0.1")
    assert [bytes(content) for content, _ in outgoing.packets(150)] == [FIRST]
    assert [bytes(content) for content, _ in outgoing.packets(150)] == [SECOND]


@pytest.mark.behaviour("AUTH-3")
def test_what_keepalived_sends_is_accepted(config: VrrpInstance) -> None:
    received = packet.parse_ipv4(FIRST)
    assert received.seal is not None
    assert received.seal.sequence == 1
    assert packet.check_advertisement(received, config, "10.0.0.2", last_sequence=0).priority == 150


@pytest.mark.behaviour("AUTH-3")
@pytest.mark.parametrize(("last_sequence", "good"), [(0, True), (1, True), (2, False), (3, False)])
def test_the_sequence_must_rise(config: VrrpInstance, last_sequence: int, good: bool) -> None:
    if good:
        packet.check_advertisement(packet.parse_ipv4(SECOND), config, "10.0.0.2", last_sequence=last_sequence)
    else:
        assert str(refusal(SECOND, config, last_sequence)) == f"sequence 2 is not above {last_sequence}: repeated"


@pytest.mark.behaviour("AUTH-3")
def test_a_master_goes_on_from_the_sequence_that_it_heard(config: VrrpInstance) -> None:
    outgoing = Outgoing(config)
    outgoing.change(config, "10.0.0.1")
    outgoing.learn(41, "10.0.0.2")
    outgoing.learn(7, "10.0.0.3")
    [(content, _)] = outgoing.packets(150)
    assert int.from_bytes(content[28:32], "big") == 42
    outgoing.learn(ah.LAST_SEQUENCE, "10.0.0.2")
    assert int.from_bytes(outgoing.packets(150)[0][0][28:32], "big") == ah.LAST_SEQUENCE


@pytest.mark.behaviour("AUTH-3", "PKT-27")
def test_another_password_is_refused(config: VrrpInstance) -> None:
    assert refusal(FIRST, replace(config, authentication_data=b"sesame02")).counter == "auth_failure"


def test_another_index_than_the_sender_s_address_is_refused(config: VrrpInstance) -> None:
    assert "index" in str(refusal(FIRST[:24] + bytes((10, 0, 0, 9)) + FIRST[28:], config))


def test_every_flipped_bit_is_noticed_but_those_that_change_on_the_way(config: VrrpInstance) -> None:
    changing = {*range(8, 16), *range(48, 64), *range(80, 96)}
    for bit in set(range(len(FIRST) * 8)) - changing:
        flipped = bytearray(FIRST)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        refused_or_raised = False
        try:
            received = packet.parse_ipv4(bytes(flipped))
            packet.check_advertisement(received, config, "10.0.0.2")
        except AdvertisementRefused:
            refused_or_raised = True
        assert refused_or_raised, bit


@pytest.mark.parametrize("cut", range(20, 44))
def test_a_truncated_header_is_refused(cut: int) -> None:
    frame = FIRST[:2] + cut.to_bytes(2, "big") + FIRST[4:cut]
    with pytest.raises(AdvertisementRefused):
        packet.parse_ipv4(frame)


@given(tail=st.binary(max_size=80))
def test_no_header_raises_anything_but_a_refusal(tail: bytes) -> None:
    frame = FIRST[:2] + (20 + len(tail)).to_bytes(2, "big") + FIRST[4:20] + tail
    try:
        packet.read_vrid(packet.parse_ipv4(frame).payload)
    except AdvertisementRefused:
        pass


def test_two_masters_that_send_the_same_numbers_hear_each_other(config: VrrpInstance) -> None:
    """Ours do not count against another's: in step, both would refuse for ever, and both stay master."""
    outgoing = Outgoing(config)
    outgoing.change(config, "10.0.0.1")
    outgoing.packets(150)
    outgoing.packets(150)
    assert outgoing.sequence == 2
    assert outgoing.last_heard("10.0.0.2") < 2
    outgoing.learn(2, "10.0.0.2")
    assert outgoing.last_heard("10.0.0.2") == 2


@pytest.mark.behaviour("AUTH-3")
def test_after_a_restart_nothing_below_what_was_known_counts_whoever_sent_it(config: VrrpInstance) -> None:
    outgoing = Outgoing(config)
    outgoing.restore(41)
    assert outgoing.last_heard("10.0.0.2") == 41
    outgoing.learn(43, "10.0.0.2")
    assert (outgoing.last_heard("10.0.0.2"), outgoing.last_heard("10.0.0.3"), outgoing.sequence) == (43, 41, 43)


def test_no_more_senders_are_remembered_than_a_segment_has_routers(config: VrrpInstance) -> None:
    outgoing = Outgoing(config)
    outgoing.restore(0)
    for last in range(70):
        outgoing.learn(100 + last, f"10.0.0.{last}")
    assert outgoing.last_heard("10.0.0.1") == 0
    assert outgoing.last_heard("10.0.0.69") == 169

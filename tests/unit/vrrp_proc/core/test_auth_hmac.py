"""The signed trailer: the vector of the format's own description, and every way to be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import HmacKey, HmacMode, HmacSettings, UnicastPeer, VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core import auth_hmac, packet
from pyhad.vrrp_proc.core.auth_hmac import HmacMemory, is_after, stamp_of
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.core.packet import Received
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused

# key 00..1f with id 1, VRID 51, priority 200, 198.51.100.10, 192.0.2.100, stamp 0x68000000 s and a half
VECTOR = bytes.fromhex("3133c80100644402c0000264 010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265")
SECOND_NS = 1_000_000_000
WALL_NS = 0x68000000 * SECOND_NS + SECOND_NS // 2
SETTINGS = HmacSettings(
    keys=(HmacKey(identifier=1, secret=bytes(range(32))), HmacKey(identifier=2, secret=b"x" * 32)),
    active=1, window_s=5, monotonic=False, mode=HmacMode.ENFORCE,
)  # fmt: skip


@pytest.fixture
def config(make_config: Callable[..., VrrpInstance]) -> VrrpInstance:
    address = VirtualAddress(address="192.0.2.100", prefix_len=32, interface="eth0")
    return make_config(version=3, base_priority=200, addresses=(address,), checksum_pseudo_header=False, hmac=SETTINGS)


def built(config: VrrpInstance, wall_ns: int = WALL_NS, **changes: Any) -> bytes:
    facts: dict[str, Any] = {"source": "198.51.100.10", "priority": 200, "stamp": stamp_of(wall_ns), **changes}
    return packet.build_advertisement(config, **facts)


def judged(
    config: VrrpInstance, message: bytes, memory: HmacMemory, wall_ns: int = WALL_NS, source: str = "198.51.100.10"
) -> str:
    received = Received(source=source, destination="224.0.0.18", ttl=255, payload=message)
    try:
        packet.check_advertisement(received, config, "198.51.100.9", memory=memory, wall_ns=wall_ns)
    except AdvertisementRefused as refused:
        return refused.counter
    return ""


@pytest.mark.behaviour("AUTH-4")
def test_what_is_signed_is_the_vector(config: VrrpInstance) -> None:
    assert built(config) == VECTOR
    assert judged(config, VECTOR, HmacMemory()) == ""


@pytest.mark.behaviour("AUTH-4")
def test_every_flipped_bit_is_noticed(config: VrrpInstance) -> None:
    for bit in range(len(VECTOR) * 8):
        flipped = bytearray(VECTOR)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        assert judged(config, bytes(flipped), HmacMemory()) != "", bit


@pytest.mark.behaviour("AUTH-7")
def test_nothing_is_accepted_twice_nor_after_something_later(config: VrrpInstance) -> None:
    memory = HmacMemory()
    later = built(config, WALL_NS + SECOND_NS)
    verdicts = [judged(config, message, memory) for message in (VECTOR, VECTOR, later, VECTOR, later)]
    assert verdicts == ["", "hmac_replayed", "", "hmac_replayed", "hmac_replayed"]


@pytest.mark.behaviour("AUTH-6")
@pytest.mark.parametrize(("late_s", "verdict"), [(-6, "hmac_stale"), (-5, ""), (5, ""), (6, "hmac_stale")])
def test_outside_the_window_it_is_stale(config: VrrpInstance, late_s: int, verdict: str) -> None:
    assert judged(config, VECTOR, HmacMemory(), WALL_NS + late_s * SECOND_NS) == verdict
    counting = replace(config, hmac=replace(SETTINGS, monotonic=True))
    assert judged(counting, VECTOR, HmacMemory(), WALL_NS + late_s * SECOND_NS) == ""


def test_no_forgery_moves_a_mark(config: VrrpInstance) -> None:
    memory = HmacMemory()
    forged = bytearray(built(config, WALL_NS + 4 * SECOND_NS))
    forged[-1] ^= 1
    assert [judged(config, bytes(forged), memory), judged(config, VECTOR, memory)] == ["auth_failure", ""]


def test_a_mark_of_the_future_is_forgotten_when_the_clock_went_back(config: VrrpInstance) -> None:
    memory = HmacMemory()
    ahead_ns = WALL_NS + 100 * SECOND_NS
    assert judged(config, built(config, ahead_ns), memory, ahead_ns) == ""
    assert judged(config, VECTOR, memory) == ""


@pytest.mark.behaviour("AUTH-5")
def test_every_key_verifies_and_an_unknown_one_does_not(config: VrrpInstance) -> None:
    second = replace(config, hmac=replace(SETTINGS, active=2))
    message = built(second)
    assert message[13] == 2
    assert judged(config, message, HmacMemory()) == ""
    only_first = replace(config, hmac=replace(SETTINGS, keys=SETTINGS.keys[:1]))
    assert judged(only_first, message, HmacMemory()) == "hmac_unknown_key"
    other = HmacSettings(
        keys=(HmacKey(identifier=1, secret=b"y" * 32),), active=1, window_s=5, monotonic=False, mode=HmacMode.ENFORCE
    )
    assert judged(replace(config, hmac=other), VECTOR, HmacMemory()) == "auth_failure"


@pytest.mark.behaviour("PKT-26")
@pytest.mark.behaviour("AUTH-8")
@pytest.mark.parametrize(
    ("mode", "unsigned", "length"),
    [(HmacMode.ENFORCE, "hmac_unsigned", 40), (HmacMode.PERMISSIVE, "", 40), (HmacMode.RECEIVE_ONLY, "", 12)],
)
def test_the_mode_decides_about_unsigned_ones_and_about_ours(
    config: VrrpInstance, mode: HmacMode, unsigned: str, length: int
) -> None:
    ours = replace(config, hmac=replace(SETTINGS, mode=mode))
    plain = built(replace(config, hmac=None))
    assert judged(ours, plain, HmacMemory()) == unsigned
    assert judged(ours, VECTOR, HmacMemory()) == ""
    assert len(built(ours)) == length


def test_who_has_no_keys_cannot_read_a_signed_one(config: VrrpInstance) -> None:
    assert judged(replace(config, hmac=None), VECTOR, HmacMemory()) == "packet_len_err"


@pytest.mark.behaviour("AUTH-7")
def test_four_senders_are_remembered_and_by_unicast_every_peer(config: VrrpInstance) -> None:
    def replayed(one: VrrpInstance, senders: int) -> str:
        memory = HmacMemory()
        for number in range(senders):
            message = built(one, source=f"10.0.0.{number}", destination="224.0.0.18")
            payload = Received(source=f"10.0.0.{number}", destination="224.0.0.18", ttl=255, payload=message).payload
            source = bytes((10, 0, 0, number))
            memory.check(payload[:12], payload[12:], one, sender=f"10.0.0.{number}", source=source, wall_ns=WALL_NS)
        message = built(one, source="10.0.0.0")
        return judged(one, message, memory, source="10.0.0.0")

    assert [replayed(config, 4), replayed(config, 5)] == ["hmac_replayed", ""]
    peers = tuple(UnicastPeer(address=f"10.0.0.{number}") for number in range(5))
    unicast = replace(config, unicast_peers=peers)
    assert replayed(unicast, 5) == "hmac_replayed"


def test_stamps_are_compared_around_their_end() -> None:
    assert is_after(1, 0)
    assert not is_after(0, 0)
    assert is_after(0, 2**64 - 1)
    assert not is_after(2**64 - 1, 0)
    assert stamp_of(WALL_NS) == 0x6800000080000000


def test_our_stamps_rise_whatever_the_clock_does() -> None:
    memory, base = HmacMemory(), stamp_of(WALL_NS)
    assert memory.next_stamp(SETTINGS, WALL_NS) == base
    assert memory.next_stamp(SETTINGS, WALL_NS) == base + 1
    assert memory.next_stamp(SETTINGS, WALL_NS - 2 * SECOND_NS) == base + 2, "back within the window"
    back_ns = WALL_NS - 100 * SECOND_NS
    assert memory.next_stamp(SETTINGS, back_ns) == stamp_of(back_ns), "back beyond the window: followed"
    forward_ns = WALL_NS + 1000 * SECOND_NS
    assert memory.next_stamp(SETTINGS, forward_ns) == stamp_of(forward_ns)
    counting = replace(SETTINGS, monotonic=True)
    assert memory.next_stamp(counting, back_ns) == stamp_of(forward_ns) + 1, "when counting it never goes back"


def test_every_packet_that_leaves_has_a_stamp_of_its_own(config: VrrpInstance) -> None:
    outgoing = Outgoing(config)
    outgoing.change(config, "198.51.100.10")
    first = bytes(outgoing.packets(200, WALL_NS)[0][0][20:])
    second = bytes(outgoing.packets(200, WALL_NS)[0][0][20:])
    assert (first, len(second)) == (VECTOR, 40)
    memory = HmacMemory()
    assert [judged(config, message, memory) for message in (first, second)] == ["", ""]


def test_over_ipv6_the_checksum_has_the_trailer_in_it(config: VrrpInstance) -> None:
    address = VirtualAddress(address="fd00::9", prefix_len=128, interface="eth0")
    six = replace(config, family=6, addresses=(address,), multicast_group="ff02::12")
    message = built(six, source="fe80::2")
    pseudo = bytes.fromhex("fe80" + "00" * 13 + "02" + "ff02" + "00" * 13 + "12" + "00000034" + "00000070")
    assert len(message) == 0x34
    assert packet.internet_checksum(pseudo + message) == 0
    received = Received(source="fe80::2", destination="ff02::12", ttl=255, payload=message)
    assert packet.check_advertisement(received, six, "fe80::9", memory=HmacMemory(), wall_ns=WALL_NS).priority == 200


def test_no_representation_shows_a_key() -> None:
    assert "xxxx" not in repr(SETTINGS)
    assert auth_hmac.SENDERS_REMEMBERED == 4

"""Whom a virtual router hears, and what its status says of them."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.packet import Received
from pyhad.vrrp_proc.peers import MOST, REFUSED_NS, Peers

OURS = VrrpInstance(
    name="VI_1", vrid=51, family=4, interface="eth0", version=2, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100, addresses=(VirtualAddress(address="192.0.2.100", prefix_len=24, interface="eth0"),),
)  # fmt: skip
GOOD = bytes.fromhex("2133 9601 0001 8665 c0000264 0000000000000000")
"""Version 2, VRID 51, priority 150, one address, no authentication, 1 s."""
SLOW = bytes.fromhex("2133 9601 0002 8664 c0000264 0000000000000000")
"""The same each 2 s."""


def packet(payload: bytes, source: str = "10.0.0.2", ttl: int = 255) -> Received:
    return Received(source=source, destination="224.0.0.18", ttl=ttl, payload=payload)


@pytest.mark.rfc("9568-7.1h")
def test_a_peer_is_shown_as_it_was_heard_last_and_since_when() -> None:
    peers = Peers()
    peers.hear(packet(GOOD), "", 1)
    peers.hear(packet(GOOD), "", 2)
    [peer] = peers.status(OURS, 200)
    assert (peer.address, peer.priority, peer.version, peer.advert_interval_cs) == ("10.0.0.2", 150, 2, 100)
    assert (peer.since_ns, peer.refused, peer.differences, peer.checksum) == (1, "", (), "usual")
    peers.hear(packet(SLOW), "advert_interval_err", 3)
    [peer] = peers.status(OURS, 200)
    assert (peer.since_ns, peer.refused) == (3, "advert_interval_err")
    assert peer.differences == ("10.0.0.2 sends advert_int 2, ours ('VI_1') is 1: we drop it, both may be master",)


def test_what_cannot_be_read_is_not_shown_and_a_routed_packet_is_named() -> None:
    peers = Peers()
    peers.hear(packet(b"!3", "10.0.0.3"), "packet_len_err", 1)
    peers.hear(packet(GOOD, ttl=254), "ip_ttl_err", 1)
    [peer] = peers.status(OURS, 200)
    assert peer.differences == ("TTL 254 instead of 255: it was routed or forged, receivers drop it",)


def test_who_was_refused_is_shown_for_a_minute_and_who_counts_stays() -> None:
    peers = Peers()
    peers.hear(packet(GOOD), "", 1)
    peers.hear(packet(SLOW, "10.0.0.3"), "advert_interval_err", 1)
    assert [peer.address for peer in peers.status(OURS, REFUSED_NS)] == ["10.0.0.2", "10.0.0.3"]
    assert [peer.address for peer in peers.status(OURS, REFUSED_NS + 1)] == ["10.0.0.2"]


def test_forged_senders_find_no_more_than_so_much_room() -> None:
    peers = Peers()
    for number in range(1, 200):
        peers.hear(packet(GOOD, f"10.0.1.{number}"), "", number)
    found = peers.status(OURS, 200)
    assert len(found) == MOST
    assert found[-1].address == "10.0.1.199"
    peers.forget()
    assert peers.status(OURS, 200) == ()

"""The packets that are kept ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import UnicastPeer, VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core import packet
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.core.packet import ChecksumForm

PEERS = (UnicastPeer(address="10.0.0.2"), UnicastPeer(address="10.0.0.3"))
Make = Callable[..., VrrpInstance]


def ready(config: VrrpInstance, source: str) -> Outgoing:
    outgoing = Outgoing(config)
    outgoing.change(config, source)
    return outgoing


@pytest.mark.behaviour("PKT-1")
def test_multicast_is_one_packet_to_the_group(make_config: Make) -> None:
    [(content, destination)] = ready(make_config(), "10.0.0.1").packets(100)
    assert destination == "224.0.0.18"
    assert content[:20].hex() == "45c0002800010000ff70" + content[10:12].hex() + "0a000001e0000012"


@pytest.mark.behaviour("PKT-8")
def test_unicast_is_one_packet_for_each_peer_with_the_same_content(make_config: Make) -> None:
    sent = ready(make_config(unicast_peers=PEERS), "10.0.0.1").packets(100)
    assert [destination for _, destination in sent] == ["10.0.0.2", "10.0.0.3"]
    assert [content[16:20].hex() for content, _ in sent] == ["0a000002", "0a000003"]
    assert [content[4:6].hex() for content, _ in sent] == ["0001", "0002"]
    assert [content[8] for content, _ in sent] == [255, 255]
    assert sent[0][0][20:] == sent[1][0][20:]


@pytest.mark.behaviour("PKT-8")
@pytest.mark.parametrize(("ttl", "expected4", "expected6"), [(None, 255, 64), (5, 5, 5), (0, 0, 0)])
def test_the_ttl_of_unicast(make_config: Make, ttl: int | None, expected4: int, expected6: int) -> None:
    four = make_config(unicast_peers=PEERS, unicast_ttl=ttl)
    assert ready(four, "10.0.0.1").packets(100)[0][0][8] == expected4
    address = VirtualAddress(address="fd00::9", prefix_len=128, interface="eth0")
    six = make_config(
        family=6, version=3, addresses=(address,), unicast_peers=(UnicastPeer(address="fd00::2"),), unicast_ttl=ttl
    )
    assert ready(six, "fd00::1").packets(100)[0][0][7] == expected6


def test_multicast_over_ipv6_has_hop_limit_255_and_is_never_touched(make_config: Make) -> None:
    address = VirtualAddress(address="fd00::9", prefix_len=128, interface="eth0")
    config = make_config(family=6, version=3, addresses=(address,), multicast_group="ff02::12")
    outgoing = ready(config, "fe80::1")
    first = bytes(outgoing.packets(100)[0][0])
    assert (first[7], outgoing.packets(100)[0][1]) == (255, "ff02::12")
    assert bytes(outgoing.packets(100)[0][0]) == first


def test_a_change_of_settings_or_source_is_in_the_next_packet(make_config: Make) -> None:
    outgoing = ready(make_config(), "10.0.0.1")
    outgoing.packets(100)
    outgoing.change(make_config(vrid=52), "10.0.0.9")
    content = outgoing.packets(100)[0][0]
    assert (content[12:16].hex(), content[21]) == ("0a000009", 52)


@pytest.mark.behaviour("PKT-31")
def test_the_old_checksum_of_a_peer_is_answered_in_kind(make_config: Make) -> None:
    config = make_config(version=3, unicast_peers=PEERS)
    outgoing = ready(config, "10.0.0.1")
    assert not outgoing.follow(ChecksumForm.MESSAGE)
    new = bytes(outgoing.packets(100)[0][0][20:])
    assert outgoing.follow(ChecksumForm.OLD_UNICAST)
    assert not outgoing.follow(ChecksumForm.OLD_UNICAST)
    old = bytes(outgoing.packets(100)[0][0][20:])
    assert old == packet.build_advertisement(
        config, source="10.0.0.1", priority=100, destination="10.0.0.2", form=ChecksumForm.OLD_UNICAST
    )
    assert old != new
    outgoing.change(make_config(version=3, vrid=52, unicast_peers=PEERS), "10.0.0.1")
    assert outgoing.packets(100)[0][0][20:] == packet.build_advertisement(
        make_config(version=3, vrid=52), source="10.0.0.1", priority=100, destination="10.0.0.2"
    )

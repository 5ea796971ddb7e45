"""Packets as the link layer carries them: what the kernel would check and fill in."""

from __future__ import annotations

import pytest

from pyhad.vrrp_proc.core import frames

# IPv4 10.0.0.1 > 224.0.0.18, TTL 255, VRRP, 8 bytes behind the header. The words add up to 0x22F60, folded 0x2F62.
HEAD = bytes.fromhex("45c0001c00010000ff70d09d0a000001e0000012")
BODY = bytes.fromhex("3133640100640000")


@pytest.mark.rfc("9568-7.2b")
def test_a_group_has_its_ethernet_address() -> None:
    assert frames.group_mac("224.0.0.18").hex(":") == "01:00:5e:00:00:12"
    assert frames.group_mac("239.255.1.2").hex(":") == "01:00:5e:7f:01:02"
    assert frames.group_mac("ff02::12").hex(":") == "33:33:00:00:00:12"


def test_what_leaves_has_the_checksum_of_its_header() -> None:
    unfinished = bytearray(HEAD + BODY)
    unfinished[10:12] = b"\xaa\xaa"
    assert frames.to_send(unfinished) == HEAD + BODY


def test_what_leaves_over_ipv6_is_left_as_it_is() -> None:
    packet = bytes.fromhex("6c000000000870ff") + bytes(32) + BODY
    assert frames.to_send(bytearray(packet)) == packet
    assert frames.received(packet + bytes(6)) == packet


def test_padding_is_taken_off() -> None:
    assert frames.received(HEAD + BODY + bytes(18)) == HEAD + BODY
    assert frames.trimmed(HEAD + BODY + bytes(18)) == HEAD + BODY
    assert frames.trimmed(HEAD + BODY) == HEAD + BODY
    assert frames.trimmed(HEAD[:19]) == HEAD[:19]
    packet = bytes.fromhex("6c000000000870ff") + bytes(32) + BODY
    assert frames.trimmed(packet + bytes(6)) == packet
    assert frames.trimmed(packet[:30]) == packet[:30]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        HEAD[:19],
        HEAD + BODY[:7],  # shorter than it says
        HEAD[:10] + b"\xd0\x9e" + HEAD[12:] + BODY,  # a wrong checksum
        bytes.fromhex("45c0001c00012000ff70b09d0a000001e0000012") + BODY,  # more fragments follow
        bytes.fromhex("45c0001c00010001ff70d09c0a000001e0000012") + BODY,  # not the first fragment
        bytes.fromhex("44c0001c00010000ff70d19d0a000001e0000012") + BODY,  # a header of 16 bytes
        bytes.fromhex("75c0001c00010000ff70a09d0a000001e0000012") + BODY,  # version 7
        bytes.fromhex("6c000000000970ff") + bytes(32) + BODY,  # IPv6, shorter than it says
    ],
)
def test_what_the_kernel_would_have_dropped_is_dropped(frame: bytes) -> None:
    assert frames.received(frame) is None

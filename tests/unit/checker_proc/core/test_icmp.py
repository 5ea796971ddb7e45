"""Echo requests and the replies that answer them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.icmp import EchoRequests, fold, reply_index, word_sum

NONCE = 0x0102030405060708


def echo_request(family: int, identifier: int, nonce: int, index: int) -> bytes:
    return EchoRequests(family, identifier, nonce).build(index)


def checksum(data: bytes) -> int:
    return fold(word_sum(data))


def reply(family: int, request: bytes) -> bytes:
    """The same bytes, as the reply type."""
    return bytes([{4: 0, 6: 129}[family]]) + request[1:]


@pytest.mark.behaviour("CHK-70")
def test_a_request_has_128_bytes_of_payload_behind_its_eight() -> None:
    request = echo_request(4, 0xABCD, NONCE, 70_001)
    assert len(request) == 136
    assert request[:2] == b"\x08\x00"
    assert request[4:8] == b"\xab\xcd\x11\x71"
    assert request[8:24] == bytes.fromhex("0102030405060708 0000000000011171")


def test_an_ipv4_request_carries_a_checksum_that_adds_up() -> None:
    for index in (0, 1, 70_001, 2**40 + 12_345):
        request = echo_request(4, 0xABCD, NONCE, index)
        assert checksum(request) == 0
        assert struct.unpack("!H", request[2:4])[0] != 0


def test_the_checksum_of_a_known_header_is_the_known_one() -> None:
    assert checksum(bytes.fromhex("45000073000040004011 0000 c0a80001c0a800c7")) == 0xB861


def test_an_ipv6_request_leaves_the_checksum_to_the_kernel() -> None:
    request = echo_request(6, 1, NONCE, 1)
    assert request[:4] == b"\x80\x00\x00\x00"


def test_a_reply_names_its_request_with_and_without_an_ip_header() -> None:
    packet = reply(4, echo_request(4, 1, NONCE, 70_001))
    assert reply_index(4, packet, NONCE) == 70_001
    assert reply_index(4, b"\x45" + bytes(19) + packet, NONCE) == 70_001
    assert reply_index(4, b"\x46" + bytes(23) + packet, NONCE) == 70_001
    assert reply_index(6, reply(6, echo_request(6, 1, NONCE, 3)), NONCE) == 3


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        echo_request(4, 1, NONCE, 3),
        reply(4, echo_request(4, 1, NONCE + 1, 3)),
        reply(4, echo_request(4, 1, NONCE, 3))[:-1],
        reply(4, echo_request(4, 1, NONCE, 3)[:6] + b"\x00\x04" + echo_request(4, 1, NONCE, 3)[8:]),
    ],
)
def test_what_is_not_a_reply_to_us_names_nothing(packet: bytes) -> None:
    assert reply_index(4, packet, NONCE) is None


@given(st.sampled_from([4, 6]), st.binary(max_size=200))
def test_no_packet_whatever_makes_it_raise(family: int, packet: bytes) -> None:
    assert reply_index(family, packet, NONCE) is None

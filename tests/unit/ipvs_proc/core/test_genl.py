"""Generic netlink, byte for byte as linux/netlink.h and linux/genetlink.h have it (little-endian machine)."""

from __future__ import annotations

import struct

import pytest

from pyhad.common.errors import WireError
from pyhad.ipvs_proc.core import genl


def test_a_request_is_header_command_and_padded_attributes() -> None:
    assert genl.message(0x1F, 4, 7, genl.ACK, genl.attribute(1, b"abc")) == bytes.fromhex(
        "1c000000 1f00 0500 07000000 00000000 04 01 0000 0700 0100 616263 00"
    )


def test_a_dump_says_so_in_its_flags() -> None:
    assert genl.message(0x1F, 4, 1, genl.DUMP)[6:8] == bytes.fromhex("0103")


def test_a_family_is_asked_for_by_name_and_answered_by_number() -> None:
    request = genl.family_request("IPVS", 1)
    assert request[4:6] == b"\x10\x00"
    assert request[20:] == bytes.fromhex("0900 0200 4950565300 000000")
    assert genl.family_from(bytes.fromhex("0600 0100 1f00 0000")) == 31
    with pytest.raises(WireError):
        genl.family_from(b"")


def test_an_acknowledgement_an_error_and_the_end_of_a_dump_are_told_apart() -> None:
    acknowledged = bytes.fromhex("24000000 0200 0000 05000000 00000000 00000000") + bytes(16)
    refused = bytes.fromhex("24000000 0200 0000 06000000 00000000 feffffff") + bytes(16)
    ended = bytes.fromhex("14000000 0300 0200 07000000 00000000 00000000")
    assert genl.answers_from(acknowledged + refused + ended) == [
        genl.Answer(5, 0, done=True),
        genl.Answer(6, 2, done=True),
        genl.Answer(7, 0, done=True),
    ]


def test_data_comes_without_its_generic_header() -> None:
    data = bytes.fromhex("1c000000 1f00 0200 09000000 00000000 01 01 0000 0800 0100 2a000000")
    assert genl.answers_from(data) == [genl.Answer(9, 0, done=False, payload=bytes.fromhex("080001002a000000"))]


@pytest.mark.parametrize("raw", ["02000100", "09000100 2a000000"])
def test_attributes_that_lie_about_their_length_are_refused(raw: str) -> None:
    with pytest.raises(WireError):
        genl.attributes_from(bytes.fromhex(raw))


@pytest.mark.parametrize("length", ["0f000000", "15000000"])
def test_messages_that_lie_about_their_length_are_refused(length: str) -> None:
    with pytest.raises(WireError):
        genl.answers_from(bytes.fromhex(length + "0300 0200 07000000 00000000 00000000"))


def test_the_nested_bit_of_a_kind_is_no_part_of_it() -> None:
    assert genl.attributes_from(bytes.fromhex("0500 0180 07 000000")) == {1: b"\x07"}


def test_a_dump_gives_its_attributes_and_says_when_it_is_over() -> None:
    part = genl.message(0x20, 1, 7, 0, b"abcd")
    other = genl.message(0x20, 1, 6, 0, b"late")
    found: list[bytes] = []
    assert genl.dumped(part + other + part, 7, found) is None
    assert found == [b"abcd", b"abcd"]
    assert genl.dumped(part + struct.pack("=IHHIIi", 20, 3, 0, 7, 0, 0), 7, found) == 0
    assert genl.dumped(struct.pack("=IHHIIi", 20, 2, 0, 7, 0, -1), 7, found) == 1
    assert len(found) == 3
    with pytest.raises(WireError):
        genl.dumped(struct.pack("=IHHII", 99, 3, 0, 7, 0), 7, found)


def test_places_are_where_the_values_lie() -> None:
    data = b"xxxx" + genl.attribute(1, b"ab") + genl.attribute(0x8002, b"cdef")
    assert genl.places_in(data, 4, len(data)) == {1: (8, 10), 2: (16, 20)}
    with pytest.raises(WireError):
        genl.places_in(b"\xff\0\1\0", 0, 4)

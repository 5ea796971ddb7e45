"""The filters that run in the kernel, interpreted here instruction by instruction."""

from __future__ import annotations

import struct

import pytest

from pyhad.vrrp_proc.wire import filters

HEADER_20 = bytes.fromhex("45c0001c00010000ff7000000a000001e0000012")


def accepts(program: bytes, packet: bytes, interface: int = 0) -> bool:
    """The few instructions that the filters use, as bpf(4) describes them."""
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    accumulator = x = place = 0
    while True:
        operation, when_true, when_false, k = code[place]
        place += 1
        if operation == 0xB1:
            x = 4 * (packet[k] & 15)
        elif operation == 0x01:
            x = k
        elif operation == 0x80:
            accumulator = len(packet)
        elif operation == 0x1C:
            accumulator = (accumulator - x) & 0xFFFFFFFF
        elif operation == 0x50:
            accumulator = packet[x + k]
        elif operation == 0x30:
            accumulator = packet[k]
        elif operation == 0x05:
            place += k
        elif operation == 0x07:
            x = accumulator
        elif operation == 0x20:
            assert k == 0xFFFFF008
            accumulator = interface
        elif operation == 0x64:
            accumulator <<= k
        elif operation == 0x4C:
            accumulator |= x
        elif operation == 0x35:
            place += when_true if accumulator >= k else when_false
        elif operation == 0x15:
            place += when_true if accumulator == k else when_false
        elif operation == 0x06:
            return k != 0
        else:
            raise AssertionError(f"unknown instruction {operation:#x}")


def test_the_filter_of_one_vrid_is_these_instructions() -> None:
    assert filters.filter_vrids([51]).hex() == (
        "b1000000" "00000000"
        "80000000" "00000000"
        "1c000000" "00000000"
        "35000100" "02000000"
        "06000000" "ffffffff"
        "50000000" "01000000"
        "15000100" "33000000"
        "06000000" "00000000"
        "06000000" "ffffffff"
    )  # fmt: skip


@pytest.mark.rfc("9568-7.1f")
@pytest.mark.behaviour("PKT-20")
@pytest.mark.parametrize("vrids", [[51], [1, 51, 255], list(range(1, 256))])
def test_only_wanted_vrids_pass(vrids: list[int]) -> None:
    program = filters.filter_vrids(vrids)
    passed = [vrid for vrid in range(256) if accepts(program, HEADER_20 + bytes((0x31, vrid, 100, 0)))]
    assert passed == vrids


def test_the_vrid_is_found_behind_ip_options() -> None:
    options = b"\x46" + HEADER_20[1:] + bytes(4)
    assert accepts(filters.filter_vrids([51]), options + bytes((0x31, 51)))
    assert not accepts(filters.filter_vrids([51]), options + bytes((0x31, 52)))


@pytest.mark.behaviour("PKT-23")
@pytest.mark.parametrize("payload", [b"", b"\x31"])
def test_a_packet_too_short_for_a_vrid_passes_so_that_it_is_counted(payload: bytes) -> None:
    assert accepts(filters.filter_vrids([51]), HEADER_20 + payload)


def test_nothing_passes_the_filter_of_a_sending_socket() -> None:
    assert not accepts(filters.filter_nothing(), HEADER_20 + bytes((0x31, 51)))


@pytest.mark.behaviour("PKT-20")
@pytest.mark.parametrize("vrids", [[51], [1, 51, 255], list(range(1, 256))])
def test_over_ipv6_the_filter_sees_the_message_alone(vrids: list[int]) -> None:
    program = filters.filter_vrids6(vrids)
    assert [vrid for vrid in range(256) if accepts(program, bytes((0x31, vrid, 100, 0)))] == vrids
    assert accepts(program, b"\x31")


@pytest.mark.behaviour("PKT-22")
def test_behind_an_authentication_header_the_vrid_is_24_bytes_farther() -> None:
    program = filters.filter_vrids([51], 24)
    header = bytes.fromhex("700400000a0000010000000188ffb430eaa8d3290383480e")
    assert accepts(program, HEADER_20 + header + bytes((0x21, 51, 100, 0)))
    assert not accepts(program, HEADER_20 + header + bytes((0x21, 52, 100, 0)))
    assert accepts(program, HEADER_20 + header), "too short to have one: counted"


HEADER_IPV6 = bytes.fromhex("6c000000001070ff") + bytes(32)
AH_HEADER = bytes.fromhex("45c0003400010000ff3300000a000001e0000012") + bytes(24)


@pytest.mark.parametrize("vrids", [[51], list(range(1, 256))])
def test_of_frames_only_vrrp_of_wanted_vrids_passes(vrids: list[int]) -> None:
    program = filters.filter_frames(4, [(9, vrid) for vrid in vrids], [7])
    passed = [vrid for vrid in range(256) if accepts(program, HEADER_20 + bytes((0x31, vrid, 100, 0)), 9)]
    assert passed == vrids
    assert accepts(program, HEADER_20 + b"\x31", 8)  # too short: counted
    sealed = [vrid for vrid in range(256) if accepts(program, AH_HEADER + bytes((0x21, vrid, 100, 0)))]
    assert sealed == [7]
    udp = HEADER_20[:9] + b"\x11" + HEADER_20[10:]
    assert not accepts(program, udp + bytes((0x31, 51, 100, 0)))


@pytest.mark.parametrize(("count", "by_vrid"), [(600, False), (3501, True)])
def test_of_frames_only_what_is_meant_for_the_interface_passes_as_long_as_the_program_has_room(
    count: int, by_vrid: bool
) -> None:
    """Interface 1000 + n has the virtual router n % 200 + 1."""
    program = filters.filter_frames(4, [(1000 + number, number % 200 + 1) for number in range(count)], [])
    assert len(program) <= 8 * 4096
    packet = HEADER_20 + bytes((0x31, 7, 100, 0))
    passed = [number for number in range(600) if accepts(program, packet, 1000 + number)]
    assert len(passed) == (600 if by_vrid else 3)
    assert {6, 206, 406} <= set(passed)
    assert accepts(program, packet, 5) is by_vrid


def test_of_ipv6_frames_only_vrrp_of_wanted_vrids_passes() -> None:
    program = filters.filter_frames(6, [(9, 51), (9, 52)], [])
    passed = [vrid for vrid in range(256) if accepts(program, HEADER_IPV6 + bytes((0x31, vrid, 100, 0)), 9)]
    assert passed == [51, 52]
    assert not accepts(program, HEADER_IPV6[:6] + b"\x3a" + HEADER_IPV6[7:] + bytes((0x31, 51, 100, 0)))

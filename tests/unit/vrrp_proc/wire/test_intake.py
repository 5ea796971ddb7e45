"""recvmmsg: every packet with its length, in its order, a bounded number at once."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from pyhad.vrrp_proc.wire.intake import BESIDE_BYTES, INTAKE_WITH_HEADS, NAME_BYTES, PACKETS_AT_ONCE, Intake, read_on


def test_packets_of_any_length_come_in_their_order_and_a_bounded_number_at_once() -> None:
    hearer, speaker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with hearer, speaker:
        sent = [bytes((place,)) * (place % 50) for place in range(70)]
        for packet in sent:
            speaker.send(packet)
        intake = Intake()
        first = intake.receive(hearer.fileno())
        assert len(first) == PACKETS_AT_ONCE
        assert first + intake.receive(hearer.fileno()) == sent
        assert intake.receive(hearer.fileno()) == []


def test_reading_goes_on_while_much_waits_and_a_flood_ends_it() -> None:
    rounds = [64, 64, 63, 64]
    read_on(lambda: rounds.pop(0), lambda: True)
    assert rounds == [64]
    flood = [64] * 40
    read_on(flood.pop, lambda: len(flood) > 38)
    assert len(flood) == 38
    read_on(flood.pop, lambda: True)
    assert len(flood) == 6


def test_what_is_too_long_is_cut_off_and_does_not_touch_the_next() -> None:
    hearer, speaker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with hearer, speaker:
        speaker.send(b"a" * 5000)
        speaker.send(b"b")
        assert Intake().receive(hearer.fileno()) == [b"a" * 4352, b"b"]


def test_a_socket_that_fails_says_so() -> None:
    with pytest.raises(OSError, match="recvmmsg") as caught:
        Intake().receive(-1)
    assert caught.value.errno == errno.EBADF


def test_heads_come_with_each_packet() -> None:
    hearer = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    speaker = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with hearer, speaker:
        hearer.bind(("::1", 0))
        speaker.bind(("::1", 0))
        hearer.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        hearer.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        for content in (b"first", b"second"):
            speaker.sendto(content, hearer.getsockname())
        found = INTAKE_WITH_HEADS.receive(hearer.fileno())
        port = struct.pack("!H", speaker.getsockname()[1])
        address = bytes(15) + b"\1"
        name = struct.pack("=H", socket.AF_INET6) + port + bytes(4) + address + bytes(4)
        beside = struct.pack("@Nii", 36, 41, 50) + address + struct.pack("=i", 1) + bytes(4)
        beside += struct.pack("@Nii", 20, 41, 52) + struct.pack("=i", 64) + bytes(4)
        assert [one[BESIDE_BYTES + NAME_BYTES :] for one in found] == [b"first", b"second"]
        assert {one[:BESIDE_BYTES] for one in found} == {beside}
        assert {one[BESIDE_BYTES:][:28] for one in found} == {name}
        assert INTAKE_WITH_HEADS.receive(hearer.fileno()) == []

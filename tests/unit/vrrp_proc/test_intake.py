"""recvmmsg: every packet with its length, in its order, a bounded number at once."""

from __future__ import annotations

import errno
import socket

import pytest

from pyhad.vrrp_proc.intake import PACKETS_AT_ONCE, Intake


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


def test_what_is_too_long_is_cut_off_and_does_not_touch_the_next() -> None:
    hearer, speaker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with hearer, speaker:
        speaker.send(b"a" * 5000)
        speaker.send(b"b")
        assert Intake().receive(hearer.fileno()) == [b"a" * 4096, b"b"]


def test_a_socket_that_fails_says_so() -> None:
    with pytest.raises(OSError, match="recvmmsg") as caught:
        Intake().receive(-1)
    assert caught.value.errno == errno.EBADF

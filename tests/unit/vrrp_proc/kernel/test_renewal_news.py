"""The filter on the socket of notifications, by a kernel that runs it."""

from __future__ import annotations

import socket
import struct

import pytest

from pyhad.common.packet_filter import attach
from pyhad.vrrp_proc.kernel.netlink import attribute, message
from pyhad.vrrp_proc.kernel.renewal_news import filter_renewals

PORT = 4711
RENEWALS = 0xFFFFFFFF


def news(
    *, kind: int = 20, sequence: int = RENEWALS, port: int = PORT, created: int = 100, changed: int = 500
) -> bytes:
    """Of 10.0.0.1/32 on the interface 7, lifetimes 4 s."""
    address = attribute(2, bytes((10, 0, 0, 1)))
    times = attribute(6, struct.pack("=IIII", 4, 4, created, changed))
    body = struct.pack("=BBBBI", 2, 32, 0, 0, 7) + address + times
    made = bytearray(message(kind, 0, sequence, body))
    made[12:16] = struct.pack("=I", port)
    return bytes(made)


def passes(datagram: bytes) -> bool:
    """Whether a socket with the filter hears it."""
    hearer, speaker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with hearer, speaker:
        hearer.setblocking(False)
        attach(hearer, filter_renewals(PORT))
        speaker.send(datagram)
        try:
            return hearer.recv(1000) == datagram
        except BlockingIOError:
            return False


def test_a_renewal_of_ours_is_not_heard() -> None:
    assert not passes(news())


@pytest.mark.parametrize(
    "datagram",
    [
        news(kind=21),  # it is gone
        news(sequence=5),  # an order of ours that is no renewal
        news(port=0),  # the kernel's own doing
        news(port=99),  # somebody else's
        news(created=500),  # the renewal brought it back
        news()[:24],  # without attributes
    ],
)
def test_everything_else_is_heard(datagram: bytes) -> None:
    assert passes(datagram)

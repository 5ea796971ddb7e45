"""IPv6 packets put together again from what the kernel says beside them."""

from __future__ import annotations

import socket
import struct

from pyhad.vrrp_proc.wire.sockets6 import KnownPackets

SOURCE = socket.inet_pton(socket.AF_INET6, "fe80::2")
GROUP = socket.inet_pton(socket.AF_INET6, "ff02::12")
HOP_LIMIT = struct.pack("=QiiI4x", 20, 41, 52, 255)
PACKET_INFO = struct.pack("=Qii16sI4x", 36, 41, 50, GROUP, 7)
NAME = struct.pack("=HHI16sI4x", 10, 0, 0, SOURCE, 7)


def found(payload: bytes) -> bytes:
    return HOP_LIMIT + PACKET_INFO + NAME + payload


def test_the_same_packet_is_put_together_once() -> None:
    known = KnownPackets()
    first = known.of(found(b"\x31\x33"))
    assert first == bytes.fromhex("6c000000 0002 70 ff") + SOURCE + GROUP + b"\x31\x33"
    assert known.of(found(b"\x31\x33")) is first


def test_without_a_destination_there_is_no_packet() -> None:
    assert KnownPackets().of(HOP_LIMIT + bytes(40) + NAME + b"\x31\x33") is None


def test_a_flood_of_long_packets_fills_a_bounded_memory() -> None:
    known, most = KnownPackets(), 0
    for number in range(1000):
        assert known.of(found(struct.pack("=I", number) + bytes(4096))) is not None
        most = max(most, known.held_bytes)
    assert 900_000 < most <= 1_048_576

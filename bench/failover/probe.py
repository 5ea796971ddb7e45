"""Echo requests to the virtual address, one each 2 ms: `python -m bench.failover.probe ADDRESS` prints reply times."""

from __future__ import annotations

import os
import socket
import struct
import sys
import time

from pyhad.common.loop import Loop

PACE_NS = 2_000_000
_HEAD = struct.Struct("!BBHHH")


def checksum(data: bytes) -> int:
    """RFC 1071 over an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def main() -> None:
    """Until it is ended."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
    sock.connect((sys.argv[1], 0))
    ident, sequence = os.getpid() & 0xFFFF, 0
    loop = Loop()

    def ask() -> None:
        nonlocal sequence
        sequence = (sequence + 1) & 0xFFFF
        request = _HEAD.pack(8, 0, 0, ident, sequence)
        try:
            sock.send(_HEAD.pack(8, 0, checksum(request), ident, sequence))
        except OSError:
            pass  # no neighbour, or an error that came back: one more unanswered request

    def hear(_events: int) -> None:
        while True:
            try:
                packet = sock.recv(256)
            except OSError:
                return
            head = packet[(packet[0] & 15) * 4 :]
            if head[0] == 0 and struct.unpack("!H", head[4:6])[0] == ident:
                os.write(1, b"%d\n" % time.monotonic_ns())

    loop.watch(sock.fileno(), hear)
    loop.every(PACE_NS, ask)
    loop.run()


if __name__ == "__main__":
    main()

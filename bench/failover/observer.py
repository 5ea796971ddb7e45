"""What is seen of one pair of nodes, with times: `python -m bench.failover.observer CLIENT THIRD A B VIP`.

The four are names of network namespaces. One process looks into all of them: an echo request from the client each 2 ms,
the adverts that a third host hears, the address coming and going on both nodes. A line each, monotonic ns first:
`NS reply`, `NS heard SOURCE PRIORITY`, `NS came|went NODE`; first `NS looks`. Real-time where it may be, so that a
busy machine is not taken for a silent address.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from collections.abc import Callable

from bench.failover.sight import NODES
from bench.vrrp.watch import address_changes
from pyhad.common.loop import Loop
from pyhad.common.namespaces import enter_named

PACE_NS = 2_000_000
GROUP, PROTOCOL = "224.0.0.18", 112
_HEAD = struct.Struct("!BBHHH")


def checksum(data: bytes) -> int:
    """RFC 1071 over an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _say(text: str) -> None:
    os.write(1, f"{time.monotonic_ns()} {text}\n".encode())


def _drain(sock: socket.socket, note: Callable[[bytes], None]) -> Callable[[int], None]:
    def read(_events: int) -> None:
        while True:
            try:
                message = sock.recv(65536)
            except OSError:  # nothing more, or an error that came back for an unanswered request
                return
            note(message)

    return read


def _client(loop: Loop, address: str) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
    sock.connect((address, 0))
    ident, sequence = os.getpid() & 0xFFFF, 0

    def ask() -> None:
        nonlocal sequence
        sequence = (sequence + 1) & 0xFFFF
        request = _HEAD.pack(8, 0, 0, ident, sequence)
        try:
            sock.send(_HEAD.pack(8, 0, checksum(request), ident, sequence))
        except OSError:
            pass  # no neighbour, or an error that came back: one more unanswered request

    def hear(packet: bytes) -> None:
        head = packet[(packet[0] & 15) * 4 :]
        if head[0] == 0 and struct.unpack("!H", head[4:6])[0] == ident:
            _say("reply")

    loop.watch(sock.fileno(), _drain(sock, hear))
    loop.every(PACE_NS, ask)


def _third(loop: Loop) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, PROTOCOL)
    member = struct.pack("=4sIi", socket.inet_aton(GROUP), 0, socket.if_nametoindex("eth0"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)

    def hear(packet: bytes) -> None:
        _say(f"heard {socket.inet_ntoa(packet[12:16])} {packet[(packet[0] & 15) * 4 + 2]}")

    loop.watch(sock.fileno(), _drain(sock, hear))


def _holder(loop: Loop, node: str, address: str) -> None:
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    sock.bind((0, 0x10))  # RTMGRP_IPV4_IFADDR
    packed = socket.inet_aton(address)

    def changed(message: bytes) -> None:
        for found, came in address_changes(message):
            if found == packed:
                _say(f"{'came' if came else 'went'} {node}")

    loop.watch(sock.fileno(), _drain(sock, changed))


def main() -> None:
    """Until it is ended."""
    client, third, a, b, address = sys.argv[1:]
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(90))
    except PermissionError:
        pass
    loop = Loop()
    for node, namespace in zip(NODES, (a, b), strict=True):
        enter_named(namespace)
        _holder(loop, node, address)
    enter_named(third)
    _third(loop)
    enter_named(client)
    _client(loop, address)
    _say("looks")
    loop.run()


if __name__ == "__main__":
    main()

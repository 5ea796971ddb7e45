"""A third node that only listens: `python -m bench.failover.listener` prints when it heard whom, and the priority."""

from __future__ import annotations

import os
import socket
import struct
import time

GROUP, PROTOCOL = "224.0.0.18", 112


def main() -> None:
    """Until it is ended. One line an advert: monotonic ns, source address, priority."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL)
    member = struct.pack("=4sIi", socket.inet_aton(GROUP), 0, socket.if_nametoindex("eth0"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    while True:
        packet, (source, _) = sock.recvfrom(2048)
        priority = packet[(packet[0] & 15) * 4 + 2]
        os.write(1, b"%d %s %d\n" % (time.monotonic_ns(), source.encode(), priority))


def transitions(text: str, since_ns: int) -> int:
    """How often the master changed since then: adverts of priority 0 say that somebody leaves, not who comes."""
    leader, changes = "", 0
    for line in text.splitlines():
        at, source, priority = line.split()
        if int(priority) == 0 or source == leader:
            continue
        changes += bool(leader) and int(at) >= since_ns
        leader = source
    return changes


if __name__ == "__main__":
    main()

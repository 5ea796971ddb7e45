"""The master that a backup listens to: `python -m bench.vrrp.others SHAPE... spread|bunched`, SHAPE as in `layout.py`.

Sends prebuilt advertisements of priority 200, evenly over the interval or all at once, until it is ended. SIGTERM ends
it without priority 0: a crash, to those who listen. Ahead of everybody where it may: at 10 ms a master that has to wait
for other work is taken for dead, and what a backup pays for hearing would not be seen.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from bench.vrrp.layout import Shape, address_of
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.wire.sockets import Sender

PRIORITY = 200


def main() -> None:
    """Until it is ended."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(80))
    except PermissionError:
        pass
    shape = Shape(*(int(word) for word in sys.argv[1:6]))
    senders = {name: Sender(name, socket.if_nametoindex(name)) for name in shape.interfaces}
    packets = []
    for config in shape.all_routers():
        outgoing = Outgoing(config)
        outgoing.change(config, address_of("x", config.interface))
        packets.append((senders[config.interface], *outgoing.packets(PRIORITY)[0]))
    interval_ns = shape.interval_cs * 10_000_000
    step_ns = 0 if sys.argv[6] == "bunched" else interval_ns // len(packets)
    round_ns = time.monotonic_ns()
    while True:
        for place, (sender, packet, destination) in enumerate(packets):
            wait_ns = round_ns + place * step_ns - time.monotonic_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / 1e9)
            sender.send(packet, destination)
        round_ns += interval_ns
        time.sleep(max(0, round_ns - time.monotonic_ns()) / 1e9)


if __name__ == "__main__":
    main()

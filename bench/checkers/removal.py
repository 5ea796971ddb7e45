"""How soon a server that died is out, and what many deaths at once do to one that lives: both daemons, same file.

Out is what the daemon's own notify FIFO says, which both write when they have taken a server out.
"""

from __future__ import annotations

import os
import socket
import statistics
import time
from pathlib import Path

from bench.checkers.beside import LIVE_S
from bench.checkers.daemon import crowd, favour, running, single
from bench.checkers.live import Live
from bench.checkers.targets import Targets

_STEP_S = 0.043


def deaths(name: str, servers: int, victims: int = 100) -> str:
    """From a server's death to its removal while `servers` others are checked; every check once a second."""
    favour([os.getpid()])
    mortal = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(victims)]
    ports = [one.getsockname()[1] for one in mortal]
    died: dict[int, float] = {}
    with running(name, crowd("tcp", servers, 1) + single(2, ports, 1)) as daemon:
        daemon.until_asked(servers + victims)
        time.sleep(5)
        favour(daemon.checkers())
        early = len(daemon.down)
        for port, one in zip(ports, mortal, strict=True):
            one.close()
            died[port] = time.monotonic()
            time.sleep(_STEP_S)
        time.sleep(4)
        took = [daemon.down[key] - died[key[1]] for key in daemon.down if key[1] in died]
    ms = sorted(1000 * one for one in took)
    if not ms:
        return f"{name:<12}no death was noticed"
    return (
        f"{name:<12}{len(ms)} of {victims} deaths among {servers} servers: median {statistics.median(ms):.0f} ms, "
        f"p99 {ms[max(0, int(len(ms) * 0.99) - 1)]:.0f} ms, worst {ms[-1]:.0f} ms; {early} were down before"
    )


def crash(name: str, servers: int, folder: Path) -> str:
    """`servers` die in one moment: how long one that lives, asked each 100 ms, waits for its next check."""
    favour([os.getpid()])
    live, targets = Live(), Targets(folder, workers=1)
    try:
        favour([live.pid, *targets.pids])
        with running(name, crowd("tcp", servers, 1) + single(2, [live.port], LIVE_S)) as daemon:
            daemon.until_asked(servers)
            time.sleep(5)
            favour(daemon.checkers())
            live.forget()
            time.sleep(4)
            calm_ms = live.worst_ms
            early = len(daemon.down)
            live.forget()
            targets.close()
            died = time.monotonic()
            while len(daemon.down) < servers and time.monotonic() < died + 40:
                time.sleep(0.02)
            all_s = time.monotonic() - died
            time.sleep(1)
            worst_ms = live.worst_ms
            out = len(daemon.down)
    finally:
        targets.close()
        live.close()
    return (
        f"{name:<12}{out} of {servers} servers out {all_s:.1f} s after they died at once ({early} before); a live one "
        f"was asked {worst_ms - LIVE_S * 1000:.0f} ms late at most ({calm_ms - LIVE_S * 1000:.0f} ms before)"
    )

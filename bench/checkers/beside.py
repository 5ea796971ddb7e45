"""What checks cost and how many there can be: keepalived's one checker process and pyhad's, same file, in turns.

The kernel counts the checks (connections begun, pings sent), so that both are counted by the same measure. CPU is of
what checks: keepalived's checker, pyhad's checker with its nursery and its workers.
"""

from __future__ import annotations

import os
import time

from bench.checkers.daemon import crowd, favour, running, single
from bench.checkers.live import Live
from bench.checkers.targets import asked, cpu_s, family, private_kib

HEAD = (
    f"{'daemon':<12}{'kind':<6}{'servers':>8}{'wanted/s':>10}{'made/s':>9}{'CPU':>8}{'us/check':>10}{'per CPU s':>11}"
    f"{'late ms':>9}{'MiB':>8}"
)
LIVE_S = 0.1


def load(name: str, kind: str, servers: int, rate: int, seconds: float) -> str:
    """One line: so many servers, each asked as often as makes `rate` a second, and one asked each 100 ms."""
    favour([os.getpid()])
    live = Live()
    try:
        favour([live.pid])
        with running(name, crowd(kind, servers, servers / rate) + single(2, [live.port], LIVE_S)) as daemon:
            daemon.until_asked(servers, 20 + servers / rate)
            time.sleep(4)  # what was late at first has come by, and what loading took was given back
            favour(daemon.checkers())
            pids = daemon.checkers()
            live.forget()
            before, used, began = asked(), cpu_s(pids), time.monotonic()
            time.sleep(seconds)
            made, spent, wall = asked() - before, cpu_s(pids) - used, time.monotonic() - began
            late_ms = live.worst_ms - LIVE_S * 1000
            kib = private_kib(pids)
    finally:
        live.close()
    return (
        f"{name:<12}{kind:<6}{servers:>8}{rate:>10}{made / wall:>9.0f}{spent / wall:>8.1%}"
        f"{spent / max(made, 1) * 1e6:>10.1f}{made / max(spent, 0.001):>11.0f}{late_ms:>9.1f}{kib / 1024:>8.1f}"
    )


def memory(name: str, kind: str, servers: int, rate: int) -> str:
    """One line: what a real server more takes of memory: so many of them against half as many, asked as often in all.

    Shares of pages (Pss) with all that the checker forks, its script helper too, so that each page counts once.
    """
    found = []
    for number in (servers // 2, servers):
        with running(name, crowd(kind, number, number / rate)) as daemon:
            daemon.until_asked(number * 3 // 2)
            time.sleep(12)  # what loading took, and many at once, is given back by then
            pids = daemon.checkers()
            found.append((private_kib(family(pids[0]), ("Pss:",)), len(pids)))
    (half, _), (whole, processes) = found
    return (
        f"{name:<12}{kind:<6}{servers:>8} servers: {whole / 1024:.1f} MiB in {processes} processes, "
        f"{(whole - half) / (servers - servers // 2):.1f} kB for each more"
    )

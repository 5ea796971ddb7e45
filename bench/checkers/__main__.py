"""How many checks the checker makes per CPU second, and how late: TCP, HTTP, TLS and ping against nginx on loopback.

    python -m bench.checkers [--loads tcp:1000:1000,http:10000:10000] [--workers 0,2] [--deaths 10000]

Root; it makes a network namespace for itself. The real processes, unprivileged, in their real loops.
`KIND:SERVERS:RATE`: so many servers, asked so often in all per second. nginx has the same cores and does not count;
`us/check` is user and system time, the kernel's part of loopback included. `kB/server`: private memory above that of
one server, all processes. `late`: of their timers, as they measure it themselves.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
from pathlib import Path

from bench.checkers.alone import HEAD, all_at_once, deaths, load
from bench.checkers.targets import Targets

_CLONE_NEWNET = 0x40000000
LOADS = ",".join(
    ("tcp:1000:1000", "http:1000:1000", "tls:1000:200", "ping:1000:1000", "tcp:10000:10000", "http:10000:10000",
     "ping:10000:10000", "tcp:10000:50000", "ping:10000:50000")
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loads", default=LOADS)
    parser.add_argument("--workers", default="0,2")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--deaths", type=int, default=10_000)
    options = parser.parse_args()
    if ctypes.CDLL(None).unshare(_CLONE_NEWNET) != 0:
        raise SystemExit("it takes root to make a network namespace")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    counts = [int(count) for count in options.workers.split(",")]
    with tempfile.TemporaryDirectory(prefix="pyhad-bench-") as name:
        targets = Targets(Path(name))
        try:
            print(HEAD)
            for one in filter(None, options.loads.split(",")):
                kind, servers, rate = one.split(":")
                for workers in counts:
                    print(load(kind, int(servers), int(rate), options.seconds, workers), flush=True)
            if options.deaths:
                for workers in counts:
                    print(deaths(options.deaths, workers), flush=True)
                for workers in counts:
                    print(all_at_once(options.deaths, workers, targets), flush=True)
                    targets.close()
                    targets = Targets(Path(name))
        finally:
            targets.close()


if __name__ == "__main__":
    main()

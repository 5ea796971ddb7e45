"""What checks cost, how many there can be, how late they are and how soon a death counts: pyhad beside keepalived.

    python -m bench.checkers [load|most|memory|deaths|crash ...] [--loads tcp:1000:1000] [--daemons pyhad,keepalived]
    python -m bench.checkers alone [--workers 0,2]         # the checker process without a daemon around it

Root; it makes a network namespace for itself. Both daemons run whole, with the same file, one after the other.
`KIND:SERVERS:RATE`: so many servers, asked so often in all per second. What answers has the same cores and does not
count; `us/check` is user and system time, the kernel's part of loopback included. `late`: what a server that is asked
each 100 ms waited at most, less those. Where the kernel has no IPVS, keepalived's orders to it are taken by a stub and
pyhad balances by nftables. Where it is permitted all this comes before whatever else the machine does.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.checkers import alone, beside, removal
from bench.checkers.daemon import NAMES, favour
from bench.checkers.targets import Targets

_CLONE_NEWNET = 0x40000000
_UNTRACKED = "table ip bench {{ chain {0} {{ type filter hook {0} priority raw;\n notrack\n }}\n}}\n"
"""Balancing by nftables makes the kernel keep a record of each connection, IPVS does not: it is not to be measured."""
PARTS = ("load", "most", "memory", "deaths", "crash")
LOADS = {
    "load": "tcp:1000:1000,http:1000:1000,tls:1000:200,ping:1000:1000,tcp:10000:10000,http:10000:5000,ping:10000:10000",
    "most": "tcp:10000:50000,http:10000:50000,tls:2000:5000,ping:10000:50000",
    "memory": "tcp:10000:1000,http:10000:1000,tls:2000:200,ping:10000:1000",
    "alone": "tcp:1000:1000,http:1000:1000,tls:1000:200,ping:1000:1000,tcp:10000:10000,http:10000:10000",
}


def lines(part: str, options: argparse.Namespace, folder: Path) -> Iterator[str]:
    """One after the other, as they are measured."""
    loads = [one.split(":") for one in (options.loads or LOADS.get(part, "")).split(",") if one]
    daemons = options.daemons.split(",")
    if part in ("load", "most"):
        yield beside.HEAD
        for kind, servers, rate in loads:
            for name in daemons * options.rounds:
                yield beside.load(name, kind, int(servers), int(rate), options.seconds)
    elif part == "memory":
        for kind, servers, rate in loads:
            for name in daemons:
                yield beside.memory(name, kind, int(servers), int(rate))
    elif part == "deaths":
        for name in daemons:
            yield removal.deaths(name, options.deaths)
    else:
        yield alone.HEAD
        for kind, servers, rate in loads:
            for workers in options.workers.split(","):
                yield alone.load(kind, int(servers), int(rate), options.seconds, int(workers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, choices=(*PARTS, "alone"))
    parser.add_argument("--loads", default="")
    parser.add_argument("--daemons", default=",".join(NAMES))
    parser.add_argument("--workers", default="0,2")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=1, help="of load and most, the daemons in turns")
    parser.add_argument("--deaths", type=int, default=10_000)
    options = parser.parse_args()
    if ctypes.CDLL(None).unshare(_CLONE_NEWNET) != 0:
        raise SystemExit("it takes root to make a network namespace")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for hook in () if Path("/proc/net/ip_vs").exists() else ("output", "prerouting"):
        subprocess.run(["nft", _UNTRACKED.format(hook)], check=True)
    favour([os.getpid()])
    with tempfile.TemporaryDirectory(prefix="pyhad-bench-") as name:
        for part in options.parts:
            print(f"-- {part}, load {os.getloadavg()[0]:.1f}", flush=True)
            if part == "crash":
                for daemon in options.daemons.split(","):
                    print(removal.crash(daemon, options.deaths, Path(name)), flush=True)
                continue
            targets = Targets(Path(name))
            try:
                favour(targets.pids)
                for line in lines(part, options, Path(name)):
                    print(line, flush=True)
            finally:
                targets.close()


if __name__ == "__main__":
    main()

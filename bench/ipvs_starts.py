"""How long pyhad and keepalived take from their start to the whole table of IPVS: both in turns, several times.

    tests/vm/lab-kernel --timeout 900 -- .venv/bin/python -m bench.ipvs_starts [--rounds 4] [SERVICESxSERVERS ...]

It empties the IPVS table of its network namespace. Other work on the machine only ever adds to a time, so that
the least of all rounds says most. `less 1x1`: without what a start with one server takes.
"""

from __future__ import annotations

import argparse
import collections
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.ipvs import SIZES, Keepalived, Pyhad, Witness, configuration
from pyhad.ipvs_proc.kernel import IpvsPlane


def start_s(kind: Callable[[Path, Path], Keepalived | Pyhad], services: int, servers: int) -> float:
    """From the start of the program to the whole table; then it is stopped."""
    plane = IpvsPlane()
    plane.flush()
    text = configuration(services, servers)
    with tempfile.TemporaryDirectory() as name:
        folder, config = Path(name), Path(name) / "k.conf"
        folder.chmod(0o755)
        config.write_text(text)
        began = time.monotonic()
        daemon = kind(folder, config)
        Witness(plane).wait(services * servers, text.rpartition("virtual_server ")[2].split()[0])
        took = time.monotonic() - began
        daemon.process.terminate()
        daemon.process.wait(60)
    plane.close()
    return took


def starts(sizes: list[str], rounds: int) -> None:
    """Starts in turns. What other work adds is noise that never takes away: the least of the rounds says most."""
    all_sizes = ["1x1", *sizes]
    found: dict[tuple[str, str], list[float]] = collections.defaultdict(list)
    for _ in range(rounds):
        for size in all_sizes:
            for kind in (Keepalived, Pyhad):
                services, servers = (int(part) for part in size.split("x"))
                found[kind.name, size].append(start_s(kind, services, servers))
    print(f"{'start to whole table, s':26}{'keepalived':>24}{'pyhad':>24}{'less 1x1: ratio':>18}")
    for size in all_sizes:
        texts, net = [], []
        for kind in (Keepalived, Pyhad):
            took = sorted(found[kind.name, size])
            net.append(took[0] - min(found[kind.name, "1x1"]))
            texts.append(f"{took[0]:.2f} (median {took[len(took) // 2]:.2f})")
        ratio = f"{net[1]:.2f}/{net[0]:.2f} = {net[1] / net[0]:.2f}" if net[0] > 0 else ""
        print(f"{size:26}{texts[0]:>24}{texts[1]:>24}{ratio:>18}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", default=SIZES, metavar="SERVICESxSERVERS")
    parser.add_argument("--rounds", type=int, default=4)
    given = parser.parse_args()
    starts(list(given.sizes), given.rounds)

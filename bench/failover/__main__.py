"""Every fault, for every pair of daemons: longest gap of a client that asks each 2 ms; how long two held the VIP.

python -m bench.failover [--runs N] [--interval SECONDS ...] [--fault NAME ...] [--pair MASTER/BACKUP ...]
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

from bench.failover.pair import FAULTS, Pair, Setting
from tests.lab.net import Lab, LabError, require_root

PAIRS = ("keepalived/keepalived", "pyhad/pyhad", "pyhad/keepalived", "keepalived/pyhad")


def once(kinds: tuple[str, str], setting: Setting, fault: str) -> tuple[float, float]:
    """(longest gap in ms, time with two holders in ms) of one run."""
    with tempfile.TemporaryDirectory(prefix="pyhad-bench.") as name, Lab() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        pair = Pair(lab, folder, kinds, setting)
        since_ns = time.monotonic_ns()
        FAULTS[fault](pair)
        both_s = pair.both_s(setting.down_s + 1.5)
        return pair.longest_gap_ms(since_ns), both_s * 1000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.failover", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--interval", type=float, action="append", help="seconds; below 1 s version 3 is used")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--pair", action="append", choices=PAIRS)
    return parser.parse_args()


def main() -> None:
    """Prints a row per fault and setting: median (worst) gap per pair."""
    require_root()
    wish = arguments()
    pairs = wish.pair or list(PAIRS)
    print(f"median (worst) of {wish.runs} runs, ms without an answer; '+N' two nodes held the address for N ms")
    print(f"{'fault':<26}{'setting':<12}" + "".join(f"{pair:>26}" for pair in pairs))
    for interval_s, fault in itertools.product(wish.interval or [1.0, 0.1], wish.fault or list(FAULTS)):
        setting = Setting(2 if interval_s >= 1 else 3, interval_s)
        cells = []
        for pair in pairs:
            master, _, backup = pair.partition("/")
            results = [attempt((master, backup), setting, fault) for _ in range(wish.runs)]
            gaps = [gap for gap, _ in results]
            both = statistics.median(held for _, held in results)
            cells.append(f"{statistics.median(gaps):.0f} ({max(gaps):.0f})" + (f" +{both:.0f}" if both else ""))
        print(f"{fault:<26}{setting!s:<12}" + "".join(f"{cell:>26}" for cell in cells), flush=True)


def attempt(kinds: tuple[str, str], setting: Setting, fault: str) -> tuple[float, float]:
    """A run whose lab did not come up is tried once more."""
    try:
        return once(kinds, setting, fault)
    except LabError:
        return once(kinds, setting, fault)


if __name__ == "__main__":
    main()

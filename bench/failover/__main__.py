"""Every fault, for every pair of daemons: what a client, both nodes and a third that only listens saw of it.

    python -m bench.failover [--runs N] [--jobs N] [--interval SECONDS ...] [--fault NAME ...]
                             [--pair MASTER/BACKUP ...] [--json FILE] [--pictures FOLDER]
    python -m bench.failover --from-json FILE ... [--pictures FOLDER]

A round is one pair of nodes that goes through all faults, made whole and left in peace between them; `--jobs` rounds
run side by side, each in namespaces of its own.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from bench.failover.faults import FAULTS
from bench.failover.pair import Pair, Setting
from bench.failover.picture import draw
from bench.failover.results import Run, append, cells_of, read, table
from tests.lab.net import Lab, LabError, require_root

PAIRS = ("keepalived/keepalived", "pyhad/pyhad", "pyhad/keepalived", "keepalived/pyhad")


def play(pair: Pair, name: str, fault: str) -> Run:
    """One fault, and peace again."""
    chosen, setting = FAULTS[fault], pair.setting
    since_ns = time.monotonic_ns()
    chosen.do(pair)
    time.sleep(setting.down_s + chosen.watch_s)
    sight, until_ns = pair.look(), time.monotonic_ns()
    both_ns, for_ever = sight.both_ns(since_ns, until_ns)
    run = Run(
        fault=fault,
        setting=str(setting),
        pair=name,
        gap_ms=sight.longest_gap_ns(since_ns, until_ns) / 1e6,
        both_ms=both_ns / 1e6,
        for_ever=for_ever,
        transitions=sight.transitions(since_ns, until_ns, int(setting.least_down_s * 1e9)),
    )
    chosen.mend(pair)
    pair.settle()
    return run


def play_all(name: str, setting: Setting, faults: Sequence[str], seed: int) -> tuple[list[Run], list[str]]:
    """One round, the faults in an order of its own, and what went wrong; a pair that finds no peace is made anew."""
    master, _, backup = name.partition("/")
    left, runs, troubles = list(faults), list[Run](), list[str]()
    random.Random(seed).shuffle(left)
    while left and len(troubles) < 3:
        try:
            with tempfile.TemporaryDirectory(prefix="pyhad-bench.") as place, Lab() as lab:
                folder = Path(place)
                folder.chmod(0o755)
                pair = Pair(lab, folder, (master, backup), setting)
                while left:
                    runs.append(play(pair, name, left[0]))
                    left.pop(0)
        except (LabError, OSError, StopIteration) as error:
            troubles.append(f"{name} {setting} {left[0]}: {error!r}")
    return runs, troubles


def measure(wish: argparse.Namespace) -> list[Run]:
    """All that was asked for; a mix of the pairs at any time, so that none has the quiet hour."""
    settings = [Setting(2 if interval_s >= 1 else 3, interval_s) for interval_s in wish.interval or [1.0, 0.1, 0.01]]
    rounds = itertools.product(settings, range(wish.runs), wish.pair or PAIRS)
    runs: list[Run] = []
    with ProcessPoolExecutor(wish.jobs) as pool:
        waiting = [
            pool.submit(play_all, pair, setting, wish.fault or list(FAULTS), seed)
            for seed, (setting, _, pair) in enumerate(rounds, wish.seed)
        ]
        for number, done in enumerate(as_completed(waiting), 1):
            found, troubles = done.result()
            runs += found
            for run in found if wish.json else ():
                append(wish.json, run)
            for trouble in troubles:
                print(f"not measured: {trouble}", file=sys.stderr)
            print(f"{number} of {len(waiting)} rounds", file=sys.stderr, flush=True)
    return runs


def show(runs: list[Run], folder: Path | None) -> None:
    """Tables to standard output, pictures where they are wanted."""
    print(
        "ms without an answer, median (worst); +N: two nodes held the address for N ms; *N: the master changed N times"
    )
    cells = cells_of(runs)
    for setting in dict.fromkeys(cell.setting for cell in cells):
        print(f"\n{table(cells, setting, FAULTS, PAIRS)}")
        if folder is not None:
            (folder / f"failover-{setting.replace(' ', '-')}.svg").write_text(draw(cells, setting, tuple(FAULTS)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.failover", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3, help="of each cell of the table (3)")
    parser.add_argument("--jobs", type=int, default=2, help="rounds side by side (2)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the faults")
    parser.add_argument("--interval", type=float, action="append", help="seconds; below 1 s version 3 is used")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--pair", action="append", choices=PAIRS)
    parser.add_argument("--json", type=Path, help="append every run to this file")
    parser.add_argument("--from-json", type=Path, action="append", help="measure nothing, show what these files have")
    parser.add_argument("--pictures", type=Path, help="draw failover-*.svg into this folder")
    return parser.parse_args()


def main() -> None:
    """Prints a row per fault and setting: median (worst) per pair."""
    wish = arguments()
    if wish.from_json:
        show(read(wish.from_json), wish.pictures)
        return
    require_root()
    show(measure(wish), wish.pictures)


if __name__ == "__main__":
    main()

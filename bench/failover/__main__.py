"""Every fault, for every pair of daemons: what a client, both nodes and a third that only listens saw of it.

python -m bench.failover [--runs N] [--interval SECONDS ...] [--fault NAME ...] [--pair MASTER/BACKUP ...]
                         [--json FILE] [--pictures FOLDER]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from bench.failover.faults import FAULTS
from bench.failover.listener import transitions
from bench.failover.pair import Pair, Setting
from bench.failover.picture import Cell, draw
from tests.lab.net import Lab, LabError, require_root

PAIRS = ("keepalived/keepalived", "pyhad/pyhad", "pyhad/keepalived", "keepalived/pyhad")


def once(kinds: tuple[str, str], setting: Setting, fault: str) -> tuple[float, float, int]:
    """(longest gap in ms, time with two holders in ms, changes of the master that were heard) of one run."""
    with tempfile.TemporaryDirectory(prefix="pyhad-bench.") as name, Lab() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        pair = Pair(lab, folder, kinds, setting)
        since_ns = time.monotonic_ns()
        FAULTS[fault](pair)
        both_s = pair.both_s(setting.down_s + 1.5)
        return pair.longest_gap_ms(since_ns), both_s * 1000, transitions(pair.heard.read_text(), since_ns)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.failover", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--interval", type=float, action="append", help="seconds; below 1 s version 3 is used")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--pair", action="append", choices=PAIRS)
    parser.add_argument("--json", type=Path, help="write every run to this file")
    parser.add_argument("--pictures", type=Path, help="draw failover-*.svg into this folder")
    return parser.parse_args()


def main() -> None:
    """Prints a row per fault and setting: median (worst) gap per pair."""
    require_root()
    wish = arguments()
    pairs = wish.pair or list(PAIRS)
    print(f"median (worst) of {wish.runs} runs, ms without an answer; +N: two nodes held the address for N ms;")
    print("*N: a third node heard the master change N times")
    print(f"{'fault':<26}{'setting':<12}" + "".join(f"{pair:>26}" for pair in pairs))
    cells: list[Cell] = []
    for interval_s, fault in itertools.product(wish.interval or [1.0, 0.1, 0.01], wish.fault or list(FAULTS)):
        setting = Setting(2 if interval_s >= 1 else 3, interval_s)
        row = [measure(pair, setting, fault, wish.runs) for pair in pairs]
        print(f"{fault:<26}{setting!s:<12}" + "".join(f"{words(cell):>26}" for cell in row), flush=True)
        cells += row
        keep(cells, wish.json, wish.pictures)


def measure(pair: str, setting: Setting, fault: str, runs: int) -> Cell:
    """All runs of one cell of the table."""
    master, _, backup = pair.partition("/")
    gaps, both, changes = zip(*(attempt((master, backup), setting, fault) for _ in range(runs)), strict=True)
    return Cell(
        fault=fault, setting=str(setting), pair=pair,
        gaps_ms=tuple(gaps), both_ms=tuple(both), transitions=tuple(changes),
    )  # fmt: skip


def words(cell: Cell) -> str:
    """One cell of the table."""
    both, changes = statistics.median(cell.both_ms), statistics.median(cell.transitions)
    text = f"{statistics.median(cell.gaps_ms):.0f} ({max(cell.gaps_ms):.0f})"
    return text + (f" +{both:.0f}" if both else "") + (f" *{changes:.0f}" if changes else "")


def keep(cells: list[Cell], file: Path | None, folder: Path | None) -> None:
    """After each row, so that an interrupted run has not been for nothing."""
    if file is not None:
        file.write_text(json.dumps([asdict(cell) for cell in cells], indent=1) + "\n")
    if folder is not None:
        for setting in dict.fromkeys(cell.setting for cell in cells):
            (folder / f"failover-{setting.replace(' ', '-')}.svg").write_text(draw(cells, setting))


def attempt(kinds: tuple[str, str], setting: Setting, fault: str) -> tuple[float, float, int]:
    """A run whose lab did not come up is tried once more."""
    try:
        return once(kinds, setting, fault)
    except LabError:
        return once(kinds, setting, fault)


if __name__ == "__main__":
    main()

"""What single runs gave, as lines of JSON that several programs may append to, and as a table. Measures nothing."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One fault, once."""

    fault: str
    setting: str
    pair: str
    gap_ms: float
    """Longest time without an answer."""
    both_ms: float
    """For how long two nodes held the address."""
    for_ever: bool
    """They still did when nobody looked any more."""
    transitions: int
    """How often a third node heard the master change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """All runs of one fault with one pair at one setting."""

    fault: str
    setting: str
    pair: str
    runs: tuple[Run, ...]

    @property
    def gap_ms(self) -> float:
        """Median."""
        return statistics.median(run.gap_ms for run in self.runs)

    @property
    def worst_gap_ms(self) -> float:
        return max(run.gap_ms for run in self.runs)

    def words(self) -> str:
        """`median (worst)` of the gap, `+median (worst)` of two holders, `*median (worst)` of the changes heard."""
        return " ".join([f"{self.gap_ms:.0f} ({self.worst_gap_ms:.0f})", *self._both(), *self._changes()])

    def _both(self) -> list[str]:
        if sum(run.for_ever for run in self.runs) * 2 > len(self.runs):
            return ["+ever"]
        worst = max(run.both_ms for run in self.runs)
        median = statistics.median(run.both_ms for run in self.runs)
        ever = any(run.for_ever for run in self.runs)
        return [f"+{median:.0f} ({'ever' if ever else f'{worst:.0f}'})"] if worst >= 1 else []

    def _changes(self) -> list[str]:
        worst = max(run.transitions for run in self.runs)
        return [f"*{statistics.median(run.transitions for run in self.runs):.0f} ({worst})"] if worst else []


def append(file: Path, run: Run) -> None:
    """One line, written at once."""
    with file.open("ab", buffering=0) as lines:
        os.write(lines.fileno(), (json.dumps(asdict(run)) + "\n").encode())


def read(files: Iterable[Path]) -> list[Run]:
    """All runs of all files."""
    return [Run(**json.loads(line)) for file in files for line in file.read_text().splitlines()]


def cells_of(runs: Iterable[Run]) -> list[Cell]:
    """Gathered, in the order of their first run."""
    found: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        found.setdefault((run.fault, run.setting, run.pair), []).append(run)
    return [
        Cell(fault=fault, setting=setting, pair=pair, runs=tuple(gathered))
        for (fault, setting, pair), gathered in found.items()
    ]


def table(cells: Iterable[Cell], setting: str, faults: Iterable[str], pairs: Iterable[str]) -> str:
    """Of one setting, in Markdown: a row a fault, a column a pair; and how many runs the cells have."""
    chosen = {(cell.fault, cell.pair): cell for cell in cells if cell.setting == setting}
    there = [pair for pair in pairs if any(found == pair for _, found in chosen)]
    lines = [f"| {setting} | " + " | ".join(there) + " |", "|---" * (len(there) + 1) + "|"]
    for fault in faults:
        row = [chosen[fault, pair].words() if (fault, pair) in chosen else "" for pair in there]
        if any(row):
            lines.append(f"| {fault} | " + " | ".join(row) + " |")
    counts = sorted({len(cell.runs) for cell in chosen.values()})
    lines += ["", f"Runs of each cell: {counts[0]}" + (f" to {counts[-1]}." if counts[-1] > counts[0] else ".")]
    return "\n".join(lines)

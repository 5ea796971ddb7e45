"""What the client saw: its lines as numbers."""

from __future__ import annotations

import collections
import itertools
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. Times are CLOCK_MONOTONIC ns."""

    start_ns: int
    end_ns: int
    ok: bool
    detail: str
    """The server that answered, or why it was lost."""


@dataclass(frozen=True, slots=True)
class Window:
    """The requests between two moments."""

    requests: int
    lost: int
    longest_gap_ms: float
    """Longest time between two good answers (the pace alone makes it some 10 ms)."""
    servers: dict[str, int]


def read(log: Path) -> list[Outcome]:
    """All outcomes so far, in order of their end."""
    outcomes = []
    for line in log.read_text().splitlines():
        words = line.split(maxsplit=3)
        if len(words) == 4 and words[0].isdigit() and words[1].isdigit():
            outcomes.append(Outcome(int(words[0]), int(words[1]), words[2] == "ok", words[3]))
    return outcomes


def between(outcomes: list[Outcome], from_ns: int, to_ns: int) -> Window:
    """Requests that ended in the window; the gap also counts from the last good answer before it."""
    good_ns = [o.end_ns for o in outcomes if o.ok and o.end_ns <= to_ns]
    inside = [at for at in good_ns if at >= from_ns]
    before = [at for at in good_ns if at < from_ns]
    points = [max(before, default=from_ns), *sorted(inside)]
    if not inside:
        points.append(to_ns)
    gaps = [later - earlier for earlier, later in itertools.pairwise(points)]
    window = [o for o in outcomes if from_ns <= o.start_ns and o.end_ns <= to_ns]
    return Window(
        requests=len(window),
        lost=sum(not o.ok for o in window),
        longest_gap_ms=max(gaps, default=0) / 1e6,
        servers=dict(collections.Counter(o.detail for o in window if o.ok)),
    )

"""`python -m tests.sim --seeds 1000 --first 0`: many lives, one line at the end; `--trace` prints the dialogue."""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
import time
from dataclasses import dataclass, field

from tests.sim.life import live
from tests.sim.reloads import reload
from tests.sim.scenario import run

KINDS = {"": run, " --machines": live, " --reloads": reload}
_PER_TASK = 50


@dataclass
class Score:
    """Of some seeds. `complaints` has the error and the command that replays it of each that went wrong."""

    steps: int = 0
    transitions: int = 0
    complaints: list[str] = field(default_factory=list)


def play(seeds: range, *, kind: str, trace: bool) -> Score:
    """One after the other."""
    score = Score()
    for seed in seeds:
        try:
            outcome = KINDS[kind](seed, print if trace else None)
        except Exception as error:
            again = f"python -m tests.sim --first {seed} --seeds 1 --trace{kind}"
            score.complaints.append(f"seed {seed}: {type(error).__name__}: {error}\n  {again}")
            continue
        score.steps += outcome.steps
        score.transitions += outcome.transitions
    return score


def main() -> int:
    """0 when every seed came right, else 1, with the command that replays each that did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (200)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--jobs", type=int, default=1, help="play in so many processes (1)")
    parser.add_argument("--seconds", type=float, default=0, help="begin no more after this time (0: play all)")
    parser.add_argument("--machines", action="store_true", help="whole machines (life.py) instead of routers alone")
    parser.add_argument("--reloads", action="store_true", help="pairs of configurations, reload against fresh start")
    parser.add_argument("--trace", action="store_true", help="print every event and effect")
    options = parser.parse_args()
    kind = " --machines" if options.machines else " --reloads" if options.reloads else ""
    begin, end = time.monotonic(), options.first + options.seeds
    tasks = [range(first, min(first + _PER_TASK, end)) for first in range(options.first, end, _PER_TASK)]
    work = functools.partial(play, kind=kind, trace=options.trace)
    played, total = 0, Score()
    with multiprocessing.Pool(options.jobs) as pool:
        scores = pool.imap(work, tasks) if options.jobs > 1 else map(work, tasks)
        for seeds, score in zip(tasks, scores, strict=False):
            played += len(seeds)
            total.steps += score.steps
            total.transitions += score.transitions
            total.complaints += score.complaints
            print(*score.complaints, sep="\n", end="\n" if score.complaints else "", flush=True)
            if options.seconds and time.monotonic() - begin > options.seconds:
                break
    figures = f"{len(total.complaints)} bad, {total.steps} steps, {total.transitions} take-overs"
    elapsed_s = time.monotonic() - begin
    print(f"{played} seeds, {figures} in {elapsed_s:.1f} s ({played / elapsed_s:.0f} seeds/s)")
    return 1 if total.complaints else 0


if __name__ == "__main__":
    sys.exit(main())

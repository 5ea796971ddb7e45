"""`python -m tests.sim --seeds 1000 --first 0`: many lives, one line at the end; `--trace` prints the dialogue."""

from __future__ import annotations

import argparse
import sys
import time

from tests.sim.life import live
from tests.sim.reloads import reload
from tests.sim.scenario import run


def main() -> int:
    """0 when every seed came right, else 1, with the command that replays each that did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (200)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--machines", action="store_true", help="whole machines (life.py) instead of routers alone")
    parser.add_argument("--reloads", action="store_true", help="pairs of configurations, reload against fresh start")
    parser.add_argument("--trace", action="store_true", help="print every event and effect")
    options = parser.parse_args()
    play, more = (live, " --machines") if options.machines else (reload, " --reloads") if options.reloads else (run, "")
    begin, bad, steps, transitions = time.monotonic(), 0, 0, 0
    for seed in range(options.first, options.first + options.seeds):
        try:
            outcome = play(seed, print if options.trace else None)
        except Exception as error:
            bad += 1
            print(f"seed {seed}: {type(error).__name__}: {error}")
            print(f"  python -m tests.sim --first {seed} --seeds 1 --trace{more}")
            continue
        steps += outcome.steps
        transitions += outcome.transitions
    elapsed_s = time.monotonic() - begin
    print(f"{options.seeds} seeds, {bad} bad, {steps} steps, {transitions} take-overs in {elapsed_s:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

"""Many lives. A failure names its seed; `python -m tests.sim --first SEED --seeds 1 --trace` tells the whole story."""

from __future__ import annotations

import os

import pytest

from tests.sim.scenario import run

SEEDS = int(os.environ.get("PYHAD_SIM_SEEDS", "200"))
_PER_TEST = 25


@pytest.mark.parametrize("first", range(0, SEEDS, _PER_TEST))
def test_every_life_keeps_the_invariants_and_comes_right(first: int) -> None:
    refused = 0
    for seed in range(first, first + _PER_TEST):
        try:
            refused += run(seed).refused
        except Exception:
            print(f"seed {seed} failed; replay: python -m tests.sim --first {seed} --seeds 1 --trace")
            raise
    assert refused == 0, "our own advertisements pass our own checks"


def test_a_seed_is_a_whole_life() -> None:
    lines: list[str] = []
    once, again = run(7, lines.append), run(7)
    assert once == again
    assert once.transitions > 0
    assert any(" << ChangeState(" in line for line in lines)

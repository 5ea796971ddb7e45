"""The targets of the fuzzer with some thousand blindly changed inputs; `python -m tests.fuzz` gives them millions."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.__main__ import changed, seeds_of
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize(
    ("name", "inputs"), [("packet", 5000), ("machine", 1000), ("configuration", 100), ("response", 3000)]
)
def test_nothing_is_raised_whatever_the_bytes_are(name: str, inputs: int) -> None:
    chance, seeds = random.Random(1), seeds_of(name)
    for _ in range(inputs):
        data = changed(chance.choice(seeds), chance)
        try:
            TARGETS[name](data)
        except Exception:
            print(f"failed with {data.hex()}")
            raise


def test_a_seed_passes_every_check_so_that_changed_ones_get_far() -> None:
    assert len(seeds_of("packet")) == 10
    for seed in seeds_of("packet"):
        TARGETS["packet"](seed)

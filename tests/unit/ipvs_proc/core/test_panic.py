"""Who stays in although it failed."""

from __future__ import annotations

import pytest

from pyhad.ipvs_proc.core.panic import kept_in

DOWN = [("a", 10), ("b", 30), ("c", 20), ("d", 30)]


@pytest.mark.parametrize(
    ("up", "able", "percent", "kept"),
    [
        (2, 6, 0, ""),
        (2, 6, 33, ""),
        (2, 6, 34, "b"),
        (2, 6, 50, "b"),
        (2, 6, 51, "bd"),
        (2, 6, 100, "abcd"),
        (0, 4, 1, "b"),
        (0, 4, 75, "bcd"),
        (6, 6, 100, ""),
    ],
)
def test_those_that_failed_last_stay_until_the_share_is_reached(up: int, able: int, percent: int, kept: str) -> None:
    assert kept_in(DOWN, up, able, percent) == frozenset(kept)


def test_there_may_be_fewer_than_are_missing() -> None:
    assert kept_in([("a", 1)], 0, 10, 50) == {"a"}

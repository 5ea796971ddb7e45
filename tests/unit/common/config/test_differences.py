"""The list of explained differences is usable as data and as documentation."""

from __future__ import annotations

import re

from pyhad.common.config.differences import DIFFERENCES, difference_tables


def test_every_difference_has_an_id_of_its_own() -> None:
    ids = [one.id for one in DIFFERENCES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"DIF-[0-9]+", id) for id in ids)


def test_every_difference_explains_one_side_by_a_pattern_that_compiles() -> None:
    for one in DIFFERENCES:
        assert bool(one.ours) != bool(one.theirs), one.id
        re.compile(one.ours or one.theirs)


def test_no_pattern_explains_everything() -> None:
    for one in DIFFERENCES:
        assert not re.search(one.ours or one.theirs, "an unforeseen sentence"), one.id


def test_the_tables_hold_each_difference_once_and_no_cell_breaks_them() -> None:
    rows = [line for line in difference_tables().splitlines() if line.startswith("| DIF-")]
    assert len(rows) == len(DIFFERENCES)
    assert all(row.count("|") == 6 for row in rows)

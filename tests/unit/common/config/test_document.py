"""The keyword table as markdown."""

from __future__ import annotations

import pytest

from pyhad.common.config.document import keyword_tables, refreshed
from pyhad.common.config.keywords import TABLE


def test_every_row_stands_in_the_tables() -> None:
    page = keyword_tables()
    assert sum(line.startswith("| `") for line in page.splitlines()) == len(TABLE)
    assert "| `priority` | N | 255 if state MASTER else 100 | 1..255 | acts | Base priority" in page


def test_no_cell_breaks_its_table() -> None:
    for line in keyword_tables().splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 7, line


def test_only_what_stands_between_the_markers_is_made_anew() -> None:
    page = "before\n<!-- keywords begin -->\nold\n<!-- keywords end -->\nafter\n"
    fresh = refreshed(page)
    assert fresh.startswith("before\n<!-- keywords begin -->\n")
    assert fresh.endswith("<!-- keywords end -->\nafter\n")
    assert "old\n" not in fresh
    assert refreshed(fresh) == fresh


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        refreshed("nothing here")

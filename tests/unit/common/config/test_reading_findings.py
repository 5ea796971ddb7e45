"""The bounded list of what reading has to say."""

from __future__ import annotations

import pytest

from pyhad.common.config.reading_findings import MAX_FINDINGS, Findings, Place, ReadingStopped
from pyhad.common.config.source import Location, Severity, Trouble

AT = Location("f", 3, 2, "text")


def test_a_place_with_a_column_is_a_location() -> None:
    place = Place("f", 3, "text", ("before",))
    assert place.at(2) == Location("f", 3, 2, "text", ("before",))
    assert place.step("included") == "included at f:3"
    assert place.reached("a", "b").via == ("before", "a", "b")


def test_past_the_bound_it_says_once_that_there_is_more() -> None:
    findings = Findings()
    for _ in range(MAX_FINDINGS + 5):
        findings.error(Trouble.BRACE, "x", AT)
    assert len(findings.diagnostics) == MAX_FINDINGS + 1
    assert findings.diagnostics[-1].message == f"more than {MAX_FINDINGS} problems: the rest is not shown"


def test_stopping_records_why() -> None:
    findings = Findings()
    with pytest.raises(ReadingStopped):
        findings.stop("too much", AT, "less")
    (said,) = findings.diagnostics
    assert (said.severity, said.message, said.hint) == (Severity.ERROR, "too much: reading stops here", "less")

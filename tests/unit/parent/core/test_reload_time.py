"""When a scheduled reload is due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pyhad.parent.core.reload_time import Appointment, appointment

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.behaviour("REL-6")
@pytest.mark.parametrize(
    ("text", "at", "daily"),
    [
        ("12:00:01\n", datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC), True),
        ("12:00:00", datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC), True),
        ("03:30:00", datetime(2026, 11, 23, 3, 30, 0, tzinfo=UTC), True),
        ("26-11-22 12:00:01", datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC), False),
        ("  2027-01-02 03:04:05  ", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC), False),
    ],
)
def test_a_time_or_a_date_to_come_is_an_appointment(text: str, at: datetime, daily: bool) -> None:
    assert appointment(text, NOW) == Appointment(at=at, daily=daily)


@pytest.mark.behaviour("REL-6")
@pytest.mark.parametrize(
    "text", ["2026-11-22 12:00:00", "25-12-31 00:00:00", "", "noon", "25:00:00", "12:00", "12:00:01 or so", "\0"]
)
def test_what_has_passed_or_is_no_time_is_none(text: str) -> None:
    assert appointment(text, NOW) is None

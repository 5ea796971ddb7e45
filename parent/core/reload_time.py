"""When a scheduled reload is due (REL-6). Pure: text and wall clock in, a moment out.

Moments are what a clock on the wall shows; they bear UTC only because a moment must bear something.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyhad.common.records import dataclass

_DATES = ("%Y-%m-%d %H:%M:%S", "%y-%m-%d %H:%M:%S")
_TIME = "%H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """`at` is local time. `daily`: only a time was given, so it can be kept each day."""

    at: datetime
    daily: bool


def appointment(text: str, now: datetime) -> Appointment | None:
    """None for what is neither form, and for a date that has passed; a time that has passed today means tomorrow."""
    words = text.strip()
    for form in _DATES:
        try:
            at = datetime.strptime(words, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return Appointment(at=at, daily=False) if at > now else None
    try:
        clock = datetime.strptime(words, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    at = now.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    return Appointment(at=at if at > now else at + timedelta(days=1), daily=True)

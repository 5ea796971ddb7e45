"""What the parent tells the control process of a reload that waits for its confirmation. One notice, no decision."""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class ConfirmationState(enum.StrEnum):
    """Of the last reload."""

    NONE = "none"
    """There is nothing to confirm."""
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    GOING_BACK = "going back"
    """The time is up; the configuration before is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationNotice:
    """parent -> control, in the memfd of the word `confirmation`: at each change, and to a new control process."""

    state: ConfirmationState
    until_ns: int = 0
    """WAITING: CLOCK_MONOTONIC when it goes back."""

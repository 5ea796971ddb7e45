"""What a check wants done: imperatives, performed in the order given. A closed union."""

from __future__ import annotations

from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StartProbe:
    """Ask the server once and answer with ProbeSucceeded, ProbeFailed or ProbeImpossible. `url`: index, HTTP only."""

    url: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChange:
    """The machine's `is_up`, `is_tested`, `weight` or `reason` changed: judge the servers that use this check again."""

    went_up: bool
    """It is up now and was not, or was not tested before."""
    went_down: bool
    """It is down now and was not, or was not tested before."""
    is_confirmed: bool = False
    """It was taken as that before, untested: nobody is mailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFailure:
    """One try failed and changed nothing; said with log_all_failures (CHK-8). `tries_left` before it goes down."""

    reason: Reason
    tries_left: int
    detail: str = ""
    """As of `ProbeFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportImpossible:
    """A probe could not be made at all."""

    reason: Reason
    detail: str = ""


Effect = StartProbe | ReportChange | ReportFailure | ReportImpossible

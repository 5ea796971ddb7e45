"""What can happen to one check: past facts. A closed union; the machine matches all of them."""

from __future__ import annotations

from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What is known of a check before it runs: from the black box, or from its form before a reload."""

    is_up: bool
    weight: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """The check may begin. `spread_ns` is its own part of warmup, or of delay_loop when something is restored."""

    spread_ns: int
    restored: Restored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """`now` reached `next_deadline_ns()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSucceeded:
    """The server answered as it should. `weight`: what misc_dynamic said it should have, else None (CHK-61)."""

    latency_ns: int
    weight: int | None = None
    remark: str = ""
    """Something odd that is no failure, worth one log line (CHK-25)."""
    certificate_until_s: int = 0
    """When the certificate that the server showed ends, in seconds since 1970; 0: it showed none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFailed:
    """The server did not answer as it should."""

    reason: Reason
    latency_ns: int = 0
    detail: str = ""
    """What came instead, for the log, where the reason leaves that open: a status, a code. Short, and printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeImpossible:
    """We could not ask: no descriptor, no right to bind, no such program. It says nothing about the server."""

    reason: Reason
    detail: str = ""


Result = ProbeSucceeded | ProbeFailed | ProbeImpossible
Event = Startup | TimePassed | ProbeSucceeded | ProbeFailed | ProbeImpossible
TIME_PASSED = TimePassed()

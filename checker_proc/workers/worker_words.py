"""What the checker and its workers say to one another, as frozen dataclasses, over one socket each. Decides nothing.

A check is known by a number that is never used twice, so that what is said of one that is gone harms nobody.
"""

from __future__ import annotations

import struct

from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.warnings import Warn
from pyhad.common.codec import Alike, Decoder
from pyhad.common.config.model import ALIKE, Check, TlsClient
from pyhad.common.records import dataclass

TALLY = struct.Struct("=IQQqqqB")
"""Of one check: number, runs, failures, end and latency of its last probe in ns, end of
the server's certificate in seconds since 1970, index of its reason in `REASONS`."""
TALLIES_AT_ONCE = 1000
"""In one message. Of more checks a worker tells by turns, so that telling does not cost what checking does."""
REASONS = tuple(Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """checker -> worker, first and when it changes: what SSL_GET shows of itself."""

    tls_client: TlsClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """checker -> worker: run this check. Where it `is_tested`, go on from what is known of it."""

    number: int
    check: Check
    is_suspended: bool
    is_tested: bool
    is_up: bool
    weight: int | None
    reason: str
    warnings: tuple[Warn, ...] = ()
    """Those that were said of it, so that their end is news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """checker -> worker: the address that the check hangs on went, or is back (CHK-10)."""

    number: int
    is_suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """checker -> worker: nobody wants that check any more."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """worker -> checker: as `ReportChange`, with the state that the check has now."""

    number: int
    is_up: bool
    is_tested: bool
    weight: int | None
    reason: str
    went_up: bool
    went_down: bool
    is_confirmed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFailed:
    """worker -> checker: as `ReportFailure`, of a check that wants all failures in the log."""

    number: int
    reason: str
    tries_left: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMade:
    """worker -> checker: as `ReportImpossible`."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked:
    """worker -> checker: a good response was odd (CHK-25)."""

    number: int
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warns:
    """worker -> checker: what is not well although the check is up is not what it was before."""

    number: int
    warnings: tuple[Warn, ...]
    latency_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """worker -> checker, at its start and every second: it lives, and these checks ran (`TALLY` after `TALLY`)."""

    pid: int
    in_flight: int
    late_p99_ns: int
    late_max_ns: int
    cpu_ns: int
    records: bytes
    tries_failed: int = 0
    """So many since the last one changed nothing (`ReportFailure`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """worker -> checker: its last words."""

    error: str


ToWorker = Material | Begin | Suspend | Forget
FromWorker = Changed | TryFailed | NotMade | Remarked | Warns | Tally | Crashed
TO_WORKER = Decoder((Material, Begin, Suspend, Forget), Alike(ALIKE, most=1000))
FROM_WORKER = Decoder((Changed, TryFailed, NotMade, Remarked, Warns, Tally, Crashed))

"""What is not well with a check that succeeds: a slow answer, a certificate near its end. Changes no verdict. Pure."""

from __future__ import annotations

import enum

from pyhad.common.config.model import Check, GrpcCheck, HttpCheck

_SECOND_NS = 1_000_000_000


class Warn(enum.StrEnum):
    """One token per cause, for logs, status and metrics."""

    SLOW = "slow"
    CERTIFICATE_ENDS = "certificate_ends"
    CERTIFICATE_ENDED = "certificate_ended"


def warnings_of(check: Check, latency_ns: int, certificate_until_s: int, wall_s: float) -> tuple[Warn, ...]:
    """Those of its last good answer. `wall_s`: now, in seconds since 1970; `certificate_until_s` 0: none was shown."""
    found: list[Warn] = []
    if 0 < check.timing.latency_warning_ns < latency_ns:
        found.append(Warn.SLOW)
    if certificate_until_s and isinstance(check, (HttpCheck, GrpcCheck)) and check.certificate_warning_ns:
        if certificate_until_s <= wall_s:
            found.append(Warn.CERTIFICATE_ENDED)
        elif certificate_until_s <= wall_s + check.certificate_warning_ns / _SECOND_NS:
            found.append(Warn.CERTIFICATE_ENDS)
    return tuple(found)

"""Which checks worker processes run, how many workers there are, and whose each check is. Pure.

Pings, programs, files, BFD sessions and probes with a mark stay in the checker's own process: they hang on sockets and
helpers that only it has. All but the last cost next to nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import BfdCheck, Check, FileCheck, GrpcCheck, HttpCheck, MiscCheck, PingCheck

AUTO = -1
"""`pyhad_checker_workers auto`."""
MOST_WORKERS = 64
_TCP_NS, _HTTP_NS, _TLS_NS = 50_000, 120_000, 1_000_000
"""CPU time of one check, roughly (docs/speed.md)."""
_ALONE_PERCENT, _EACH_PERCENT = 30, 50
"""The checker does it alone up to that part of a core; a worker is to have no more than that."""


def is_shared(check: Check) -> bool:
    """A worker can run it."""
    return not isinstance(check, (PingCheck, MiscCheck, FileCheck, BfdCheck)) and not check.target.fwmark


def worker_of(mark: int, workers: int) -> int:
    """Who of `workers` runs the check with this mark. By other bits of it than those that spread the phases."""
    return (mark >> 32) % workers


def workers_for(wanted: int, checks: Iterable[Check], cores: int) -> int:
    """How many workers there are to be; 0: the checker does everything itself."""
    if wanted != AUTO:
        return min(wanted, MOST_WORKERS)
    load_percent = sum(100 * _cost_ns(check) / check.timing.delay_loop_ns for check in checks if is_shared(check))
    if load_percent <= _ALONE_PERCENT or cores < 2:
        return 0
    return min(cores, max(2, int(-(-load_percent // _EACH_PERCENT))))


def _cost_ns(check: Check) -> int:
    if isinstance(check, (HttpCheck, GrpcCheck)):
        return _TLS_NS if check.tls else _HTTP_NS
    return _TCP_NS

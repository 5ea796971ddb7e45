"""What trackers make of a router's priority and of its right to take part: one sum, one set of causes. No state.

A reading is what was last seen of the thing: 1 good or 0 bad of interfaces, scripts, processes and BFD sessions, the
number in a file; None or absent while nothing was seen yet. What is not known weighs nothing, and with weight 0 it is
a cause of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyhad.common.config.model.tracking import Tracker, TrackerKind
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.events import FaultCause

HIGHEST_SUM = 253
LOWEST_SUM = -254
"""A file that weighs this little means FAULT, not a low priority (TRK-20)."""

Key = tuple[TrackerKind, str]
Readings = Mapping[Key, int | None]

_FAILED = {
    TrackerKind.INTERFACE: FaultCause.TRACKED_INTERFACE_DOWN,
    TrackerKind.SCRIPT: FaultCause.TRACKED_SCRIPT_FAILED,
    TrackerKind.FILE: FaultCause.TRACKED_FILE,
    TrackerKind.PROCESS: FaultCause.TRACKED_PROCESS,
    TrackerKind.BFD: FaultCause.TRACKED_BFD,
}
_NEEDED = {
    TrackerKind.SCRIPT: FaultCause.TRACKED_SCRIPT_UNKNOWN,
    TrackerKind.PROCESS: FaultCause.TRACKED_PROCESS,
    TrackerKind.BFD: FaultCause.TRACKED_BFD,
}
"""What is not known with weight 0: who cannot tell that it is well takes no part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The outcome: `adjustment` is added to the base priority and clamped there (TRK-1)."""

    adjustment: int
    faults: frozenset[FaultCause]


def weigh(trackers: Iterable[Tracker], readings: Readings) -> Weighed:
    """TRK-1, TRK-4, TRK-5, TRK-20."""
    total = 0
    faults: set[FaultCause] = set()
    for tracker in trackers:
        weight, cause = _weigh_one(tracker, readings.get((tracker.kind, tracker.name)))
        total += weight
        if cause is not None:
            faults.add(cause)
    return Weighed(adjustment=total, faults=frozenset(faults))


def _weigh_one(tracker: Tracker, reading: int | None) -> tuple[int, FaultCause | None]:
    if tracker.kind is TrackerKind.FILE:
        return _weigh_file(tracker, reading or 0)
    if reading is None:
        return 0, None if tracker.weight else _NEEDED.get(tracker.kind)
    is_good = (reading != 0) is not tracker.reverse
    if not tracker.weight:
        return 0, None if is_good else _FAILED[tracker.kind]
    return tracker.weight if is_good is (tracker.weight > 0) else 0, None


def _weigh_file(tracker: Tracker, value: int) -> tuple[int, FaultCause | None]:
    if not tracker.weight:
        return 0, FaultCause.TRACKED_FILE if (value != 0) is not tracker.reverse else None
    product = value * (-tracker.weight if tracker.reverse else tracker.weight)
    if product <= LOWEST_SUM:
        return 0, FaultCause.TRACKED_FILE
    return min(product, HIGHEST_SUM), None

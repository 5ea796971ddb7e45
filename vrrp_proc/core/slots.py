"""Which moment of its interval an Active router speaks at: phases pulled together, so that one waking sends many. Pure.

What an advertisement costs is mostly the waking for it. An interval is divided into equal slots of at most 50 ms; who
becomes Active speaks at once, and from the next advertisement on at the beginning of a slot: one in which others of its
segment speak already, else any others, else the last one that begins no later than one interval after the first. To be
early, once, is harmless to every receiver, late is not. A slot is full when the receivers of a segment could lose some
of its adverts: their sockets hold some 270 packets by default, and what is lost of a burst that comes each interval is
always the same.
"""

from __future__ import annotations

import collections

from pyhad.common.records import dataclass

SLOT_MAX_NS = 50_000_000
SLOTS_MIN = 20
PER_SEGMENT = 64
"""Adverts in one slot of one segment."""
PER_SLOT = 256
"""And of all segments together, so that the last of a slot is not much later than the first."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A router's place: its slot within the interval, on its segment."""

    segment: str
    interval_ns: int
    number: int


class Slots:
    """Who sits where. Places are counted, not named."""

    def __init__(self) -> None:
        self._on_segment: collections.Counter[tuple[str, int, int]] = collections.Counter()
        self._in_all: collections.Counter[tuple[int, int]] = collections.Counter()

    def take(self, segment: str, interval_ns: int, latest_ns: int) -> tuple[int, Seat]:
        """(when to speak next, the place): at or before `latest_ns`, by less than an interval. Times are monotonic."""
        count = slots_of(interval_ns)
        start_ns = latest_ns // interval_ns * interval_ns
        latest = (latest_ns - start_ns) * count // interval_ns
        if start_ns + _begin_ns(latest, interval_ns) > latest_ns:
            latest -= 1
        number = min(range(latest, latest - count, -1), key=lambda one: self._crowd(segment, interval_ns, one % count))
        seat = Seat(segment, interval_ns, number % count)
        self._on_segment[segment, interval_ns, seat.number] += 1
        self._in_all[interval_ns, seat.number] += 1
        begin_ns = start_ns + _begin_ns(seat.number, interval_ns)
        return begin_ns if begin_ns <= latest_ns else begin_ns - interval_ns, seat

    def leave(self, seat: Seat) -> None:
        """The router speaks no more, or elsewhere."""
        self._on_segment[seat.segment, seat.interval_ns, seat.number] -= 1
        self._in_all[seat.interval_ns, seat.number] -= 1

    def _crowd(self, segment: str, interval_ns: int, number: int) -> tuple[int, int, bool, bool]:
        """Least is best, and of equal ones the latest: not full, then with company."""
        here, everywhere = self._on_segment[segment, interval_ns, number], self._in_all[interval_ns, number]
        full_here, full = here if here >= PER_SEGMENT else 0, everywhere if everywhere >= PER_SLOT else 0
        return full_here, full, not here, not everywhere


def slots_of(interval_ns: int) -> int:
    """How many slots an interval has."""
    return max(SLOTS_MIN, -(-interval_ns // SLOT_MAX_NS))


def _begin_ns(number: int, interval_ns: int) -> int:
    """The first ns of a slot: rounded up, so that it lies within it."""
    return -(-number * interval_ns // slots_of(interval_ns))

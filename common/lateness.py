"""How late a loop's timers run, measured by itself: a histogram of this minute and what came of the last. No clock."""

from __future__ import annotations

from pyhad.common.records import dataclass

MINUTE_NS = 60_000_000_000
_UNIT_BITS = 14
"""The first bucket ends at 16 us; each further one is twice as wide."""
_BUCKETS = 28
"""The last one begins at 2200 s."""


@dataclass(frozen=True, slots=True)
class Span:
    """Of a whole minute."""

    p99_ns: int = 0
    """No more than one of a hundred was later than this (rounded up to a power of two times 16 us)."""
    max_ns: int = 0


class Lateness:
    """`note` costs a few hundred ns; `last` is the last minute that is over, the present one until then."""

    def __init__(self) -> None:
        self.worst_ns = 0
        """Since the start."""
        self._counts = [0] * _BUCKETS
        self._max_ns = 0
        self._ends_ns = 0
        self._last: Span | None = None

    def note(self, late_ns: int, now_ns: int) -> None:
        """A timer ran that much after its time."""
        if now_ns >= self._ends_ns:
            self._turn_over(now_ns)
        self._counts[min((late_ns >> _UNIT_BITS).bit_length(), _BUCKETS - 1)] += 1
        if late_ns > self._max_ns:
            self._max_ns = late_ns
            self.worst_ns = max(self.worst_ns, late_ns)

    def last(self) -> Span:
        """See above."""
        return self._last or self._span()

    def _turn_over(self, now_ns: int) -> None:
        if self._ends_ns:
            self._last = self._span()
        self._ends_ns = now_ns + MINUTE_NS
        self._counts = [0] * _BUCKETS
        self._max_ns = 0

    def _span(self) -> Span:
        allowed = sum(self._counts) // 100
        for bucket in range(_BUCKETS - 1, -1, -1):
            allowed -= self._counts[bucket]
            if allowed < 0:
                return Span(min(1 << bucket + _UNIT_BITS, self._max_ns), self._max_ns)
        return Span()

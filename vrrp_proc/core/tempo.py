"""The beat of routers that advertise together: how often they did is counted once, for all of them. Pure.

Of a thousand masters nearly all do nothing else in a second than advertise. What that changes in each of them (the next
is due an interval later, the last was sent now, one more was sent) follows from the common count, so that a core takes
it in when somebody looks at it or something else happens to it (`RouterView.keep_up`), and not each time.
"""

from __future__ import annotations


class Tempo:
    """When the next advertisement of all that keep it is due, and how many there were. Times are monotonic ns."""

    __slots__ = ("beats", "due_ns", "interval_ns", "patience_ns", "spoke_ns")

    def __init__(self, interval_ns: int, due_ns: int) -> None:
        self.interval_ns = interval_ns
        self.due_ns = due_ns
        self.beats = 0
        self.spoke_ns = 0
        """When they did last; it counts for those that keep it."""
        self.patience_ns = 0
        """Of the quickest peer of any that ever kept it; 0: nobody does."""

    def keeps(self, now_ns: int) -> bool:
        """It is due, by less than an interval, and no peer has lost patience: nobody has to look why it is late."""
        if not self.due_ns <= now_ns < self.due_ns + self.interval_ns:
            return False
        return not self.patience_ns or now_ns - self.spoke_ns < self.patience_ns

    def beat(self, now_ns: int) -> None:
        """All of them have just advertised."""
        self.beats += 1
        self.spoke_ns = now_ns
        self.due_ns += self.interval_ns

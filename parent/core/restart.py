"""When a dead child is started again (docs/decisions/0002-restart-policy.md). Pure.

At once, unless it has died five times within the last ten seconds: then after 50, 100, 200 ms ... 60 s. A run of a
minute starts the count of waits again.
"""

from __future__ import annotations

PERMANENT = frozenset({1, 2, 4})  # PROC-10: fatal, configuration, permission
FATAL = 1
DEATHS = 5
WINDOW_NS = 10_000_000_000
FIRST_DELAY_NS = 50_000_000
LONGEST_DELAY_NS = 60_000_000_000
GOOD_RUN_NS = 60_000_000_000


class RestartPolicy:
    """The deaths of one child and what follows from them."""

    __slots__ = ("_deaths", "_delay_ns")

    def __init__(self) -> None:
        self._deaths: tuple[int, ...] = ()
        self._delay_ns = 0

    def died(self, *, started_ns: int, now_ns: int) -> int:
        """A run that began at `started_ns` ended now. Returns how long to wait before the next, 0 for at once."""
        if now_ns - started_ns >= GOOD_RUN_NS:
            self._deaths, self._delay_ns = (), 0
        self._deaths = (*(at for at in self._deaths if now_ns - at < WINDOW_NS), now_ns)
        if len(self._deaths) < DEATHS:
            return 0
        self._delay_ns = min(self._delay_ns * 2 or FIRST_DELAY_NS, LONGEST_DELAY_NS)
        return self._delay_ns

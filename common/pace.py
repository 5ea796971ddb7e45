"""Work that may be dear: soon after it is wanted, once for all who want it, for no more than a share of the time."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.loop import Loop, Timer


class Pace:
    """Does `work` in the next turn, or later where it takes long: what it takes is known from the last time."""

    def __init__(
        self, loop: Loop, work: Callable[[], None], share: int, *, pause_ns: int = 0, gather: int = 0, most_ns: int = 0
    ) -> None:
        """Between two times there is `share` times what the first took, `most_ns` at most unless that is 0. From the
        wish to the work there is `pause_ns`, and `gather` times what it took last: what else is wanted meanwhile needs
        no work of its own."""
        self._loop = loop
        self._work = work
        self._share = share
        self._pause_ns = pause_ns
        self._gather = gather
        self._most_ns = most_ns
        self._timer: Timer | None = None
        self.took_ns = 0
        """What it took the last time."""
        self._free_ns = 0

    @property
    def is_wanted(self) -> bool:
        """Somebody waits for it."""
        return self._timer is not None

    def soon(self) -> None:
        """When its time comes."""
        if self._timer is None:
            wait_ns = max(self._pause_ns, self.took_ns * self._gather)
            self._timer = self._loop.at(max(self._loop.now_ns() + wait_ns, self._free_ns), self.now)

    def now(self) -> None:
        """At once. Who waits has it then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.measure(self._work)

    def measure(self, work: Callable[[], None]) -> None:
        """Do something that takes as much: it counts as that. Who waits goes on waiting."""
        began_ns = self._loop.now_ns()
        work()
        self.count(self._loop.now_ns() - began_ns)

    def count(self, took_ns: int) -> None:
        """It is done, and took so long: who does it in portions knows that only at the end."""
        self.took_ns = took_ns
        rest_ns = took_ns * self._share
        self._free_ns = self._loop.now_ns() + (min(rest_ns, self._most_ns) if self._most_ns else rest_ns)

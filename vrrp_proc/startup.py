"""How long the virtual routers hold still after the start (FSM-13), and that a reload moves that moment (REL-20)."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.loop import Loop, Timer


class StartupDelay:
    """Keeps what is to begin until it is time. The machine's start is the zero of the monotonic clock."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._begun_ns = loop.now_ns()
        self._ends_ns = self._begun_ns
        self._waiting: list[Callable[[], None]] = []
        self._timer: Timer | None = None

    def configure(self, delay_ns: int, after_boot_ns: int) -> None:
        """As of the last (re)load: so long after the start of this process, and not before that age of the machine."""
        self._ends_ns = max(self._begun_ns + delay_ns, after_boot_ns)
        if self._waiting:
            self._arm()

    @property
    def is_over(self) -> bool:
        """Whether nobody has to wait."""
        return self._loop.now_ns() >= self._ends_ns and not self._waiting

    def hold(self, begin: Callable[[], None]) -> None:
        """Have `begin` run when it is time."""
        self._waiting.append(begin)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.at(self._ends_ns, self._begin)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        for begin in waiting:
            begin()

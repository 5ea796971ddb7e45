"""The timer of one virtual router: rings at its deadline or before, and costs little while that keeps moving."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.loop import Loop, Timer

EARLY_LOOK_NS = 50_000_000
EARLY_SHARE = 4
LEAST_EARLY_NS = 1_000_000
"""Who waits for a deadline that nearly always moves looks at it before, together with others: by at most so much, or a
quarter of the time until then. Less than the least is not worth it."""


class Alarm:
    """Runs `action()`, which sets it again. Ringing early is no mistake, ringing late would be."""

    def __init__(self, loop: Loop, action: Callable[[], None]) -> None:
        self._loop = loop
        self._action = action
        self._timer: Timer | None = None

    def set(self, deadline_ns: int | None, *, is_moving: bool = False) -> None:
        """None: never. `is_moving`: another is expected before this one comes."""
        timer = self._timer
        if timer is not None and timer.action is not None:
            if deadline_ns is not None and timer.at_ns <= deadline_ns:
                return  # a deadline pushed back does not touch the heap
            timer.cancel()
        self._timer = None
        if deadline_ns is not None:
            self._timer = self._loop.at(self._early_ns(deadline_ns) if is_moving else deadline_ns, self._action)

    @property
    def at_ns(self) -> int | None:
        """When it rings; None: it does not."""
        timer = self._timer
        return timer.at_ns if timer is not None and timer.action is not None else None

    def cancel(self) -> None:
        """Never ring."""
        self.set(None)

    def _early_ns(self, deadline_ns: int) -> int:
        now_ns = self._loop.now_ns()
        together_ns = min(EARLY_LOOK_NS, (deadline_ns - now_ns) // EARLY_SHARE)
        if together_ns < LEAST_EARLY_NS:
            return deadline_ns
        if together_ns < EARLY_LOOK_NS:
            together_ns = 1 << together_ns.bit_length() - 1  # of few kinds, so that others look at the same moment
        return deadline_ns // together_ns * together_ns

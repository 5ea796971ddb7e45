"""The timer of one virtual router: rings at its deadline or before, and costs little while that keeps moving."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.loop import Loop, Timer
from pyhad.vrrp_proc.repeats import Repeats

EARLY_LOOK_NS = 50_000_000
EARLY_SHARE = 4
LEAST_EARLY_NS = 1_000_000
"""Who waits for a deadline that nearly always moves looks at it before, together with others: by at most so much, or a
quarter of the time until then. Less than the least is not worth it."""


class Looks:
    """Moments at which timers are looked at together. Of all but a few the deadline has moved on meanwhile."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._at: dict[int, list[MovingTimer]] = {}

    def add(self, timer: MovingTimer, moment_ns: int) -> None:
        """Look at it then."""
        timer.look_ns = moment_ns
        if (timers := self._at.get(moment_ns)) is not None:
            timers.append(timer)
        else:
            self._at[moment_ns] = [timer]
            self.loop.at(moment_ns, lambda: self._look(moment_ns))

    def _look(self, moment_ns: int) -> None:
        now_ns = self.loop.now_ns()
        for timer in self._at.pop(moment_ns):
            if timer.look_ns != moment_ns:
                continue  # set otherwise since
            repeats = timer.repeats
            deadline_ns = repeats.last_ns + repeats.holds_ns
            if repeats.times and (next_ns := look_at_ns(deadline_ns, now_ns)) < deadline_ns:
                self.add(timer, next_ns)
            else:
                timer.look_ns = 0
                timer.action()


class MovingTimer:
    """Runs `action()`, which sets it again. Ringing early is no mistake, ringing late would be."""

    __slots__ = ("_looks", "_timer", "action", "look_ns", "repeats")

    def __init__(self, looks: Looks, repeats: Repeats, action: Callable[[], None]) -> None:
        """`repeats`: as long as it has something to take in, the deadline is at least its own."""
        self.repeats = repeats
        self.action = action
        self.look_ns = 0
        """When it is looked at; 0: it has a timer of its own, or none."""
        self._looks = looks
        self._timer: Timer | None = None

    def set(self, deadline_ns: int | None, *, is_moving: bool = False) -> None:
        """None: never. `is_moving`: another is expected before this one comes."""
        at_ns = self.at_ns
        if at_ns is not None:
            if deadline_ns is not None and at_ns <= deadline_ns:
                return  # a deadline pushed back touches nothing
            self.cancel()
        if deadline_ns is None:
            return
        loop = self._looks.loop
        look_ns = look_at_ns(deadline_ns, loop.now_ns()) if is_moving else deadline_ns
        if look_ns < deadline_ns:
            self._looks.add(self, look_ns)
        else:
            self._timer = loop.at(deadline_ns, self.action)

    @property
    def at_ns(self) -> int | None:
        """When it rings; None: it does not."""
        timer = self._timer
        return self.look_ns or (timer.at_ns if timer is not None and timer.action is not None else None)

    def cancel(self) -> None:
        """Never ring."""
        self.look_ns = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def look_at_ns(deadline_ns: int, now_ns: int) -> int:
    """When to look at a deadline that moves: of few moments, so that others are looked at too; at the latest then."""
    early_ns = (deadline_ns - now_ns) // EARLY_SHARE
    if early_ns >= EARLY_LOOK_NS:
        early_ns = EARLY_LOOK_NS
    elif early_ns < LEAST_EARLY_NS:
        return deadline_ns
    else:
        early_ns = 1 << early_ns.bit_length() - 1
    return deadline_ns // early_ns * early_ns

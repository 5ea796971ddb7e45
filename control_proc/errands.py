"""Questions of operators that the IPVS owner answers, each desk with its own deadline. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pyhad.common.loop import Loop, Timer
from pyhad.control_proc.core.effects import Effect


class Waiting(Protocol):
    """A desk at which operators wait."""

    def next_deadline_ns(self) -> int | None:
        """When `expire` is due; None: nobody waits."""
        ...

    def expire(self, now_ns: int) -> Iterable[Effect]:
        """What follows for those who waited too long."""
        ...


class Errands:
    """`do(effects)` of one desk: they are performed, and its deadline is set anew."""

    def __init__(self, loop: Loop, desk: Waiting, perform: Callable[[Effect], None]) -> None:
        self._loop = loop
        self._desk = desk
        self._perform = perform
        self._timer: Timer | None = None

    def do(self, effects: Iterable[Effect]) -> None:
        """What a word at the desk led to."""
        for effect in effects:
            self._perform(effect)
        if self._timer is not None:
            self._timer.cancel()
        at_ns = self._desk.next_deadline_ns()
        self._timer = None if at_ns is None else self._loop.at(at_ns, self._late)

    def _late(self) -> None:
        self.do(self._desk.expire(self._loop.now_ns()))

"""Long work in portions, between which the loop turns: nobody waits for thousands of servers to be read or told.

A piece of work is a generator; where it yields, something else may happen. One piece after the other, in their order.
"""

from __future__ import annotations

import collections
from collections.abc import Generator

from pyhad.common.loop import Loop

PORTION_NS = 20_000_000

Work = Generator[None, None, None]


class Portions:
    """`begin(work)` does the first portion at once, and all of it when it is not long."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._queue: collections.deque[Work] = collections.deque()
        self.longest_ns = 0
        """The longest portion so far: what the loop had to wait for."""

    @property
    def is_busy(self) -> bool:
        """Some piece is not done yet."""
        return bool(self._queue)

    def begin(self, work: Work) -> None:
        """Do it, after what was begun before."""
        self._queue.append(work)
        if len(self._queue) == 1:
            self._go_on()

    def _go_on(self) -> None:
        began_ns = self._loop.now_ns()
        end_ns = began_ns + PORTION_NS
        while self._queue and self._loop.now_ns() < end_ns:
            try:
                next(self._queue[0])
            except StopIteration:
                self._queue.popleft()
        self.longest_ns = max(self.longest_ns, self._loop.now_ns() - began_ns)
        if self._queue:
            self._loop.after(0, self._go_on)

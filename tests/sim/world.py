"""The virtual clock: a heap of things to come, in order of time and then of asking. One seed decides the rest."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000


class World:
    """Time, chance and the record of what happened. `now_ns` starts above 0, as a real monotonic clock does."""

    def __init__(self, seed: int, *, trace: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now_ns = 1000 * SECOND_NS
        self.steps = 0
        self.last_disturbance_ns = self.now_ns
        self.trace = trace
        self._heap: list[tuple[int, int, Callable[[Any], None], Any]] = []
        self._asked = 0

    def at(self, when_ns: int, action: Callable[[T], None], about: T) -> None:
        """Do `action(about)` at `when_ns`."""
        self._asked += 1
        heapq.heappush(self._heap, (when_ns, self._asked, action, about))

    def run_until(self, end_ns: int) -> None:
        """Let everything happen that is due up to `end_ns`."""
        heap = self._heap
        while heap and heap[0][0] <= end_ns:
            when_ns, _, action, about = heapq.heappop(heap)
            self.now_ns = when_ns
            self.steps += 1
            action(about)
        self.now_ns = end_ns

    def run_for(self, duration_ns: int) -> None:
        """`run_until` from now."""
        self.run_until(self.now_ns + duration_ns)

    def disturb(self, what: str) -> None:
        """Something went wrong or was changed from outside: what the protocol promises, it promises from here on."""
        self.last_disturbance_ns = self.now_ns
        self.say(f"!! {what}")

    def say(self, line: str) -> None:
        """One line of the dialogue, if somebody reads it."""
        if self.trace is not None:
            self.trace(f"{self.now_ns / SECOND_NS:12.6f} {line}")

"""Deadlines of many short probes, cheaply: one queue per timeout, one timer per queue. Starts nothing by itself.

Probes of equal timeout expire in the order they were added, so a queue needs no heap; finished ones are
dropped from its head whenever something is added.
"""

from __future__ import annotations

import collections
from typing import Protocol

from pyhad.common.loop import Loop


class Expiring(Protocol):
    """What can be added: it tells when it is done, and is told when its time is over."""

    is_done: bool
    expires_ns: int

    def expire(self) -> None:
        """The deadline passed and it was not done."""


class _Queue:
    __slots__ = ("entries", "is_armed", "loop")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.entries: collections.deque[tuple[int, Expiring]] = collections.deque()
        self.is_armed = False

    def add(self, expires_ns: int, probe: Expiring) -> None:
        self.prune()
        self.entries.append((expires_ns, probe))
        if not self.is_armed:
            self.is_armed = True
            self.loop.at(self.entries[0][0], self.run)

    def prune(self) -> None:
        entries = self.entries
        while entries and (entries[0][1].is_done or entries[0][1].expires_ns != entries[0][0]):
            entries.popleft()

    def run(self) -> None:
        now_ns = self.loop.now_ns()
        self.prune()
        while self.entries and self.entries[0][0] <= now_ns:
            _, probe = self.entries.popleft()
            probe.expire()
            self.prune()
        self.is_armed = bool(self.entries)
        if self.entries:
            self.loop.at(self.entries[0][0], self.run)


class Deadlines:
    """All deadlines of the process's probes."""

    __slots__ = ("_loop", "_queues")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._queues: dict[int, _Queue] = {}

    def add(self, probe: Expiring, timeout_ns: int, now_ns: int) -> None:
        """Call `probe.expire()` `timeout_ns` after `now_ns`, unless it is done. Adding again moves its deadline."""
        queue = self._queues.get(timeout_ns)
        if queue is None:
            queue = self._queues[timeout_ns] = _Queue(self._loop)
        probe.expires_ns = now_ns + timeout_ns
        queue.add(probe.expires_ns, probe)

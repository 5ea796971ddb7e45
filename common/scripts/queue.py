"""In which order programs that tell of changes run: one at a time per teller, as the changes came. Runs nothing.

Better than NTF-3, where two events in quick succession overlap and may end in the wrong order. When a program is slow
and more changes wait than `MOST_WAITING`, the oldest of those that wait are left out: the last is always told.
"""

from __future__ import annotations

import collections
from typing import Generic, TypeVar

MOST_WAITING = 4

Job = TypeVar("Job")


class ScriptQueue(Generic[Job]):
    """Batches of jobs by key. Call `next_of(key)` after each `put` and each end; it says what to start now."""

    def __init__(self) -> None:
        self.left_out = 0
        self._waiting: dict[str, collections.deque[tuple[Job, ...]]] = {}
        self._rest: dict[str, collections.deque[Job]] = {}
        """What the batch on its way still has to run; there is an entry while anything of the key runs."""

    @property
    def is_idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._rest and not self._waiting

    def put(self, key: str, batch: tuple[Job, ...]) -> None:
        """One change: its jobs run one after the other."""
        if not batch:
            return
        waiting = self._waiting.setdefault(key, collections.deque())
        waiting.append(batch)
        while len(waiting) > MOST_WAITING:
            waiting.popleft()
            self.left_out += 1

    def next_of(self, key: str) -> Job | None:
        """The job to start now, if none of this key runs. It counts as running from here until `ended(key)`."""
        if key in self._rest:
            return None
        waiting = self._waiting.get(key)
        if waiting is None:
            return None
        batch = waiting.popleft()
        if not waiting:
            del self._waiting[key]
        self._rest[key] = collections.deque(batch[1:])
        return batch[0]

    def ended(self, key: str) -> Job | None:
        """The running job of `key` came to its end; returns the one to start now."""
        rest = self._rest[key]
        if rest:
            return rest.popleft()
        del self._rest[key]
        return self.next_of(key)

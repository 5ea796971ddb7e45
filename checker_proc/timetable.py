"""When each check ticks: buckets on a grid, one timer per bucket in use."""

from __future__ import annotations

import functools
from typing import Protocol

from pyhad.checker_proc.core.schedule import grid_slot
from pyhad.common.loop import Loop


class Due(Protocol):
    """What can be put into the timetable: `slot_ns` is its place there, 0 for none."""

    slot_ns: int

    def tick(self) -> None:
        """Its time has come."""


class Timetable:
    """Ticks what was put into it, never early. Putting again moves; `slot_ns = 0` takes out."""

    __slots__ = ("_buckets", "_loop")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._buckets: dict[int, list[Due]] = {}

    def put(self, item: Due, at_ns: int) -> None:
        """Tick `item` at `at_ns`, rounded up to the grid."""
        slot_ns = grid_slot(at_ns)
        item.slot_ns = slot_ns
        bucket = self._buckets.get(slot_ns)
        if bucket is None:
            self._buckets[slot_ns] = [item]
            self._loop.at(slot_ns, functools.partial(self._run, slot_ns))
        else:
            bucket.append(item)

    def _run(self, slot_ns: int) -> None:
        for item in self._buckets.pop(slot_ns):
            if item.slot_ns == slot_ns:
                item.slot_ns = 0
                item.tick()

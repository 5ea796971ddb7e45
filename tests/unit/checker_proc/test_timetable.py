"""Ticks on the grid, on a real loop."""

from __future__ import annotations

from pyhad.checker_proc.timetable import Timetable
from pyhad.common.loop import Loop

MS = 1_000_000


class Item:
    def __init__(self) -> None:
        self.slot_ns = 0
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1


def test_items_of_one_slot_tick_together_once_each_and_only_where_they_were_put_last() -> None:
    loop = Loop()
    timetable = Timetable(loop)
    one, two, moved, taken_out = items = [Item() for _ in range(4)]
    now_ns = loop.now_ns()
    for item in items:
        timetable.put(item, now_ns + MS)
    timetable.put(one, now_ns + MS)
    timetable.put(moved, now_ns + 3600 * 1000 * MS)
    taken_out.slot_ns = 0
    while not two.ticks:
        loop.turn(1)
    assert [item.ticks for item in items] == [1, 1, 0, 0]
    assert loop.now_ns() >= now_ns + MS
    loop.close()

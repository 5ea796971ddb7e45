"""The alarm rings early rather than late."""

from __future__ import annotations

import time

from pyhad.common.loop import Loop
from pyhad.vrrp_proc.alarm import Alarm

MS = 1_000_000


def test_a_deadline_that_moves_is_looked_at_on_a_grid_of_50_ms() -> None:
    loop = Loop()
    alarm = Alarm(loop, lambda: None)
    far_ns = (time.monotonic_ns() // (1000 * MS) + 10) * 1000 * MS
    for deadline_ns, looked_at_ns in ((far_ns + 149 * MS, far_ns + 100 * MS), (far_ns, far_ns)):
        alarm.set(deadline_ns, is_moving=True)
        assert loop._heap[0][0] == looked_at_ns
        alarm.cancel()
        loop._heap.clear()
    alarm.set(1, is_moving=True)
    assert loop._heap[0][0] == 1
    loop.close()


def test_a_near_deadline_is_looked_at_on_a_finer_grid() -> None:
    loop = Loop()
    alarm = Alarm(loop, lambda: None)
    near_ns = time.monotonic_ns() + 36 * MS
    alarm.set(near_ns, is_moving=True)
    looked_at_ns = loop._heap[0][0]
    assert looked_at_ns % (1 << 22) == 0  # a quarter of the time is below 9 ms: 4 or 8 of the binary kind
    assert near_ns - 9 * MS < looked_at_ns <= near_ns
    loop.close()


def test_a_deadline_pushed_back_leaves_the_timer_as_it_is() -> None:
    loop = Loop()
    rung: list[int] = []
    alarm = Alarm(loop, lambda: rung.append(1))
    now_ns = time.monotonic_ns()
    alarm.set(now_ns + 1000 * MS)
    alarm.set(now_ns + 2000 * MS)
    assert len(loop._heap) == 1
    alarm.set(now_ns - 1)
    loop.turn(0)
    assert rung == [1]
    alarm.set(now_ns)
    alarm.cancel()
    loop.turn(0)
    assert rung == [1]
    loop.close()

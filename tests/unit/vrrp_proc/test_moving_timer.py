"""The timer rings early rather than late."""

from __future__ import annotations

import time

from pyhad.common.loop import Loop
from pyhad.vrrp_proc.moving_timer import Looks, MovingTimer, look_at_ns
from pyhad.vrrp_proc.repeats import Repeats

MS = 1_000_000


def test_a_deadline_that_moves_is_looked_at_on_a_grid_of_50_ms() -> None:
    loop = Loop()
    timer = MovingTimer(Looks(loop), Repeats(), lambda: None)
    far_ns = (time.monotonic_ns() // (1000 * MS) + 10) * 1000 * MS
    for deadline_ns, looked_at_ns in ((far_ns + 149 * MS, far_ns + 100 * MS), (far_ns, far_ns)):
        timer.set(deadline_ns, is_moving=True)
        assert (loop.next_ns(), timer.at_ns) == (looked_at_ns, looked_at_ns)
        timer.cancel()
        assert timer.at_ns is None
        loop._heap.clear()
    timer.set(1, is_moving=True)
    assert loop._heap[0][0] == 1
    loop.close()


def test_a_near_deadline_is_looked_at_on_a_finer_grid() -> None:
    now_ns = 1_000_000 * MS
    # A quarter of the time is 9 ms: the last moment before it that 8 ms of the binary kind divide.
    assert look_at_ns(now_ns + 36 * MS, now_ns) == 119_213 << 23 == 1_000_031_125_504


def test_a_deadline_pushed_back_leaves_the_timer_as_it_is() -> None:
    loop = Loop()
    rung: list[int] = []
    timer = MovingTimer(Looks(loop), Repeats(), lambda: rung.append(1))
    now_ns = time.monotonic_ns()
    timer.set(now_ns + 1000 * MS)
    timer.set(now_ns + 2000 * MS)
    assert len(loop._heap) == 1
    timer.set(now_ns - 1)
    loop.turn(0)
    assert rung == [1]
    timer.set(now_ns)
    timer.cancel()
    loop.turn(0)
    assert rung == [1]
    loop.close()


def test_a_look_rings_only_if_nothing_was_heard_meanwhile() -> None:
    loop, rung = Loop(), list[str]()
    looks = Looks(loop)
    silent, talking = Repeats(), Repeats()
    timers = (
        MovingTimer(looks, silent, lambda: rung.append("silent")),
        MovingTimer(looks, talking, lambda: rung.append("talking")),
    )
    begin_ns = loop.now_ns()
    for timer in timers:
        timer.set(begin_ns + 40 * MS, is_moving=True)
    look_ns = loop.next_ns()
    assert len(loop._heap) == 1
    talking.times, talking.last_ns, talking.holds_ns = 1, begin_ns + 100_000 * MS, 40 * MS
    while not rung:
        loop.turn(0.01)
    assert loop.now_ns() >= look_ns
    assert rung == ["silent"]
    assert timers[0].at_ns is None
    assert timers[1].at_ns == (begin_ns + 100_040 * MS) // (50 * MS) * 50 * MS
    loop.close()


def test_a_look_that_was_set_otherwise_is_none() -> None:
    loop, rung = Loop(), list[int]()
    timer = MovingTimer(Looks(loop), Repeats(), lambda: rung.append(1))
    begin_ns = loop.now_ns()
    timer.set(begin_ns + 20 * MS, is_moving=True)
    timer.set(None)
    later_ns = begin_ns + 30 * MS
    loop.at(later_ns, loop.stop)
    loop.run()
    assert rung == []
    loop.close()

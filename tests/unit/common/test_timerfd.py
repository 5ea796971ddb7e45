"""A kernel's timer: when it fires, and that another holder of the descriptor can move it."""

from __future__ import annotations

import os
import select
import time

from pyhad.common.timerfd import TimerFd

S = 1_000_000_000


def fires(timer: TimerFd, timeout_s: float) -> bool:
    return bool(select.select([timer.fd], [], [], timeout_s)[0])


def test_it_fires_at_its_time_and_once() -> None:
    timer = TimerFd()
    begin_ns = time.monotonic_ns()
    timer.move(begin_ns + S // 100)
    assert fires(timer, 10)
    assert time.monotonic_ns() >= begin_ns + S // 100
    timer.drain()
    timer.drain()  # harmless
    assert not fires(timer, 0)
    timer.close()


def test_whoever_has_the_descriptor_moves_it() -> None:
    timer = TimerFd()
    timer.move(1)
    other = TimerFd(os.dup(timer.fd))
    other.move(time.monotonic_ns() + 3600 * S)
    assert not fires(timer, 0)
    other.move(1)
    assert fires(timer, 10)
    other.move(0)
    assert not fires(timer, 0)
    other.close()
    timer.close()

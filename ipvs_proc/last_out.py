"""Waits for the end of another process of the daemon, by its pidfd. Decides nothing about it, signals nobody."""

from __future__ import annotations

import os
from collections.abc import Callable

from pyhad.common.loop import Loop

PATIENCE_NS = 6_000_000_000
"""More than VRRP takes to hand its addresses over."""


def after_end_of(loop: Loop, pid: int, action: Callable[[], None], patience_ns: int = PATIENCE_NS) -> None:
    """Run `action()` once, when process `pid` has ended (at once if there is none), or when patience ends."""
    try:
        pidfd = os.pidfd_open(pid) if pid > 0 else -1
    except OSError:
        pidfd = -1
    if pidfd < 0:
        action()
        return

    def end(_events: int = 0) -> None:
        timer.cancel()
        loop.unwatch(pidfd)
        os.close(pidfd)
        action()

    timer = loop.after(patience_ns, end)
    loop.watch(pidfd, end)

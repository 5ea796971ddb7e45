"""Children that the program before this one did not hand over: writers of logs and dumps. They end by themselves."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from pyhad.common.loop import Loop


def reap_leftovers(loop: Loop, known: Collection[int]) -> None:
    """Reap each child of this process at its end, but for those whose pids are `known`."""
    pid = os.getpid()
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # a kernel that does not tell: they stay defunct until this process ends
        return
    for child in children:
        if int(child) not in known:
            _watch(loop, os.pidfd_open(int(child)))


def _watch(loop: Loop, pidfd: int) -> None:
    def reap(_events: int) -> None:
        loop.unwatch(pidfd)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)

    loop.watch(pidfd, reap)

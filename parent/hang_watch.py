"""Watches the loop of the VRRP child where its peers are quicker than the ordinary watchdog. Decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyhad.common.loop import Loop, Timer
from pyhad.common.states import ProcessName
from pyhad.parent.children import Children
from pyhad.parent.core.events import ChildStands
from pyhad.parent.core.standing import Doing, Limits, Standing

_DOING = {
    b"T": Doing.STOPPED, b"t": Doing.STOPPED, b"Z": Doing.DEAD, b"X": Doing.DEAD,
    b"S": Doing.ASLEEP, b"R": Doing.RUNNABLE,
}  # fmt: skip
_CPU_CLOCK_OF_PROCESS = 2
"""In a clock id of the kernel's: the scheduler's own count, exact for a process that runs just now."""


class HangWatch:
    """Hears of the child only when a turn of its loop does not come."""

    def __init__(
        self,
        loop: Loop,
        children: Children,
        on_stands: Callable[[ChildStands], None],
    ) -> None:
        self._loop = loop
        self._children = children
        self._on_stands = on_stands
        self._limits: Limits | None = None
        self._standing: Standing | None = None
        self._pid = 0
        self._timer: Timer | None = None

    def follow(self, limits: Limits | None) -> None:
        """By another configuration; None: the ordinary watchdog is quick enough."""
        if limits == self._limits:
            return
        self._limits, self._standing = limits, None
        self._children.pulse.write_grace(ProcessName.VRRP, limits.step_ns if limits is not None else 0)
        if limits is None:
            self._loop.unwatch(self._children.overdue.fd)
        else:
            self._loop.watch(self._children.overdue.fd, self._overdue)

    def _overdue(self, _events: int) -> None:
        self._children.overdue.drain()
        self._look()

    def _look(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pid, now_ns = self._children.pid_of(ProcessName.VRRP), self._loop.now_ns()
        if self._limits is None or not pid:
            return
        if self._standing is None or pid != self._pid:
            self._standing, self._pid = Standing(self._limits), pid
        standing = self._standing
        pulse = self._children.pulse.read(ProcessName.VRRP)
        if not standing.look(pulse.due_ns, pulse.progress, cpu_ns_of(pid), now_ns):
            return
        standing.see(doing_of(pid), now_ns)
        if standing.stands:
            self._standing = None
            stands = ChildStands(name=ProcessName.VRRP, stood_ns=standing.stood_ns, worked_ns=standing.worked_ns)
            self._on_stands(stands)
        self._timer = self._loop.at(standing.next_look_ns, self._look)


def doing_of(pid: int) -> Doing:
    """What that process does just now."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return _DOING.get(file.read(512).rpartition(b") ")[2][:1], Doing.KEPT)
    except OSError:
        return Doing.DEAD


def cpu_ns_of(pid: int) -> int:
    """Processor time that it has used since its start; 0 when there is no such process."""
    try:
        return time.clock_gettime_ns(~pid << 3 | _CPU_CLOCK_OF_PROCESS)
    except OSError:
        return 0

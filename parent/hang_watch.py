"""Watches the loop of the VRRP child where its peers are quicker than the ordinary watchdog. Decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyhad.common.loop import Loop, Timer
from pyhad.common.pulse import PulsePage
from pyhad.common.states import ProcessName
from pyhad.parent.core.events import ChildStands
from pyhad.parent.core.standing import Doing, Limits, Standing

_DOING = {
    b"T": Doing.STOPPED, b"t": Doing.STOPPED, b"Z": Doing.DEAD, b"X": Doing.DEAD,
    b"S": Doing.ASLEEP, b"R": Doing.RUNNABLE,
}  # fmt: skip
_CPU_CLOCK_OF_PROCESS = 2
"""In a clock id of the kernel's: the scheduler's own count, exact for a process that runs just now."""


class HangWatch:
    """Wakes about once an interval, and not at all without `follow`. `pid_of(name)` is 0 where nobody runs."""

    def __init__(
        self,
        loop: Loop,
        pulse: PulsePage,
        pid_of: Callable[[ProcessName], int],
        on_stands: Callable[[ChildStands], None],
    ) -> None:
        self._loop = loop
        self._pulse = pulse
        self._pid_of = pid_of
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
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if limits is not None:
            self._look()

    def _look(self) -> None:
        assert self._limits is not None
        now_ns, pulse = self._loop.now_ns(), self._pulse.read(ProcessName.VRRP)
        pid = self._pid_of(ProcessName.VRRP)
        if self._standing is None or pid != self._pid:
            self._standing, self._pid = Standing(self._limits, now_ns), pid
        if self._standing.look(pulse.progress, pulse.due_ns, cpu_ns_of(pid), now_ns):
            self._standing.see(doing_of(pid), now_ns)
            if self._standing.stands:
                stood_ns, worked_ns = self._standing.stood_ns, self._standing.worked_ns
                self._standing = Standing(self._limits, now_ns)
                self._on_stands(ChildStands(name=ProcessName.VRRP, stood_ns=stood_ns, worked_ns=worked_ns))
        self._timer = self._loop.at(self._standing.next_look_ns, self._look)


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

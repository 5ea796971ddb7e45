"""A child's scheduling from outside: policy, niceness, CPUs, limits, by its pid. Decides nothing, and needs root.

Real-time is SCHED_RR, reset on fork: scripts stay ordinary. It is for the thread that turns the loop, and later for
ZeroMQ's own ones: a process has ended only when the last of its threads has, and its successor waits. RLIMIT_RTTIME
is the kernel's answer to a real-time process that never waits: SIGXCPU, the end of a child. The parent, whose end would
be that of all, answers it by `rest`.
"""

from __future__ import annotations

import functools
import os
import resource
from collections.abc import Callable, Iterable

from pyhad.common.config.model.scheduling import ProcessSettings
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.common.memory import lock_memory
from pyhad.common.states import ProcessName
from pyhad.parent.core.order import START_ORDER

SETTLED_NS = 500_000_000
"""After this a process that said ready has made its threads."""


class Scheduler:
    """Parent and children as the configuration in force wants them. `pid_of(name)` is 0 where nobody runs."""

    def __init__(self, loop: Loop, logger: FilteringBoundLogger, pid_of: Callable[[ProcessName], int]) -> None:
        self._loop = loop
        self._logger = logger
        self._pid_of = pid_of
        self._settings: dict[str, ProcessSettings] = {}
        self._is_locked = False

    def settings_of(self, name: ProcessName) -> ProcessSettings:
        """What a child of that name is born with."""
        return self._settings.get(name, ProcessSettings(name=name))

    def follow(self, processes: Iterable[ProcessSettings]) -> None:
        """Another configuration is in force."""
        self._settings = {one.name: one for one in processes}
        if self.settings_of(ProcessName.PARENT).lock_memory and not self._is_locked:
            self._is_locked = not lock_memory()
        self._apply(ProcessName.PARENT, os.getpid())
        for name in START_ORDER:
            self._apply(name, self._pid_of(name), all_threads=True)

    def rest(self) -> None:
        """The parent becomes ordinary: it computes for long, and ranks above children that must go on."""
        schedule(os.getpid(), ProcessSettings(name=ProcessName.PARENT))

    def resume(self) -> None:
        """The parent is again what the configuration in force says."""
        self._apply(ProcessName.PARENT, os.getpid())

    def started(self, name: ProcessName, pid: int) -> None:
        """A child was forked."""
        self._apply(name, pid)

    def ready(self, name: ProcessName) -> None:
        """A child has begun its work: its threads follow when they have begun theirs."""
        pid = self._pid_of(name)
        self._loop.after(SETTLED_NS, lambda: self._settle(name, pid))

    def _settle(self, name: ProcessName, pid: int) -> None:
        if pid == self._pid_of(name):
            self._apply(name, pid, all_threads=True)

    def _apply(self, name: ProcessName, pid: int, *, all_threads: bool = False) -> None:
        if not pid:
            return
        settings = self.settings_of(name)
        refused = schedule(pid, settings, all_threads=all_threads)
        if refused:
            wanted = settings.rt_wanted or set(refused) != {"realtime"}
            (self._logger.warning if wanted else self._logger.info)("scheduling_refused", child=str(name), **refused)


def schedule(pid: int, settings: ProcessSettings, *, all_threads: bool = False) -> dict[str, str]:
    """Make it so; what was refused, with the kernel's word for why. A process that is gone refuses nothing.

    `all_threads` is not for a process that begins: a thread that is just being made must not be changed from outside.
    """
    refused: dict[str, str] = {}

    def attempt(what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except ProcessLookupError:
            pass
        except (OSError, ValueError) as error:
            refused[what] = getattr(error, "strerror", None) or str(error)

    if settings.nice:
        attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, pid, settings.nice))
    if settings.cpus:
        attempt("cpu_affinity", lambda: os.sched_setaffinity(pid, settings.cpus))
    threads = _threads(pid) if all_threads else [pid]
    if settings.rt_priority:
        attempt("rlimit_rttime", lambda: _limit(pid, settings.rt_limit_ns // 1_000))
    if settings.rt_priority and "rlimit_rttime" not in refused:
        for thread in threads:
            # The others fork nothing, and libzmq ends a process whose thread has that flag when it begins.
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK if thread == pid else os.SCHED_RR
            attempt("realtime", functools.partial(_change, thread, policy, settings.rt_priority))
    else:
        for thread in threads:
            ours = os.SCHED_RR | os.SCHED_RESET_ON_FORK if thread == pid else os.SCHED_RR
            attempt("realtime", functools.partial(_make_ordinary, thread, ours))
    return refused


def _threads(pid: int) -> list[int]:
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _change(thread: int, policy: int, priority: int) -> None:
    os.sched_setscheduler(thread, policy, os.sched_param(priority))


def _make_ordinary(thread: int, ours: int) -> None:
    """Only what we made real-time: it may have been started so by who starts us."""
    if os.sched_getscheduler(thread) == ours:
        os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def _limit(pid: int, limit_us: int) -> None:
    """Lower only as far as it must: a hard limit that was lowered cannot be raised again everywhere."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_RTTIME)
    wanted = limit_us if hard == resource.RLIM_INFINITY else min(limit_us, hard)
    if wanted != soft:
        resource.prlimit(pid, resource.RLIMIT_RTTIME, (wanted, hard))

"""Tracked processes as virtual routers see them: counts from the script helper, quorums with their delays. No /proc.

A successor begins with what its predecessor had found.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterable

from pyhad.common.blackbox import key_of
from pyhad.common.config.model.tracking import ReceiveBuffer, TrackProcess
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.common.messages_tracked import TrackedProcessStatus
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import FollowProcesses, ProcessesCounted
from pyhad.vrrp_proc.core.process_quorum import ProcessQuorum
from pyhad.vrrp_proc.journal import Journal

FIRST_COUNT_NS = 100_000_000
"""How long the start waits for the first counts."""
_NOTE = struct.Struct("=B")


class TrackedProcesses:
    """`on_reading(name, reading)` runs for each that is configured, and whenever one changed (None: not known)."""

    def __init__(
        self, scripts: Scripts, journal: Journal, loop: Loop, logger: FilteringBoundLogger,
        on_reading: Callable[[str, int | None], None],
    ) -> None:  # fmt: skip
        self._scripts = scripts
        self._journal = journal
        self._loop = loop
        self._logger = logger
        self._on_reading = on_reading
        self._quorums: dict[str, ProcessQuorum] = {}
        self._timers: dict[str, Timer] = {}
        self._asked = FollowProcesses(processes=())
        self._is_first = True
        scripts.on_processes = self._counted

    def status(self) -> tuple[TrackedProcessStatus, ...]:
        """Each with its last count and its verdict."""
        return tuple(
            TrackedProcessStatus(
                name=name,
                count=quorum.count or 0,
                has_quorum=bool(quorum.is_good),
                fork_delay_runs=quorum.next_deadline_ns is not None and quorum.grows,
                terminate_delay_runs=quorum.next_deadline_ns is not None and not quorum.grows,
            )
            for name, quorum in self._quorums.items()
        )

    def configure(self, processes: Iterable[TrackProcess], watch: ReceiveBuffer) -> None:
        """As of the last (re)load; what is of the same kind keeps its verdict."""
        wanted = {process.name: process for process in processes}
        for name in [name for name in self._quorums if name not in wanted]:
            self._journal.forget(_key(self._quorums.pop(name).config))
            self._cancel(name)
        for name, process in wanted.items():
            known = self._quorums.get(name)
            if known is None or _kind(known.config) != _kind(process):
                self._quorums[name] = ProcessQuorum(process, self._noted(process))
                self._cancel(name)
            else:
                if known.reconfigure(process):
                    self._changed(known)
                self._arm(known)
            self._publish(self._quorums[name])
        order = FollowProcesses(processes=tuple(wanted.values()), watch=watch)
        if order != self._asked:
            self._asked = order
            self._scripts.send(order)
        if wanted and self._is_first:
            self._scripts.wait(
                lambda: all(quorum.count is not None for quorum in self._quorums.values()), FIRST_COUNT_NS
            )  # fmt: skip
        self._is_first = False

    def _noted(self, process: TrackProcess) -> bool | None:
        noted = self._journal.noted(_key(process)) if self._is_first else None
        return bool(_NOTE.unpack(noted)[0]) if noted and len(noted) == _NOTE.size else None

    def _counted(self, answer: ProcessesCounted) -> None:
        now_ns = self._loop.now_ns()
        for name, count in answer.counts.items():
            quorum = self._quorums.get(name)
            if quorum is not None and quorum.count != count:
                if quorum.counted(count, now_ns):
                    self._changed(quorum)
                self._arm(quorum)

    def _changed(self, quorum: ProcessQuorum) -> None:
        log = self._logger.info if quorum.is_good else self._logger.warning
        event = "process_quorum_gained" if quorum.is_good else "process_quorum_lost"
        log(event, tracked=quorum.config.name, count=quorum.count)
        self._journal.note(_key(quorum.config), _NOTE.pack(bool(quorum.is_good)))
        self._publish(quorum)

    def _publish(self, quorum: ProcessQuorum) -> None:
        good = quorum.is_good
        self._on_reading(quorum.config.name, None if good is None else int(good))

    def _arm(self, quorum: ProcessQuorum) -> None:
        name, due_ns = quorum.config.name, quorum.next_deadline_ns
        timer = self._timers.get(name)
        if timer is not None and timer.action is not None and timer.at_ns == due_ns:
            return
        self._cancel(name)
        if due_ns is not None:
            self._timers[name] = self._loop.at(due_ns, functools.partial(self._wake, quorum))

    def _wake(self, quorum: ProcessQuorum) -> None:
        if quorum.wake(self._loop.now_ns()):
            self._changed(quorum)
        self._arm(quorum)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _kind(process: TrackProcess) -> object:
    return process.argv, process.full_command, process.param_match


def _key(process: TrackProcess) -> bytes:
    return key_of("track_process", process.name, *process.argv)

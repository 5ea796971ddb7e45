"""The pulse page: shared memory in which each process shows that it makes progress.

Made by the parent before the first fork (MAP_SHARED), one record per process. The child writes its
counter and the time of its last turn; the parent writes who runs (pid, start, restarts, state). Anyone may
read. No message and no system call on the hot path; single 8-byte fields are written whole.
"""

from __future__ import annotations

import mmap
import struct
import time

from pyhad.common.lateness import Lateness
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName, ProcessState

_RECORD_BYTES = 128
_FIELDS = struct.Struct("=QQQQQQQQQQQ")
"""progress, turn_ns, pid, started_ns, restarts, state, lateness three times, due_ns, grace_ns"""
_LATE = struct.Struct("=QQQ")
_U64 = struct.Struct("=Q")
_ORDER = tuple(ProcessName)
PAGE_BYTES = _RECORD_BYTES * len(_ORDER)
LAYOUT = f"1 {_FIELDS.format} {_RECORD_BYTES} {' '.join(_ORDER)} {' '.join(ProcessState)}"
"""Two programs may share a page only if they say the same here."""
_STATES = tuple(ProcessState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One process as the page shows it. Times are CLOCK_MONOTONIC ns; 0 means never."""

    name: ProcessName
    progress: int
    turn_ns: int
    pid: int
    started_ns: int
    restarts: int
    state: ProcessState
    late_ns: int
    """Worst of all, as the process measured it."""
    late_p99_ns: int
    """Of its last minute, as the next one."""
    late_max_ns: int
    due_ns: int = 0
    """When its next turn is due at the latest; 0: unknown."""
    grace_ns: int = 0
    """How much later than that the parent wants to hear that it did not come; 0: not at all."""


class PulsePage:
    """All records. Create it in the parent, before forking."""

    def __init__(self, fd: int = -1) -> None:
        """`fd`: a file of `PAGE_BYTES`; without one the memory is anonymous."""
        self._memory = mmap.mmap(fd, PAGE_BYTES)
        self._worst_ns = -1
        """Of the process that writes here."""

    def read(self, name: ProcessName) -> Pulse:
        """The record of one process as it is now."""
        progress, turn_ns, pid, started_ns, restarts, state, *late = _FIELDS.unpack_from(self._memory, _offset(name))
        return Pulse(
            name=name, progress=progress, turn_ns=turn_ns, pid=pid, started_ns=started_ns,
            restarts=restarts, state=_STATES[state % len(_STATES)],
            late_ns=late[0], late_p99_ns=late[1], late_max_ns=late[2], due_ns=late[3], grace_ns=late[4],
        )  # fmt: skip

    def read_all(self) -> tuple[Pulse, ...]:
        """Every record, parent first."""
        return tuple(self.read(name) for name in _ORDER)

    def beat(self, name: ProcessName, lateness: Lateness | None = None, due_ns: int = 0) -> None:
        """The process `name` finished a turn of its loop now, and the next is due at `due_ns`.

        What it measured is written a few times a second.
        """
        at = _offset(name)
        (progress,) = _U64.unpack_from(self._memory, at)
        _U64.pack_into(self._memory, at, (progress + 1) & 0xFFFFFFFFFFFFFFFF)
        _U64.pack_into(self._memory, at + 8, time.monotonic_ns())
        _U64.pack_into(self._memory, at + 72, due_ns)
        if lateness is not None and (lateness.worst_ns > self._worst_ns or not progress & 63):
            self._worst_ns = lateness.worst_ns
            last = lateness.last()
            _LATE.pack_into(self._memory, at + 48, self._worst_ns, last.p99_ns, last.max_ns)

    def step(self, name: ProcessName) -> None:
        """The process `name` is in a turn of its loop and has done one more thing in it."""
        at = _offset(name)
        (progress,) = _U64.unpack_from(self._memory, at)
        _U64.pack_into(self._memory, at, (progress + 1) & 0xFFFFFFFFFFFFFFFF)

    def grace_ns(self, name: ProcessName) -> int:
        """What the parent wrote last."""
        grace_ns: int = _U64.unpack_from(self._memory, _offset(name) + 80)[0]
        return grace_ns

    def write_grace(self, name: ProcessName, grace_ns: int) -> None:
        """The parent's wish; it stays over a new pid."""
        _U64.pack_into(self._memory, _offset(name) + 80, grace_ns)

    def write_process(
        self, name: ProcessName, *, pid: int, started_ns: int, restarts: int, state: ProcessState
    ) -> None:
        """The parent's half of a record. A new pid also resets the time of the last turn to its start."""
        at = _offset(name)
        if _U64.unpack_from(self._memory, at + 16)[0] != pid:
            _U64.pack_into(self._memory, at + 8, started_ns)
            _LATE.pack_into(self._memory, at + 48, 0, 0, 0)
            _U64.pack_into(self._memory, at + 72, 0)
        _U64.pack_into(self._memory, at + 16, pid)
        _U64.pack_into(self._memory, at + 24, started_ns)
        _U64.pack_into(self._memory, at + 32, restarts)
        _U64.pack_into(self._memory, at + 40, _STATES.index(state))


def _offset(name: ProcessName) -> int:
    return _ORDER.index(name) * _RECORD_BYTES

"""Which processes are of a kind that is tracked, and how many: told of births, ends and looks. Reads no /proc.

A child has the name and the command line of its parent until it becomes another program, so a birth needs no look.
Who was not found by a whole look at the machine is forgotten: events may have been lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model.tracking import ParamMatch, TrackProcess
from pyhad.common.records import dataclass

NAME_BYTES = 15
"""Of a process's name the kernel keeps no more."""


@dataclass(frozen=True, slots=True)
class Description:
    """A living process as /proc has it. `argv` is empty where nobody asks for command lines, and of kernel threads."""

    name: str
    argv: tuple[str, ...] = ()


def looks_at_command_line(process: TrackProcess) -> bool:
    """Whether the command line decides, not the name (TRK-40)."""
    return process.full_command or process.param_match is not ParamMatch.NONE


def is_of_kind(process: TrackProcess, found: Description) -> bool:
    """TRK-40. A name is compared by what the kernel keeps of it, and a path by its last part: names have no folder."""
    if not looks_at_command_line(process):
        return found.name == process.argv[0].rpartition("/")[2][:NAME_BYTES]
    if not found.argv or found.argv[0] != process.argv[0]:
        return False
    wanted, given = process.argv[1:], found.argv[1:]
    match process.param_match:
        case ParamMatch.NONE:
            return True
        case ParamMatch.EXACT:
            return given == wanted
        case ParamMatch.PARTIAL:
            return given[: len(wanted)] == wanted
        case ParamMatch.INITIAL:
            last = len(wanted) - 1
            if last < 0:
                return True
            return len(given) > last and given[:last] == wanted[:last] and given[last].startswith(wanted[last])


class Census:
    """The living processes that matter, by process id."""

    def __init__(self, processes: Iterable[TrackProcess]) -> None:
        self._processes = tuple(processes)
        self.needs_command_lines = any(looks_at_command_line(process) for process in self._processes)
        self._kinds: dict[int, tuple[str, ...]] = {}
        self._seen: dict[int, int] = {}
        """In which look, or after which look's beginning, it was seen."""
        self._look = 0
        self._counts = {process.name: 0 for process in self._processes}

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return dict(self._counts)

    def is_known(self, pid: int) -> bool:
        """Whether it is of any kind."""
        return pid in self._kinds

    def born(self, parent: int, child: int) -> None:
        """`parent` forked."""
        kinds = self._kinds.get(parent)
        if kinds is not None:
            self._put(child, kinds)

    def ended(self, pid: int) -> None:
        """It is no more."""
        self._seen.pop(pid, None)
        for name in self._kinds.pop(pid, ()):
            self._counts[name] -= 1

    def looked(self, pid: int, found: Description | None) -> None:
        """What is there under `pid` now; None: nothing that lives."""
        kinds: tuple[str, ...] = ()
        if found is not None:
            kinds = tuple(process.name for process in self._processes if is_of_kind(process, found))
        self._put(pid, kinds)

    def begin_look(self) -> None:
        """A look at the whole machine begins."""
        self._look += 1

    def end_look(self) -> None:
        """It is over: whoever was not seen since it began is gone."""
        for pid in [pid for pid, look in self._seen.items() if look != self._look]:
            self.ended(pid)

    def _put(self, pid: int, kinds: tuple[str, ...]) -> None:
        self.ended(pid)
        if kinds:
            self._kinds[pid] = kinds
            self._seen[pid] = self._look
            for name in kinds:
                self._counts[name] += 1

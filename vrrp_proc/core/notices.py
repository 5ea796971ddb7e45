"""What is told of a change, to whom: lines for the FIFOs and programs with their arguments. Writes and runs nothing."""

from __future__ import annotations

import enum
from dataclasses import replace

from pyhad.common.config.model.tracking import Notify, Program
from pyhad.common.records import dataclass


class Told(enum.StrEnum):
    """The states as scripts and FIFOs hear of them (NTF-2)."""

    MASTER = "MASTER"
    BACKUP = "BACKUP"
    FAULT = "FAULT"
    STOP = "STOP"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One change: a line for each FIFO, and programs that run one after the other."""

    line: str
    programs: tuple[Program, ...] = ()


def of_state(kind: str, name: str, state: Told, priority: int, notify: Notify) -> Notice:
    """NTF-1, NTF-2, NTF-20: the state's own program, then the general one. `kind` is INSTANCE or GROUP (priority 0)."""
    own = {
        Told.MASTER: notify.master,
        Told.BACKUP: notify.backup,
        Told.FAULT: notify.fault,
        Told.STOP: notify.stop,
        Told.DELETED: notify.deleted,
    }[state]
    programs = [own] if own is not None else []
    if notify.any_state is not None:
        argv = (*notify.any_state.argv, kind, name, state.value, str(priority))
        programs.append(replace(notify.any_state, argv=argv))
    return Notice(line=_line(kind, name, state.value, priority), programs=tuple(programs))


def of_priority(name: str, priority: int, *, is_master: bool) -> Notice:
    """TRK-2: for the FIFOs alone."""
    return Notice(line=_line("INSTANCE", name, "MASTER_PRIORITY" if is_master else "BACKUP_PRIORITY", priority))


def of_lower_priority(name: str, priority: int, notify: Notify) -> Notice:
    """FSM-34: a master heard somebody lesser."""
    program = notify.master_rx_lower_pri
    line = _line("INSTANCE", name, "MASTER_RX_LOWER_PRI", priority)
    return Notice(line=line, programs=() if program is None else (program,))


def _line(kind: str, name: str, word: str, priority: int) -> str:
    return f'{kind} "{name}" {word} {priority}\n'

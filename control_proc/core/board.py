"""The status board: what each process said last, and what the pulse page says of it. Pure: it reads no clock.

A report is never thrown away because it is old: its age is shown instead (field `taken_ns`). Only a process that the
configuration no longer needs loses its report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pyhad.common.config.model import ControlDocument
from pyhad.common.messages import (
    STATUS_SCHEMA,
    CheckerStatus,
    IpvsStatus,
    ProcessStatus,
    StatusReply,
    VrrpStatus,
)
from pyhad.common.states import ProcessName, ProcessState
from pyhad.control_proc.core.events import ProcessSeen, Report

SILENT_AFTER_NS = 700_000_000
"""Every loop turns five times a second; after this long without a turn nothing it said can be trusted."""

R = TypeVar("R", VrrpStatus, CheckerStatus, IpvsStatus)


def is_silent(process: ProcessSeen, now_ns: int) -> bool:
    """True when the process should turn and does not: hung, stopped or dead. One that is not needed is not silent."""
    if process.state is ProcessState.ABSENT:
        return False
    return process.pid == 0 or now_ns - process.turn_ns > SILENT_AFTER_NS


def process_status(process: ProcessSeen, now_ns: int) -> ProcessStatus:
    """One row of the reply."""
    alive = process.pid != 0
    return ProcessStatus(
        name=process.name,
        state=process.state,
        pid=process.pid,
        uptime_ns=max(0, now_ns - process.started_ns) if alive else 0,
        restarts=process.restarts,
        silent_ns=max(0, now_ns - process.turn_ns) if process.turn_ns else 0,
        silent=is_silent(process, now_ns),
        late_ns=process.late_ns,
        late_p99_ns=process.late_p99_ns,
        late_max_ns=process.late_max_ns,
        scheduling=process.scheduling,
    )


class StatusBoard:
    """Holds the last report of each process, the configuration's few facts and the result of the last reload."""

    def __init__(self, document: ControlDocument, version: str) -> None:
        self.document = document
        self._version = version
        self._reports: dict[ProcessName, Report] = {}
        self._reload_ok = True
        self._reload_error = ""
        self._reload_ns = 0
        self.confirm_until_ns = 0
        """A reload waits for its confirmation until then; 0: none does."""

    def keep(self, process: ProcessName, report: Report) -> None:
        """This is now the last word of `process`."""
        self._reports[process] = report

    def note_reload(self, ok: bool, report: str, now_ns: int) -> None:
        """Remember how the last reload went; the text only when it failed."""
        self._reload_ok, self._reload_error, self._reload_ns = ok, "" if ok else report, now_ns

    def reply(
        self, processes: Sequence[ProcessSeen], counters: Mapping[str, int], now_ns: int, asked_ns: int = 0
    ) -> StatusReply:
        """Everything, as of `now_ns`; the processes were asked at `asked_ns`, 0: just now."""
        needed = {process.name for process in processes if process.state is not ProcessState.ABSENT}
        return StatusReply(
            schema=STATUS_SCHEMA,
            version=self._version,
            router_id=self.document.router_id,
            taken_ns=now_ns,
            asked_ns=asked_ns,
            config_files=self.document.files,
            config_generation=self.document.generation,
            last_reload_ok=self._reload_ok,
            last_reload_error=self._reload_error,
            last_reload_ns=self._reload_ns,
            confirm_until_ns=self.confirm_until_ns,
            processes=tuple(process_status(process, now_ns) for process in processes),
            vrrp=self._report(needed, ProcessName.VRRP, VrrpStatus),
            checker=self._report(needed, ProcessName.CHECKER, CheckerStatus),
            ipvs=self._report(needed, ProcessName.IPVS, IpvsStatus),
            counters=dict(counters),
        )

    def _report(self, needed: set[ProcessName], process: ProcessName, kind: type[R]) -> R | None:
        report = self._reports.get(process)
        return report if process in needed and isinstance(report, kind) else None

"""Tells scripts and FIFOs what became of virtual routers and groups. Decides nothing about them, waits for nobody.

Programs go to the script helper under the teller's key, so that each one's changes are told in their order.
"""

from __future__ import annotations

import collections
import os

from pyhad.common.config.model import VrrpDocument, VrrpInstance
from pyhad.common.config.model_tracking import NOBODY, Fifo, SyncGroup
from pyhad.common.log import FilteringBoundLogger
from pyhad.vrrp_proc.core import notices
from pyhad.vrrp_proc.core.notices import Notice, Told
from pyhad.vrrp_proc.script_orders import CloseFifo, FifoOpened, OpenFifo, Tell
from pyhad.vrrp_proc.scripts import Scripts

DEADLINE_NS = 300_000_000_000
"""A notification that takes longer is ended: those after it have waited for long enough."""
_MOST_LINES = 10_000
"""Kept for a FIFO that is not open yet."""


class Notifier:
    """One per process. Lines written before a FIFO is open are kept for it."""

    def __init__(self, scripts: Scripts, logger: FilteringBoundLogger, counters: collections.Counter[str]) -> None:
        self._scripts = scripts
        self._logger = logger
        self._counters = counters
        self._fifos: dict[str, Fifo] = {}
        self._open: dict[str, int] = {}
        self._early: dict[str, list[bytes]] = {}
        self._full: set[str] = set()
        scripts.on_fifo = self._fifo_opened

    # -------------------------------------------------------------------------------------------- telling

    def state(self, config: VrrpInstance, state: Told, priority: int) -> None:
        """A virtual router's state."""
        self._tell(f"INSTANCE {config.name}", notices.of_state("INSTANCE", config.name, state, priority, config.notify))

    def group(self, group: SyncGroup, state: Told) -> None:
        """A sync group's (GRP-7: its priority is 0)."""
        self._tell(f"GROUP {group.name}", notices.of_state("GROUP", group.name, state, 0, group.notify))

    def priority(self, config: VrrpInstance, priority: int, *, is_master: bool) -> None:
        """A router's effective priority, for who wants to know."""
        if config.notify.priority_changes:
            self._tell("", notices.of_priority(config.name, priority, is_master=is_master))

    def lower_priority(self, config: VrrpInstance, priority: int) -> None:
        """A master heard somebody lesser."""
        key = f"INSTANCE {config.name} lower"
        self._tell(key, notices.of_lower_priority(config.name, priority, config.notify))

    def repeat(self, config: VrrpInstance, state: Told, priority: int) -> None:
        """`fifo_write_vrrp_states_on_reload`: to the FIFOs alone."""
        self._write(notices.of_state("INSTANCE", config.name, state, priority, NOBODY).line.encode())

    def _tell(self, key: str, notice: Notice) -> None:
        self._write(notice.line.encode())
        if notice.programs:
            self._scripts.send(Tell(key=key, programs=notice.programs, timeout_ns=DEADLINE_NS))

    # --------------------------------------------------------------------------------------------- FIFOs

    def configure(self, document: VrrpDocument) -> None:
        """Open and close FIFOs as the document has them; one that stays is not touched, its reader goes on."""
        wanted = {fifo.path: fifo for fifo in document.fifos}
        for path in [path for path, fifo in self._fifos.items() if wanted.get(path) != fifo]:
            self._close(path)
        for path, fifo in wanted.items():
            if path not in self._fifos:
                self._fifos[path] = fifo
                self._early[path] = []
                self._scripts.send(OpenFifo(fifo=fifo))

    def close(self) -> None:
        """Orderly end (NTF-24, NTF-25)."""
        for path in list(self._fifos):
            self._close(path)

    def _close(self, path: str) -> None:
        del self._fifos[path]
        self._early.pop(path, None)
        descriptor = self._open.pop(path, -1)
        if descriptor >= 0:
            os.close(descriptor)
        self._scripts.send(CloseFifo(path=path))

    def _fifo_opened(self, answer: FifoOpened, descriptor: int) -> None:
        early = self._early.pop(answer.path, None)
        if answer.error:
            self._logger.error("notify_fifo_not_open", path=answer.path, error=answer.error)
            return
        if early is None:
            if descriptor >= 0:
                os.close(descriptor)
            return
        self._open[answer.path] = descriptor
        for line in early:
            self._write_to(answer.path, line)

    def _write(self, line: bytes) -> None:
        for lines in self._early.values():
            if len(lines) < _MOST_LINES:
                lines.append(line)
        for path in self._open:
            self._write_to(path, line)

    def _write_to(self, path: str, line: bytes) -> None:
        """A line is written whole or not at all: it is shorter than PIPE_BUF (NTF-23)."""
        try:
            os.write(self._open[path], line)
            self._full.discard(path)
        except OSError as error:
            self._counters["fifo_lines_lost"] += 1
            if path not in self._full:
                self._full.add(path)
                self._logger.warning("notify_fifo_lost_lines", path=path, error=error.strerror)

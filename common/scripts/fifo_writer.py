"""Lines into notify FIFOs that the script helper opens. Waits for nobody, knows nothing of what the lines say.

Lines written before a FIFO is open are kept for it. One that is full loses lines (NTF-23), counted and said.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Iterable

from pyhad.common.config.model.tracking import Fifo
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import CloseFifo, FifoOpened, OpenFifo

_MOST_LINES = 10_000
"""Kept for a FIFO that is not open yet."""


class FifoWriter:
    """All FIFOs of one process."""

    def __init__(self, scripts: Scripts, logger: FilteringBoundLogger, counters: collections.Counter[str]) -> None:
        self._scripts = scripts
        self._logger = logger
        self._counters = counters
        self._fifos: dict[str, Fifo] = {}
        self._open: dict[str, int] = {}
        self._early: dict[str, list[bytes]] = {}
        self._full: set[str] = set()
        scripts.on_fifo = self._opened

    def configure(self, fifos: Iterable[Fifo]) -> None:
        """Open and close FIFOs as the configuration has them; one that stays is not touched, its reader goes on."""
        wanted = {fifo.path: fifo for fifo in fifos}
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

    def write(self, line: bytes) -> None:
        """One event, to each FIFO."""
        for lines in self._early.values():
            if len(lines) < _MOST_LINES:
                lines.append(line)
        for path in self._open:
            self._write_to(path, line)

    def _close(self, path: str) -> None:
        del self._fifos[path]
        self._early.pop(path, None)
        descriptor = self._open.pop(path, -1)
        if descriptor >= 0:
            os.close(descriptor)
        self._scripts.send(CloseFifo(path=path))

    def _opened(self, answer: FifoOpened, descriptor: int) -> None:
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

    def _write_to(self, path: str, line: bytes) -> None:
        """A line is written whole or not at all: it is shorter than PIPE_BUF."""
        try:
            os.write(self._open[path], line)
            self._full.discard(path)
        except OSError as error:
            self._counters["fifo_lines_lost"] += 1
            if path not in self._full:
                self._full.add(path)
                self._logger.warning("notify_fifo_lost_lines", path=path, error=error.strerror)

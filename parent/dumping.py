"""Dumps on signals (SIG-3 to SIG-6): a short-lived process writes down what the control process has to tell.

The parent renders nothing and touches no file for it: a full disk or a dead file server holds up nobody but the writer.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable

from pyhad.common import lifeline
from pyhad.common.config.model.process import DumpPlaces
from pyhad.common.log import FilteringBoundLogger, LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.parent.writers import Writers, replace_file

NAMES = {
    int(signal.SIGUSR1): "data",
    int(signal.SIGUSR2): "stats",
    int(signal.SIGRTMIN + 2): "json",
    int(signal.SIGRTMAX - 1): "clear",
}
PATIENCE_S = 5.0
"""How long the writer waits for the control process."""
AT_ONCE_MAX = 4
_DEFAULTS = {"data": "keepalived.data", "stats": "keepalived.stats", "json": "keepalived.json"}


class Dumper:
    """Takes the signals for dumps. `ask(word, fd)` hands the order to the control process; False: it is not there."""

    def __init__(
        self, loop: Loop, run_dir: str, log: LogSettings, *, ask: Callable[[bytes, int], bool],
        logger: FilteringBoundLogger,
    ) -> None:  # fmt: skip
        self._run_dir = run_dir
        self._log = log
        self._ask = ask
        self._logger = logger
        self._writers = Writers(loop, log)

    def take(self, number: int, places: DumpPlaces, instance: str) -> None:
        """The signal `number` came; `instance` is what `data_use_instance` puts into names."""
        name = NAMES[number]
        if self._writers.running >= AT_ONCE_MAX:
            self._logger.warning("dump_refused", dump=name, running=self._writers.running)
            return
        path = path_of(name, places, instance if places.by_instance else "", self._run_dir)
        here, there = lifeline.pair()
        try:
            self._writers.start(lambda: _write(here, path, self._log), "dump", keep=[here.fileno()])
            if not self._ask(lifeline.DUMP + name.encode(), there.fileno()):
                self._logger.warning("dump_not_written", dump=name, error="the control process does not run")
        except OSError as error:
            self._logger.warning("dump_not_written", dump=name, error=str(error))
            return
        finally:
            here.close()
            there.close()


def path_of(name: str, places: DumpPlaces, instance: str, run_dir: str) -> str:
    """Where the dump goes (SIG-13): a name with / in front has its own directory, one with / at the end only that."""
    written = {"data": places.state, "stats": places.stats, "json": places.json}
    name = "stats" if name == "clear" else name
    directory, file = os.path.split(written[name])
    stem, extension = os.path.splitext(file or _DEFAULTS[name])
    return os.path.join(run_dir, directory, f"{stem}{'.' if instance else ''}{instance}{extension}")


def _write(end: socket.socket, path: str, log: LogSettings) -> int:
    """In the writer's process: every text that comes, until the other end is closed."""
    process_log = ProcessLog("dump", log)
    until_s = time.monotonic() + PATIENCE_S
    poll = select.poll()
    poll.register(end, select.POLLIN)
    written: list[str] = []
    while (left_s := until_s - time.monotonic()) > 0 and poll.poll(left_s * 1000):
        heard = lifeline.hear(end)
        if heard is None:
            continue
        word, fd = heard
        if word == b"" or fd < 0:
            break
        part = "" if word == lifeline.MAIN else word.decode("ascii", "replace")
        written.append(_place(path, part, lifeline.read_memfd(fd), process_log.logger))
    if not any(written):
        process_log.logger.warning(
            "dump_not_written", path=path, error="there is nothing to tell, or nobody to tell it"
        )
    process_log.drain()
    return 0


def _place(path: str, part: str, content: bytes, logger: FilteringBoundLogger) -> str:
    """One file; returns its path, or empty when it could not be written."""
    stem, extension = os.path.splitext(path)
    target = f"{stem}{part if part in ('_parent', '_check') else ''}{extension}"
    try:
        replace_file(target, content)
    except OSError as error:
        logger.warning("dump_not_written", path=target, error=error.strerror)
        return target
    logger.debug("dump_written", path=target)
    return target

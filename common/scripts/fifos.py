"""The FIFOs that events are written to, as the script helper makes them: create, open, start the reader, remove.

Writes no line: the open descriptor goes to its master, which does (see fifo_writer.py).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace

from pyhad.common.config.model.tracking import Fifo
from pyhad.common.records import dataclass
from pyhad.common.scripts.orders import Answer, FifoOpened
from pyhad.common.scripts.run import Outcome, Run, Runner

MODE = 0o600


@dataclass(slots=True)
class _Open:
    fifo: Fifo
    made: bool
    reader: Run | None = None


class HelperFifos:
    """All FIFOs of the document. `answer(message, descriptors)` goes to its master."""

    def __init__(self, runner: Runner, answer: Callable[[Answer, tuple[int, ...]], None]) -> None:
        self._runner = runner
        self._answer = answer
        self._open: dict[str, _Open] = {}

    def open(self, fifo: Fifo) -> None:
        """NTF-23 and NTF-25."""
        try:
            made = _make(fifo)
            descriptor = _open_fifo(fifo)
        except OSError as error:
            self._answer(FifoOpened(path=fifo.path, error=error.strerror or str(error)), ())
            return
        self._answer(FifoOpened(path=fifo.path), (descriptor,))
        os.close(descriptor)
        one = self._open[fifo.path] = _Open(fifo, made)
        one.reader = self._start_reader(one)

    def close(self, path: str) -> None:
        """End the reader; remove it if it was made here (NTF-24)."""
        one = self._open.pop(path, None)
        if one is None:
            return
        if one.reader is not None:
            one.reader.terminate()
        if one.made:
            try:
                os.unlink(path)
            except OSError:  # somebody else did
                pass

    def end_readers(self) -> None:
        """The VRRP process is gone; a successor starts readers of its own. The FIFOs stay."""
        for one in self._open.values():
            if one.reader is not None:
                one.reader.terminate()

    def _start_reader(self, one: _Open) -> Run | None:
        script = one.fifo.script
        if script is None:
            return None

        def ended(outcome: Outcome) -> None:
            one.reader = None

        return self._runner.start(replace(script, argv=(*script.argv, one.fifo.path)), 0, ended)


def _make(fifo: Fifo) -> bool:
    """Create it; False when something of that name is there."""
    try:
        os.mkfifo(fifo.path, MODE)
    except FileExistsError:
        return False
    if os.geteuid() == 0:
        os.chown(fifo.path, fifo.uid, fifo.gid, follow_symlinks=False)
    return True


def _open_fifo(fifo: Fifo) -> int:
    """Looked at before it is opened: opening something else might do something. Raises OSError."""
    looked_at = os.open(fifo.path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        found = os.fstat(looked_at)
        if not stat.S_ISFIFO(found.st_mode):
            raise OSError("not a FIFO")
        if found.st_uid not in (0, fifo.uid, os.geteuid()):
            raise OSError(f"belongs to user {found.st_uid}")
        return os.open(f"/proc/self/fd/{looked_at}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(looked_at)

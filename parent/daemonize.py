"""What a process must do to itself to be a daemon: standard descriptors, background."""

from __future__ import annotations

import os
import sys


def ensure_standard_descriptors() -> None:
    """0, 1 and 2 exist, so that no other file can ever take these numbers."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)


class Background:
    """Daemon mode: the process that was called waits for the daemon's word and ends with its code."""

    def __init__(self, *, keep_stderr: bool) -> None:
        """Returns in the daemon only (double fork, own session)."""
        sys.stdout.flush()
        sys.stderr.flush()
        reader, writer = os.pipe2(os.O_CLOEXEC)
        if os.fork() != 0:
            os.close(writer)
            os._exit(_wait_for_word(reader))
        os.close(reader)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for fd in (0, 1) if keep_stderr else (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        self._writer = writer

    def report(self, code: int) -> None:
        """Let the waiting process end with `code`. Only the first word counts."""
        if self._writer >= 0:
            try:
                os.write(self._writer, bytes([code]))
            except OSError:  # it was killed while it waited
                pass
            os.close(self._writer)
            self._writer = -1


def _wait_for_word(reader: int) -> int:
    word = os.read(reader, 1)
    return word[0] if word else 1

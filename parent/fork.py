"""Forking a process that keeps nothing of its parent but the memory and the descriptors it was given."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterable

from pyhad.common import privileges
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.title import set_title, title_of
from pyhad.parent.exits import INTERNAL_ERROR, PERMISSION


def fork_into(work: Callable[[], int], *, keep: Iterable[int], name: str, log: LogSettings) -> int:
    """Fork; the new process closes all but 0, 1, 2 and `keep`, runs `work()` and exits with its result.

    Returns the pid. The new process starts with every signal blocked (`Runtime` opens them once it listens) and with
    SIGINT ignored: a ^C at the terminal is the parent's to act on. Raises OSError when there is no process to be had.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    mask = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(work, frozenset({0, 1, 2, *keep} | ({log.file_fd} - {-1})), name, log)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid


def watch_of(pid: int) -> int:
    """A pidfd of a child just forked. Raises OSError, and then there is no such child any more."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _become(work: Callable[[], int], keep: frozenset[int], name: str, log: LogSettings) -> None:
    """Runs below the parent's own frames, so that the objects that own the closed descriptors are never collected."""
    code = INTERNAL_ERROR
    try:
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        close_all_but(keep)
        privileges.set_process_name(f"pyhad_{name}")
        set_title(title_of(name, log.daemon))
        code = guarded(work, name, log)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def guarded(work: Callable[[], int], name: str, log: LogSettings) -> int:
    """The result of `work()`. What it raises is logged with its traceback and ends as 70, or 4 for lack of rights."""
    try:
        return work()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else INTERNAL_ERROR
    except Exception as error:
        process_log = ProcessLog(name, log)
        process_log.logger.critical("process_crashed", error=repr(error), exc_info=True)
        process_log.drain()
        return PERMISSION if getattr(error, "errno", None) in (errno.EPERM, errno.EACCES) else INTERNAL_ERROR


def close_all_but(keep: frozenset[int]) -> None:
    """Close every other descriptor of this process, whoever thinks to own it."""
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) not in keep:
            try:
                os.close(int(entry))
            except OSError:  # the one of the listing itself
                pass

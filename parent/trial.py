"""The program that is installed now, tried before it takes over: does it start, read what we leave, like the files?"""

from __future__ import annotations

import os
import signal
import sys
import time

from pyhad.common import privileges
from pyhad.common.log import LogSettings
from pyhad.parent.baton import FORMAT
from pyhad.parent.fork import fork_into, watch_of

LIMIT_NS = 60_000_000_000
REPORT_BYTES = 64 * 1024
OPTION = "--upgrade-check"


def command_line() -> list[str]:
    """How this program was started, with the interpreter that is installed now."""
    return [sys.executable, *sys.orig_argv[1:]]


class Trial:
    """`pidfd` becomes readable when it ended; then call `outcome()` once. Raises OSError."""

    def __init__(self, folder: str, environment: dict[str, str], log: LogSettings) -> None:
        """`folder`: where the daemon was started, because its words may name files from there."""
        self._report = os.memfd_create("pyhad_trial", 0)
        parent_pid = os.getpid()

        def work() -> int:
            os.dup2(self._report, 1)
            os.dup2(self._report, 2)
            os.chdir(folder)
            privileges.die_with_parent(parent_pid)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.execve(sys.executable, [*command_line(), f"{OPTION}={FORMAT}"], environment)  # noqa: S606

        try:
            pid = fork_into(work, keep=[self._report], name="trial", log=log)
            self.pidfd = watch_of(pid)
        except OSError:
            os.close(self._report)
            raise
        self.limit_at_ns = time.monotonic_ns() + LIMIT_NS

    def kill(self) -> None:
        """It takes too long."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def outcome(self) -> tuple[bool, str]:
        """(it fits, what it had to say). Reaps it."""
        ended = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        os.close(self.pidfd)
        text = os.pread(self._report, REPORT_BYTES, 0).decode("utf-8", "replace")
        os.close(self._report)
        if ended is None or ended.si_code != os.CLD_EXITED:
            return False, f"{text}the installed program crashed or took too long when it was tried\n"
        return ended.si_status == 0, text

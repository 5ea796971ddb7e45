"""`reload_time_file`: looks whether the file changed, and reloads when its moment has come (REL-6).

A short-lived process without rights but to read looks into the file and hands back a number: the parent reads no text.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pyhad.common import lifeline, privileges
from pyhad.common.log import FilteringBoundLogger, LogSettings
from pyhad.common.loop import Loop, Timer
from pyhad.parent.core.reload_time import appointment
from pyhad.parent.fork import fork_into, watch_of

LOOK_NS = 1_000_000_000
STEP_S = 30.0
"""A timer runs on the monotonic clock: so often it is set anew by the wall clock, which may have been stepped."""
READ_BYTES = 64
_Mark = tuple[int, int, int]


class ReloadClock:
    """`configure` with each configuration; `on_due` runs when a reload is wanted."""

    def __init__(
        self, loop: Loop, log: LogSettings, account: tuple[str, int, int], *, logger: FilteringBoundLogger,
        on_due: Callable[[], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._log = log
        self._account = account
        self._logger = logger
        self._on_due = on_due
        self._path = ""
        self._repeat = False
        self._mark: _Mark | None = None
        self._at_s = 0.0
        self._daily = False
        self._timer: Timer | None = None
        self._looking = False

    def configure(self, path: str, repeat: bool) -> None:
        """Another file is looked at anew; the same one goes on."""
        self._repeat = repeat
        if path != self._path:
            self._path, self._mark = path, None
            self._forget()
        if path and not self._looking:
            self._looking = True
            self._look()

    def _look(self) -> None:
        if not self._path:
            self._looking = False
            return
        mark = _mark_of(self._path)
        if mark != self._mark:
            self._mark = mark
            self._forget()
            if mark is not None:
                self._read()
        self._loop.after(LOOK_NS, self._look)

    def _read(self) -> None:
        ours, theirs = lifeline.pair()
        try:
            pid = fork_into(
                lambda: _read_file(theirs, self._path, self._account), keep=[theirs.fileno()], name="clock",
                log=self._log,
            )  # fmt: skip
            pidfd = watch_of(pid)
        except OSError as error:
            self._logger.warning("reload_time_unknown", path=self._path, error=str(error))
            ours.close()
            return
        finally:
            theirs.close()
        self._loop.watch(pidfd, lambda _events: self._was_read(pidfd, ours))

    def _was_read(self, pidfd: int, ours: socket.socket) -> None:
        self._loop.unwatch(pidfd)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)
        word, _ = lifeline.hear(ours) or (b"", -1)
        ours.close()
        digits = word.removesuffix(b"d")
        if not digits.isdigit():
            self._logger.warning("reload_time_unknown", path=self._path, error="no time to come stands in it")
            return
        self._at_s, self._daily = float(int(digits)), word != digits
        self._logger.info(
            "reload_scheduled", at=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._at_s)), daily=self._daily
        )
        self._wait()

    def _wait(self) -> None:
        left_s = self._at_s - time.time()
        if left_s <= 0:
            self._due()
            return
        self._timer = self._loop.after(int(min(left_s, STEP_S) * 1_000_000_000) + 1, self._wait)

    def _due(self) -> None:
        again = self._daily and self._repeat
        self._forget()
        if again:
            self._read()  # the next day
        else:
            self._mark = None
            try:
                os.unlink(self._path)
            except OSError as error:
                self._mark = _mark_of(self._path)
                self._logger.warning("reload_time_file_not_removed", path=self._path, error=error.strerror)
        self._on_due()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _mark_of(path: str) -> _Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read_file(end: socket.socket, path: str, account: tuple[str, int, int]) -> int:
    """In its own process: the moment in seconds since 1970, with a `d` for one that can be kept each day."""
    _, uid, gid = account
    privileges.drop(uid=uid, gid=gid, keep=frozenset({privileges.CAP_DAC_READ_SEARCH}))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    select.select([fd], [], [], 1)
    now = datetime(*time.localtime()[:6], tzinfo=UTC)
    found = appointment(os.read(fd, READ_BYTES).decode("ascii", "replace"), now)
    if found is None:
        lifeline.say(end, b"-")
        return 0
    at_s = time.mktime((*found.at.timetuple()[:6], 0, 0, -1))
    lifeline.say(end, b"%d%s" % (at_s, b"d" if found.daily else b""))
    return 0

"""Short-lived processes that write files for the parent: a full disk or a dead file server holds up nobody else."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable

from pyhad.common import privileges
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.parent.fork import fork_into, watch_of

_CAP_DAC_OVERRIDE = 1
_CAP_FOWNER = 3


class Writers:
    """Forks them and reaps them."""

    def __init__(self, loop: Loop, log: LogSettings) -> None:
        self._loop = loop
        self._log = log
        self.running = 0

    def start(self, work: Callable[[], int], name: str, keep: Iterable[int] = ()) -> None:
        """Have `work()` done as root without other rights than to write files; an OSError in it is logged.

        Raises OSError when there is no process to be had.
        """
        pidfd = watch_of(fork_into(lambda: _guarded(work, name, self._log), keep=keep, name=name, log=self._log))
        self.running += 1
        self._loop.watch(pidfd, lambda _events: self._reap(pidfd))

    def _reap(self, pidfd: int) -> None:
        self.running -= 1
        self._loop.unwatch(pidfd)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)


def _guarded(work: Callable[[], int], name: str, log: LogSettings) -> int:
    privileges.drop(uid=os.geteuid(), gid=os.getegid(), keep=frozenset({_CAP_DAC_OVERRIDE, _CAP_FOWNER}))
    try:
        return work()
    except OSError as error:
        process_log = ProcessLog(name, log)
        process_log.logger.warning("file_not_written", path=error.filename, error=error.strerror)
        process_log.drain()
        return 1


def replace_file(path: str, content: bytes) -> None:
    """Write under a name that did not exist, then rename: no link is followed, nobody reads half a file (SIG-11).

    Raises OSError.
    """
    fresh = f"{path}.{secrets.token_hex(8)}"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        os.rename(fresh, path)
    except OSError:
        os.unlink(fresh)
        raise

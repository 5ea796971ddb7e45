"""Log files (`-g`): one process writes them all, so that a slow or full disk holds up nobody else.

Each process has a pipe that it writes to without ever blocking (common/log.py); what does not fit is dropped there, and
counted. The pipes are the parent's: the writer can be replaced, and it ends when nobody has an end to write to.
"""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Callable, Iterable

from pyhad.common import privileges
from pyhad.common.log import LogSettings
from pyhad.common.loop import Loop
from pyhad.common.states import ProcessName
from pyhad.parent.fork import fork_into, watch_of

PIPE_BYTES = 1 << 20
READ_BYTES = 1 << 16
LOOK_S = 1.0
"""How often a file is looked for that was moved away or could not be opened."""
RETRY_NS = 1_000_000_000
_SUFFIX = {ProcessName.PARENT: "", ProcessName.VRRP: "_vrrp", ProcessName.CHECKER: "_healthcheckers"}
_CAP_DAC_OVERRIDE = 1


class LogFiles:
    """The files of one daemon; the parent's has the name that was given, the others a suffix in it (CLI-9)."""

    def __init__(self, log: LogSettings) -> None:
        self._log = log
        self._path = ""
        self.pid = 0
        """Of the writer."""
        self._readers: dict[ProcessName, int] = {}
        self._writers: dict[ProcessName, int] = {}
        for name in ProcessName:
            reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            except OSError:  # over the limit of this user: a small one does too
                pass
            self._readers[name], self._writers[name] = reader, writer

    def place(self, path: str) -> None:
        """Where they are; before that, and before `serve`, lines wait in the pipes."""
        self._path = path

    def fd_of(self, name: ProcessName) -> int:
        """Where this process writes its lines."""
        return self._writers[name]

    def serve(self, loop: Loop, on_death: Callable[[], None]) -> None:
        """Fork the writer, and again whenever it dies."""
        keep = [*self._readers.values()]
        try:
            self.pid = fork_into(self._write, keep=keep, name="log", log=self._log)
            pidfd = watch_of(self.pid)
        except OSError:
            loop.after(RETRY_NS, lambda: self.serve(loop, on_death))
            return

        def reap(_events: int) -> None:
            loop.unwatch(pidfd)
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
            os.close(pidfd)
            on_death()
            loop.after(RETRY_NS, lambda: self.serve(loop, on_death))

        loop.watch(pidfd, reap)

    def _write(self) -> int:
        """In the writer's process; every signal stays blocked, for its end is that of all who write."""
        privileges.drop(uid=os.geteuid(), gid=os.getegid(), keep=frozenset({_CAP_DAC_OVERRIDE}))
        _Writer((self._readers[name], path_of(self._path, name)) for name in ProcessName).run()
        return 0


class _Writer:
    """From pipes to files."""

    def __init__(self, pairs: Iterable[tuple[int, str]]) -> None:
        self._files = {reader: _File(path) for reader, path in pairs}
        self._poll = select.poll()
        for reader in self._files:
            self._poll.register(reader, select.POLLIN)

    def run(self) -> None:
        """Until nobody can write to any of them."""
        while self._files:
            for reader, _ in self._poll.poll():
                content = _read(reader)
                if content == b"":
                    self._poll.unregister(reader)
                    del self._files[reader]
                elif content is not None:
                    self._files[reader].write(content)


def _read(reader: int) -> bytes | None:
    try:
        return os.read(reader, READ_BYTES)
    except BlockingIOError:
        return None


class _File:
    """One file, opened again where somebody moved it away."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._looked_s = float("-inf")

    def write(self, content: bytes) -> None:
        """All of it, or as much as the disk takes."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._look()
        view = memoryview(content)
        try:
            while view and self._fd >= 0:
                view = view[os.write(self._fd, view) :]
        except OSError:  # full: what comes later may fit again
            pass

    def _look(self) -> None:
        if self._fd >= 0 and _is_at(self._fd, self._path):
            return
        if self._fd >= 0:
            os.close(self._fd)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(self._path, flags, 0o600)
        except OSError:
            self._fd = -1


def _is_at(fd: int, path: str) -> bool:
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    opened = os.fstat(fd)
    return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)


def path_of(path: str, name: ProcessName) -> str:
    """The log file of one process (CLI-9)."""
    stem, extension = os.path.splitext(path)
    return f"{stem}{_SUFFIX.get(name, f'_{name}')}{extension}"

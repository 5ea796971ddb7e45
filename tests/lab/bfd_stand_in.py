"""What the process for BFD will be to the others: it adopts the socket that the parent holds for it, and speaks there.

It speaks no BFD: the test says which sessions are up.
"""

from __future__ import annotations

import collections
import ctypes
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from pyhad.common.bus import Context, Hub, Peer
from pyhad.common.channels import BFD
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.messages import Beat, SnapshotWanted
from pyhad.common.messages_bfd import BfdChanged, BfdSession, BfdSnapshot

BEAT_S = 0.5
_PIDFD_GETFD = 438


class BfdStandIn:
    """One such process. `end()` is its death: the next one adopts the same socket."""

    def __init__(self, parent_pid: int, run_dir: Path, **up: bool) -> None:
        self.up = up
        self.listeners: dict[bytes, Peer] = {}
        """Who asked, by the name it has on the line."""
        self.is_mute = False
        self._loop, self._context = Loop(), Context()
        self._generation, self._sequence, self._beaten_s = time.monotonic_ns(), 0, 0.0
        listener = _descriptor_of(parent_pid, str(run_dir / BFD.path))
        self._hub = Hub(
            self._loop, self._context, BFD, path=str(run_dir / BFD.path), listener_fd=listener,
            logger=ProcessLog("bfd", LogSettings(syslog=False)).logger, counters=collections.Counter(),
            is_welcome=lambda _peer: True, on_message=self._asked,
        )  # fmt: skip
        os.close(listener)

    def _asked(self, sender: bytes, peer: Peer, message: object) -> None:
        assert isinstance(message, SnapshotWanted)
        self.listeners[sender] = peer
        sessions = tuple(self._session(name) for name in self.up)
        self._say(BfdSnapshot(generation=self._generation, sequence=self._sequence, sessions=sessions), {sender})

    def change(self, name: str, *, up: bool, lose: bool = False) -> None:
        """The session went up or down; `lose`: nobody hears the word."""
        self.up[name] = up
        self._sequence += 1
        word = BfdChanged(generation=self._generation, sequence=self._sequence, session=self._session(name))
        self._say(word, () if lose else self.listeners)

    def until(self, true: Callable[[], object], what: str, timeout_s: float = 40) -> float:
        """Speak until something holds; returns the seconds it took."""
        start = time.monotonic()
        while not true():
            assert time.monotonic() - start < timeout_s, f"waited {timeout_s} s in vain until {what}"
            if time.monotonic() - self._beaten_s >= BEAT_S:
                self._beaten_s = time.monotonic()
                self._say(Beat(generation=self._generation, sequence=self._sequence), self.listeners)
            self._loop.after(20_000_000, lambda: None)
            self._loop.turn(0.02)
        return time.monotonic() - start

    def end(self) -> None:
        self._hub.close()
        self._context.close()
        self._loop.close()

    def _session(self, name: str) -> BfdSession:
        return BfdSession(name=name, up=self.up[name], since_ns=1)

    def _say(self, word: object, to: collections.abc.Iterable[bytes]) -> None:
        for sender in [] if self.is_mute else list(to):
            self._hub.send(sender, word)


def _descriptor_of(pid: int, path: str) -> int:
    """A duplicate of the listening socket that another process holds for `path`, as its child would inherit it."""
    inodes = re.findall(rf"^\S+ \S+ \S+ \S+ \S+ 01 +(\d+) {re.escape(path)}$", _unix_sockets(pid), re.MULTILINE)
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(fd) in {f"socket:[{inode}]" for inode in inodes}:
            pidfd = os.pidfd_open(pid)
            try:
                got: int = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, pidfd, int(fd.name), 0)
            finally:
                os.close(pidfd)
            assert got >= 0, os.strerror(ctypes.get_errno())
            return got
    raise AssertionError(f"process {pid} does not listen on {path}")


def _unix_sockets(pid: int) -> str:
    return Path(f"/proc/{pid}/net/unix").read_text()

"""The run directory: its lock, its folders, and the listening sockets that outlive the children.

Only whoever holds the lock touches what lies here. `bus/` belongs to the service account and to group root, because the
privileged children are root without CAP_DAC_OVERRIDE: nobody else gets in. `control` is for group `pyhad`.
"""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import stat

from pyhad.common.channels import CHANNELS, Channel
from pyhad.common.privileges import SERVICE_USER
from pyhad.common.states import ProcessName
from pyhad.parent.baton import Baton

BACKLOG = 128
BUS = "bus"
BUS_MODE = 0o770
RUN_DIR_MODE = 0o755
"""Whatever the umask: the service account and the operators must pass through."""


class AlreadyRunningError(Exception):
    """Another daemon holds the lock of this run directory."""


class RunDir:
    """The run directory of this daemon, locked from here to the end of the process. Raises OSError."""

    def __init__(self, path: str, left: Baton | None = None) -> None:
        """`left`: the program before this one holds the lock and the sockets, and hands them over."""
        self.path = os.path.abspath(path)
        self.listeners: dict[str, socket.socket] = {}
        if left is not None:
            self._lock = left.lock
            self._left = dict(left.listeners)
            return
        self._left = {}
        _make_open(self.path)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock = os.open(os.path.join(self.path, "lock"), flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise AlreadyRunningError(self.path) from None

    def open_listeners(self, account: tuple[str, int, int]) -> None:
        """Make the folders and bind every channel. Raises OSError."""
        _, uid, _ = account
        _require_passage(self.path, account)
        self._make_bus(uid)
        for channel in CHANNELS:
            owner = (uid, 0) if channel.path.startswith(f"{BUS}/") else (0, _operators_gid())
            left = self._left.pop(channel.name, None)
            self.listeners[channel.name] = self._listen(channel, owner) if left is None else socket.socket(fileno=left)
        for fd in self._left.values():  # channels that this version does not have
            os.close(fd)

    def listeners_of(self, hub: ProcessName) -> dict[str, int]:
        """The descriptors that the process `hub` serves, by channel."""
        return {
            channel.name: self.listeners[channel.name].fileno()
            for channel in CHANNELS
            if channel.hub is hub and channel.name in self.listeners
        }

    @property
    def lock_fd(self) -> int:
        """For the baton."""
        return self._lock

    def close(self) -> None:
        """Orderly end: the sockets disappear, the lock is free."""
        for channel in CHANNELS:
            listener = self.listeners.pop(channel.name, None)
            if listener is not None:
                _unlink(os.path.join(self.path, channel.path))
                listener.close()
        os.close(self._lock)

    def _make_bus(self, uid: int) -> None:
        path = os.path.join(self.path, BUS)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise
        if os.geteuid() == 0:
            os.chown(path, 0, 0)  # root again, so that the mode can be set without CAP_FOWNER
        os.chmod(path, BUS_MODE)
        if os.geteuid() == 0:
            os.chown(path, uid, 0)

    def _listen(self, channel: Channel, owner: tuple[int, int]) -> socket.socket:
        path = os.path.join(self.path, channel.path)
        _unlink(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        umask = os.umask(0o777 & ~channel.mode)
        try:
            listener.bind(path)
        finally:
            os.umask(umask)
        if os.geteuid() == 0:
            os.chown(path, *owner)
        listener.listen(BACKLOG)
        return listener


def _make_open(path: str) -> None:
    """The directory and whatever is missing above it."""
    if not os.path.exists(path):
        _make_open(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, RUN_DIR_MODE)


def _require_passage(path: str, account: tuple[str, int, int]) -> None:
    """Processes without rights that cannot reach their sockets would run, and never hear of each other."""
    name, uid, gid = account
    path = os.path.realpath(path)
    while os.geteuid() == 0 and uid != 0:
        found = os.stat(path)
        bit = stat.S_IXUSR if found.st_uid == uid else stat.S_IXGRP if found.st_gid == gid else stat.S_IXOTH
        if not found.st_mode & bit and not _has_acl(path):
            raise PermissionError(f"the user {name} cannot pass {path} and would not reach the sockets in it")
        if path == os.path.dirname(path):
            return
        path = os.path.dirname(path)


def _has_acl(path: str) -> bool:
    """Then the mode does not tell everything."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:
        return False


def _operators_gid() -> int:
    try:
        return grp.getgrnam(SERVICE_USER).gr_gid
    except KeyError:
        return 0


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass

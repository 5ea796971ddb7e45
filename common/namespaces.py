"""Network namespaces: entering one by its name. Needs CAP_SYS_ADMIN."""

from __future__ import annotations

import ctypes
import os

FOLDER = "/run/netns"
"""Where `ip netns` keeps their names."""
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def here() -> int:
    """A descriptor of the network namespace that this process is in. Raises OSError."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter_named(name: str) -> None:
    """Move this process into the network namespace that `ip netns` knows as `name`. Raises OSError."""
    fd = os.open(os.path.join(FOLDER, name), os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(fd, name)
    finally:
        os.close(fd)


def cannot_enter(name: str) -> str:
    """Enter it; empty, or in words why this process cannot live there."""
    try:
        enter_named(name)
    except OSError as error:
        return f"network namespace {name}: {error.strerror}"
    return ""


def enter(fd: int, name: str = "") -> None:
    """Move this process into the network namespace of that descriptor. Raises OSError."""
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)

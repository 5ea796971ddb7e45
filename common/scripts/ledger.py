"""The file that says what a VRRP process may have installed: replaced as a whole, read once. Knows no content.

What was there before the first note of a process stays beside it until that process has seen to it: it may die in
between, and so may the helper.
"""

from __future__ import annotations

import os

MOST_BYTES = 4 * 1024 * 1024
"""Some 5,000 routes and rules; a longer file is neither written nor read."""


_UNREAD = ".unread"


def put(path: str, descriptor: int) -> None:
    """Put what is in `descriptor` (a memfd) at `path`. Raises OSError; the old content stays then."""
    fresh = f"{path}.new"
    with open(fresh, "wb", opener=_private) as file:
        file.write(os.pread(descriptor, MOST_BYTES, 0))
    os.replace(fresh, path)


def exchange(path: str, descriptor: int) -> list[int]:
    """The same; returns memfds of what was there before, the last one last, and keeps it until `settle`."""
    unread = path + _UNREAD
    if not os.path.lexists(unread) and os.path.lexists(path):
        os.replace(path, unread)
        names = [unread]
    else:
        names = [unread, path]
    before = [_copy(name) for name in names]
    try:
        put(path, descriptor)
    except OSError:
        for one in before:
            os.close(one)
        raise
    return before


def settle(path: str) -> None:
    """Nobody needs what was there before the first note. Raises OSError."""
    try:
        os.unlink(path + _UNREAD)
    except FileNotFoundError:
        return


def _copy(path: str) -> int:
    """Its content as a memfd; empty where there is none."""
    copy = os.memfd_create("ledger", os.MFD_CLOEXEC)
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return copy
    except OSError:
        os.close(copy)
        raise
    if len(content) <= MOST_BYTES:
        os.write(copy, content)
    return copy


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

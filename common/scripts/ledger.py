"""The file that says what a VRRP process may have installed: replaced as a whole, read once. Knows no content."""

from __future__ import annotations

import os

MOST_BYTES = 4 * 1024 * 1024
"""Some 5,000 routes and rules; a longer file is neither written nor read."""


def exchange(path: str, descriptor: int) -> int:
    """Put what is in `descriptor` (a memfd) at `path`; returns a memfd of what was there before, perhaps empty.

    Raises OSError when the new one cannot be written; the old one stays then.
    """
    before = os.memfd_create("ledger", os.MFD_CLOEXEC)
    try:
        _copy(path, before)
        fresh = f"{path}.new"
        with open(fresh, "wb", opener=_private) as file:
            file.write(os.pread(descriptor, MOST_BYTES, 0))
        os.replace(fresh, path)
    except OSError:
        os.close(before)
        raise
    return before


def _copy(path: str, descriptor: int) -> None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return
    if len(content) <= MOST_BYTES:
        os.write(descriptor, content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

"""A process's memory: kept out of the swap, and built without looking for garbage. Decides nothing."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
from collections.abc import Iterator

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_libc = ctypes.CDLL(None, use_errno=True)


def lock_memory() -> str:
    """What is in memory stays there, and what comes. Returns the kernel's reason against it, "" for done.

    Pages are locked when they are touched, so that nothing is read in or copied for it: what is shared with the
    parent stays shared. Must come before rights are given up. Where the limit of locked memory cannot be lifted, only
    what is mapped now is locked: new mappings would fail once the limit is reached and the right to pass it is gone.
    """
    flags = _MCL_CURRENT | _MCL_ONFAULT
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        flags |= _MCL_FUTURE
    except (OSError, ValueError):
        pass
    if _libc.mlockall(flags) != 0:
        return os.strerror(ctypes.get_errno())
    return ""


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Nothing looks for garbage within: of what is built from a document all stays, and thousands of objects are looked
    through again and again meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

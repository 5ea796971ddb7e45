"""Keeping a process's memory out of the swap. Decides nothing."""

from __future__ import annotations

import ctypes
import os
import resource

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

"""What a process that has loaded thousands of checks does about its memory once. Decides nothing."""

from __future__ import annotations

import ctypes
import gc

_libc = ctypes.CDLL(None)


def settle_memory() -> None:
    """What is here is here to stay: no collection looks at it again, and what loading it took goes back to the kernel.

    Nothing here goes in circles, so that it is freed when it is replaced although it is not looked at.
    """
    gc.collect()
    gc.freeze()
    try:
        _libc.malloc_trim(0)
    except AttributeError:  # a C library without it
        pass

"""What a process with thousands of checks does about its memory. Decides nothing."""

from __future__ import annotations

import ctypes
import gc

GIVING_BACK_NS = 10_000_000_000
_libc = ctypes.CDLL(None)


def settle_memory() -> None:
    """After loading: what is here is here to stay, and no collection looks at it again.

    Nothing here goes in circles, so that it is freed when it is replaced although it is not looked at.
    """
    gc.collect()
    gc.freeze()
    give_back()


def give_back() -> None:
    """Memory that the C library keeps to itself goes back to the kernel: what many handshakes at once took."""
    try:
        _libc.malloc_trim(0)
    except AttributeError:  # a C library without it
        pass

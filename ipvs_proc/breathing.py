"""Progress while one long call into C runs: a thread that says "alive" for us, but not for ever.

ctypes gives up the interpreter lock during a call, so the thread runs while the loop cannot. A call that never ends
stops breathing after `LONGEST_S`, and the watchdog does its work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY_S = 0.1
LONGEST_S = 60.0


@contextmanager
def breathing(breathe: Callable[[], None]) -> Iterator[None]:
    """Call `breathe` every EVERY_S from now to the end of the block, for LONGEST_S at most."""
    over = threading.Event()
    thread = threading.Thread(target=_breathe_until, args=(over, breathe), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _breathe_until(over: threading.Event, breathe: Callable[[], None]) -> None:
    for _ in range(int(LONGEST_S / EVERY_S)):
        if over.wait(EVERY_S):
            return
        breathe()

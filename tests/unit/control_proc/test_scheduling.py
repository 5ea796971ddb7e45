"""How a process is scheduled, as a word."""

from __future__ import annotations

import os

from pyhad.control_proc.scheduling import scheduling_of


def test_an_ordinary_process_and_nobody() -> None:
    assert scheduling_of(os.getpid()) == "other"
    assert scheduling_of(0) == ""
    assert scheduling_of(2**22 + 1) == ""

"""Locked memory: nothing is read in for it. Memory that is being built: nothing looks for garbage in it."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from pyhad.common.memory import lock_memory, uncollected


def sizes() -> dict[str, int]:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def test_what_is_in_memory_is_locked_and_nothing_is_read_in() -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        before = sizes()
        why = lock_memory()
        after = sizes()
        os.write(writer, f"{why}|{before['Rss']}|{after['Rss']}|{after['Locked']}".encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    why, before, after, locked = os.read(reader, 1000).decode().split("|")
    os.close(reader)
    if why:
        pytest.skip(f"memory cannot be locked here: {why}")
    assert int(locked) > 1000
    assert int(after) - int(before) < 2000


def test_nothing_looks_for_garbage_while_much_is_built() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_collects_at_times_of_its_own_goes_on_so() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_within_does_not_end_the_collecting() -> None:
    with pytest.raises(ValueError, match="bad"), uncollected():
        raise ValueError("bad")
    assert gc.isenabled()

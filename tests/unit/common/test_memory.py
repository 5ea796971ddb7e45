"""Locked memory: nothing is read in for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.memory import lock_memory


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

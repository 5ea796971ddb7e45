"""Waiting for another process to end."""

from __future__ import annotations

import os
import subprocess
import time

from pyhad.common.loop import Loop
from pyhad.ipvs_proc.last_out import after_end_of


def turn_until(loop: Loop, said: list[str]) -> None:
    end_ns = time.monotonic_ns() + 3_000_000_000
    while not said and time.monotonic_ns() < end_ns:
        loop.turn(0.1)


def test_the_action_runs_once_when_the_process_has_ended() -> None:
    loop, said = Loop(), []  # type: tuple[Loop, list[str]]
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    after_end_of(loop, process.pid, lambda: said.append("over"))
    loop.turn(0)
    assert said == []
    process.communicate(b"")
    turn_until(loop, said)
    loop.turn(0)
    assert said == ["over"]
    loop.close()


def test_patience_ends() -> None:
    loop, said = Loop(), []  # type: tuple[Loop, list[str]]
    after_end_of(loop, os.getpid(), lambda: said.append("over"), patience_ns=1_000_000)
    turn_until(loop, said)
    assert said == ["over"]
    loop.close()


def test_a_process_that_never_was_is_not_waited_for() -> None:
    loop, said = Loop(), []  # type: tuple[Loop, list[str]]
    after_end_of(loop, 0, lambda: said.append("over"))
    assert said == ["over"]
    loop.close()

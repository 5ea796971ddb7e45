"""A forked process keeps what it was given and nothing else, and always ends with a status."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pyhad.common.log import LogSettings
from pyhad.parent.fork import fork_into, guarded

SILENT = LogSettings(console=False, syslog=False)


def status_of(work: Callable[[], int], *keep: int) -> int:
    pid = fork_into(work, keep=keep, name="vrrp", log=SILENT)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_result_of_the_work_is_the_exit_status() -> None:
    assert status_of(lambda: 7) == 7


def test_only_the_descriptors_given_are_open() -> None:
    reader, writer = os.pipe()
    other = os.dup(writer)

    def work() -> int:
        found = sorted(int(entry) for entry in os.listdir("/proc/self/fd"))
        os.write(writer, repr([fd for fd in found if fd > 2]).encode())
        return 0

    assert status_of(work, writer) == 0
    open_there = [int(word) for word in os.read(reader, 1000).decode().strip("[]").split(", ")]
    assert writer in open_there
    assert reader not in open_there
    assert other not in open_there
    for fd in (reader, writer, other):
        os.close(fd)


def test_signals_are_blocked_until_the_work_is_ready_for_them() -> None:
    def work() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return 7 if signal.SIGTERM in signal.sigpending() else 8

    assert status_of(work) == 7


def test_an_interrupt_from_the_terminal_is_ignored() -> None:
    def work() -> int:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.kill(os.getpid(), signal.SIGINT)
        return 7

    assert status_of(work) == 7


@pytest.mark.behaviour("PROC-20")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("bug"), 70),
        (PermissionError(1, "no"), 4),
        (PermissionError(13, "no"), 4),
        (OSError(22, "x"), 70),
        (SystemExit(3), 3),
    ],
)
def test_an_exception_becomes_a_status(error: BaseException, status: int) -> None:
    def work() -> int:
        raise error

    assert status_of(work) == status


def test_a_crash_is_logged_with_its_traceback(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def work() -> int:
        raise RuntimeError("bug")

    assert guarded(work, "vrrp", LogSettings(syslog=False, file=str(log))) == 70
    text = log.read_text()
    assert '"event": "process_crashed"' in text
    assert "RuntimeError('bug')" in text
    assert "in work" in text

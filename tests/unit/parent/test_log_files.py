"""Log files: where they are, and that a process that writes lines never waits for the one that writes files."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.states import ProcessName
from pyhad.parent.log_files import LogFiles, path_of

SILENT = LogSettings(syslog=False)


@pytest.mark.behaviour("CLI-9")
def test_children_put_their_name_before_the_last_dot() -> None:
    assert path_of("/l/p.y.log", ProcessName.PARENT) == "/l/p.y.log"
    assert path_of("/l/p.y.log", ProcessName.VRRP) == "/l/p.y_vrrp.log"
    assert path_of("/l/plain", ProcessName.CHECKER) == "/l/plain_healthcheckers"
    assert path_of("/l/plain", ProcessName.IPVS) == "/l/plain_ipvs"


class Written:
    """A writer with its loop, and the log of one process that writes by it."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.files = LogFiles(SILENT)
        self.files.place(str(folder / "p.log"))
        self.path = folder / "p_vrrp.log"
        self.log = ProcessLog("vrrp", LogSettings(syslog=False, file_fd=self.files.fd_of(ProcessName.VRRP)))
        self.deaths = 0

    def serve(self) -> None:
        def died() -> None:
            self.deaths += 1

        self.files.serve(self.loop, died)

    def say(self, number: int) -> None:
        self.log.logger.info("noise", number=number, filler="x" * 500)
        self.log.flush()

    def numbers(self, count: int) -> list[int]:
        """Of the lines in the file, once there are so many."""
        end = time.monotonic() + 20
        lines: list[bytes] = []
        while len(lines) < count and time.monotonic() < end:
            self.loop.turn(0.01)
            self.log.flush()
            lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        return [json.loads(line)["number"] for line in lines]

    def kill(self) -> None:
        """The writer, in the middle of its work."""
        os.kill(self.files.pid, signal.SIGKILL)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Not served yet."""
    return Written(tmp_path)


def test_lines_wait_for_the_writer_and_survive_its_death(written: Written) -> None:
    written.say(1)
    written.serve()
    assert written.numbers(1) == [1]
    assert written.path.stat().st_mode & 0o777 == 0o600
    written.kill()
    written.say(2)
    assert written.numbers(2) == [1, 2]
    assert written.deaths == 1
    written.kill()


def test_a_file_that_was_moved_away_is_made_anew(written: Written) -> None:
    written.serve()
    written.say(1)
    assert written.numbers(1) == [1]
    written.path.rename(written.path.with_suffix(".1"))
    end = time.monotonic() + 20
    while not written.path.exists() and time.monotonic() < end:
        written.say(2)
        written.loop.turn(0.05)
    assert set(written.numbers(1)) == {2}
    written.kill()


def test_a_writer_that_hangs_holds_nobody_up(written: Written) -> None:
    written.serve()
    written.say(0)
    assert written.numbers(1) == [0]
    os.kill(written.files.pid, signal.SIGSTOP)
    for number in range(1, 12000):  # six times what pipe and queue hold: one that waited would wait for ever
        written.say(number)
    assert written.log.dropped > 0
    written.kill()

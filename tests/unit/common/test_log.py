"""The log: form of the lines, bounds, and that no sink can stop the process or another sink."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import select
import socket
import time
from collections.abc import Iterator

import pytest

from pyhad.common.log import QUEUE_LINES, LogSettings, ProcessLog


@dataclasses.dataclass(frozen=True, slots=True)
class Pipe:
    reader: int
    writer: int


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    yield Pipe(reader, writer)
    os.close(reader)
    os.close(writer)


def read_all(fd: int) -> bytes:
    pieces = []
    while select.select([fd], [], [], 0)[0]:
        piece = os.read(fd, 1 << 20)
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)


def console_log(stderr: int, **changes: object) -> ProcessLog:
    """A log that was opened while descriptor 2 was `stderr`."""
    kept = os.dup(2)
    os.dup2(stderr, 2)
    try:
        return ProcessLog("vrrp", LogSettings(console=True, syslog=False, **changes))  # type: ignore[arg-type]
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_a_line_on_a_pipe_is_json_with_fixed_first_fields(pipe: Pipe) -> None:
    log = console_log(pipe.writer, daemon="second")
    log.logger.info("state_changed", instance="VI_1", old="BACKUP", new="MASTER")
    log.flush()
    text = read_all(pipe.reader).decode()
    assert text.endswith("\n")
    line = json.loads(text)
    assert list(line) == ["time", "level", "process", "pid", "event", "daemon", "instance", "old", "new"]
    assert (line["level"], line["process"], line["pid"], line["event"]) == (
        "info",
        "vrrp",
        os.getpid(),
        "state_changed",
    )
    assert line["time"].endswith("Z")


def test_a_line_on_a_terminal_is_for_reading() -> None:
    master, slave = os.openpty()
    log = console_log(slave)
    log.logger.warning("frame_refused", peer="a b", reason="", count=3)
    log.drain(1)
    text = read_all(master).decode()
    os.close(slave)
    os.close(master)
    assert f"vrrp[{os.getpid()}]" in text
    assert "frame_refused" in text
    assert 'peer="a b" reason="" count=3' in text
    assert "{" not in text


def test_nothing_is_written_before_flush(pipe: Pipe) -> None:
    log = console_log(pipe.writer)
    log.logger.info("process_ready")
    assert read_all(pipe.reader) == b""
    log.flush()
    assert read_all(pipe.reader) != b""


def test_debug_lines_come_with_detail_only(pipe: Pipe) -> None:
    for detail, lines in ((0, 0), (1, 1)):
        log = console_log(pipe.writer, detail=detail)
        log.logger.debug("advert_received")
        log.flush()
        assert read_all(pipe.reader).count(b"advert_received") == lines


def test_the_descriptor_of_others_stays_as_it_was(pipe: Pipe) -> None:
    console_log(pipe.writer)
    assert os.get_blocking(pipe.writer)


def test_a_full_pipe_blocks_nobody_and_lines_stay_whole(pipe: Pipe) -> None:
    log = console_log(pipe.writer)
    began = time.monotonic()
    for number in range(QUEUE_LINES):
        log.logger.info("noise", number=number, filler="x" * 100)
        log.flush()
    assert time.monotonic() - began < 30
    text = b""
    for _ in range(200):
        text += read_all(pipe.reader)
        log.flush()
    numbers = [json.loads(line)["number"] for line in text.splitlines()]
    assert numbers == list(range(QUEUE_LINES))
    assert log.dropped == 0


def test_a_line_that_the_pipe_takes_in_parts_arrives_whole(pipe: Pipe) -> None:
    log = console_log(pipe.writer)
    for number in range(40):
        log.logger.info("noise", number=number, filler="x" * 10_000)
    text = b""
    for _ in range(50):
        log.flush()
        text += read_all(pipe.reader)
    assert [json.loads(line)["number"] for line in text.splitlines()] == list(range(40))


def test_what_does_not_fit_the_queue_is_dropped_counted_and_said(pipe: Pipe) -> None:
    log = console_log(pipe.writer)
    for number in range(QUEUE_LINES + 7):
        log.logger.info("noise", number=number)
    assert log.dropped == 7
    text = b""
    for _ in range(50):
        log.flush()
        text += read_all(pipe.reader)
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["number"] for line in lines[:-1]] == list(range(QUEUE_LINES))
    assert (lines[-1]["event"], lines[-1]["lines"], lines[-1]["level"]) == ("log_lines_dropped", 7, "warning")


def test_a_console_that_nobody_reads_does_not_silence_the_file(pipe: Pipe, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    log = console_log(pipe.writer, file=str(path))
    for number in range(3000):
        log.logger.info("noise", number=number, filler="x" * 100)
        log.flush()
    assert len(path.read_bytes().splitlines()) == 3000


def test_a_reader_that_is_gone_ends_the_console_and_nothing_else(tmp_path: pathlib.Path) -> None:
    reader, writer = os.pipe()
    path = tmp_path / "log"
    log = console_log(writer, file=str(path))
    os.close(writer)
    os.close(reader)
    for number in range(3):
        log.logger.info("noise", number=number)
        log.flush()
    assert len(path.read_bytes().splitlines()) == 3
    assert log.dropped == 0


def test_a_log_file_is_private_and_never_a_link(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    log = ProcessLog("vrrp", LogSettings(syslog=False, file=str(path)))
    log.logger.info("process_ready")
    log.flush()
    assert path.stat().st_mode & 0o777 == 0o600
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    ProcessLog("vrrp", LogSettings(syslog=False, file=str(link)))
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_sink_nothing_piles_up() -> None:
    log = ProcessLog("vrrp", LogSettings(syslog=False))
    for _ in range(QUEUE_LINES + 10):
        log.logger.info("noise")
    log.flush()
    assert log.dropped == 0


def test_exceptions_and_odd_values_are_written_as_text(pipe: Pipe) -> None:
    log = console_log(pipe.writer)
    try:
        raise ValueError("bad \ud800 text")
    except ValueError:
        log.logger.exception("crashed", path=pathlib.Path("/x"), data=b"\xff", text="\x1b[31m")
    log.flush()
    line = json.loads(read_all(pipe.reader))
    assert line["path"] == "/x"
    assert "ValueError" in line["exception"]
    assert line["level"] == "error"


def test_drain_gives_up_in_time(pipe: Pipe) -> None:
    log = console_log(pipe.writer)
    for _ in range(2000):
        log.logger.info("noise", filler="x" * 200)
    began = time.monotonic()
    log.drain(0.05)
    assert 0.04 < time.monotonic() - began < 30


def test_the_journal_gets_the_severity_in_front_of_whole_lines(pipe: Pipe, tmp_path: pathlib.Path) -> None:
    found = os.fstat(pipe.writer)
    os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
    try:
        log = console_log(pipe.writer)
    finally:
        del os.environ["JOURNAL_STREAM"]
    for number in range(2000):
        log.logger.error("noise", number=number, filler="x" * 100)
        log.flush()
    text = b""
    for _ in range(100):
        text += read_all(pipe.reader)
        log.flush()
    lines = text.splitlines()
    assert len(lines) == 2000
    assert all(line.startswith(b"<3>{") and line.count(b"<3>") == 1 for line in lines)


def test_a_variable_inherited_from_a_service_makes_no_journal(pipe: Pipe) -> None:
    os.environ["JOURNAL_STREAM"] = "8:1"
    try:
        log = console_log(pipe.writer)
    finally:
        del os.environ["JOURNAL_STREAM"]
    log.logger.error("noise")
    log.flush()
    assert read_all(pipe.reader).startswith(b"{")


def listening(path: pathlib.Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(path))
    made.settimeout(40)
    return made


def test_syslog_is_found_when_it_comes_and_again_when_it_was_replaced(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    log = ProcessLog("vrrp", LogSettings(syslog_path=str(path), syslog_retry_s=0))
    log.logger.info("nobody_hears_this")
    log.flush()
    for _ in range(2):
        daemon = listening(path)
        log.logger.info("lost_with_the_old_one")  # the first word after a change finds out
        log.flush()
        log.logger.info("heard")
        log.flush()
        heard = [daemon.recv(4096)]
        if b"heard" not in heard[0]:
            heard.append(daemon.recv(4096))
        assert heard[-1].startswith(b"<30>pyhad_vrrp[")
        daemon.close()
        path.unlink()
    log.logger.info("lost")  # and the socket of the log is closed
    log.flush()


def test_a_terminal_is_not_steered_by_a_field() -> None:
    master, slave = os.openpty()
    log = console_log(slave)
    log.logger.warning("noise", name="\x1b[2J")
    log.drain(1)
    text = read_all(master).decode()
    os.close(slave)
    os.close(master)
    assert 'name="\\u001b[2J"' in text

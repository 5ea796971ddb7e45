"""Structured logs of every process: fixed snake_case events with fields, never blocking the caller.

A line is put on a bounded queue and written by `flush()` from the end of the loop's turn, to descriptors of our own
that never block. What does not fit is dropped, counted, and said in a `log_lines_dropped` line later.
On a terminal a readable form, elsewhere JSON; syslog lines carry the JSON too.
"""

from __future__ import annotations

import collections
import functools
import json
import logging
import os
import select
import socket
import time
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, cast

from pyhad.common.records import dataclass

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger
else:  # a name for annotations: a config test logs nothing, and structlog takes longer to import than all it does
    FilteringBoundLogger = Any

__all__ = ["FilteringBoundLogger", "LogSettings", "ProcessLog"]

QUEUE_LINES = 4096
SYSLOG_PATH = "/dev/log"
SYSLOG_DAEMON = 3
_SEVERITY = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
_COLOUR = {"critical": 31, "error": 31, "warning": 33, "info": 32, "debug": 90}
_FIRST = ("time", "level", "process", "pid", "event")
_as_json = json.JSONEncoder(default=str, ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Where lines go, as the command line said (CLI-6 to CLI-11)."""

    console: bool = False
    syslog: bool = True
    facility: int = SYSLOG_DAEMON
    detail: int = 0
    """Number of `-D`: 0 info, 1 and more debug."""
    daemon: str = ""
    """Name of this copy of the daemon (`instance` keyword); a field of each line when not empty."""
    file: str = ""
    """Path of a log file (`-g`), opened for appending; empty for none. Only where there is no `file_fd`."""
    file_fd: int = -1
    """The pipe to whoever writes the log file of this process; it never blocks. -1: none."""
    syslog_path: str = SYSLOG_PATH
    syslog_retry_s: float = 1.0
    """How often syslog is looked for where there is none."""


class _Stream:
    """Lines for one descriptor, of which each write takes what fits at once."""

    def __init__(self, fd: int) -> None:
        self.lines: collections.deque[bytes] = collections.deque()
        self._fd = fd
        self.is_gone = False

    def put(self, line: bytes) -> bool:
        """False when there is no room: it is lost."""
        if len(self.lines) >= QUEUE_LINES:
            return False
        self.lines.append(line)
        return True

    def flush(self) -> None:
        """Write what it takes now."""
        while self.lines:
            text = self._next()
            try:
                written = os.write(self._fd, text)
            except BlockingIOError:
                self.lines.appendleft(text)
                return
            except OSError:  # the reader is gone for good: stop trying, other sinks go on
                self.is_gone = True
                self.lines.clear()
                return
            if written < len(text):  # a pipe that is nearly full takes a part
                self.lines.appendleft(text[written:])
                return

    def _next(self) -> bytes:
        """The next line, with those after it that go with it: others write to the same pipe, and what is no longer
        than PIPE_BUF stays whole there."""
        line = self.lines.popleft()
        if not self.lines or len(line) + len(self.lines[0]) > select.PIPE_BUF:
            return line
        together, size = [line], len(line)
        while self.lines and size + len(self.lines[0]) <= select.PIPE_BUF:
            size += len(self.lines[0])
            together.append(self.lines.popleft())
        return b"".join(together)


class ProcessLog:
    """The log of one process. Open it after the fork; `logger` is what the code writes to."""

    def __init__(self, process: str, settings: LogSettings) -> None:
        self._queue: collections.deque[tuple[int, bytes]] = collections.deque()
        self._dropped = 0
        self._dropped_said = 0
        self._ident = f"pyhad_{process}" if process != "parent" else "pyhad"
        self._facility = settings.facility
        self._console = _stream(_own_descriptor(2) if settings.console else None)
        self._file = _stream(_file_of(settings))
        self._terminal = settings.console and os.isatty(2)
        self._journal = settings.console and _is_journal(2)
        self._wants_syslog = settings.syslog and not self._journal
        self._syslog: socket.socket | None = None
        self._syslog_path = settings.syslog_path
        self._syslog_retry_s = settings.syslog_retry_s
        self._syslog_next_s = 0.0
        import structlog

        self._drop_event = structlog.DropEvent
        base: dict[str, Any] = {"process": process, "pid": os.getpid()}
        if settings.daemon:
            base["daemon"] = settings.daemon
        level = logging.DEBUG if settings.detail else logging.INFO
        self.logger = cast(
            "FilteringBoundLogger",
            structlog.wrap_logger(
                None,
                processors=[structlog.processors.format_exc_info, self._enqueue],
                wrapper_class=structlog.make_filtering_bound_logger(level),
                cache_logger_on_first_use=True,
                context_class=dict,
                **base,
            ),
        )

    @property
    def dropped(self) -> int:
        """Lines lost because a sink did not keep up."""
        return self._dropped

    def flush(self) -> None:
        """Write what the sinks take now. Never blocks; call at the end of each turn of the loop."""
        for stream in (self._console, self._file):
            if stream is not None:
                stream.flush()
        if self._console is not None and self._console.is_gone:
            self._console = None
        while self._queue:
            self._send_syslog(*self._queue.popleft())
        if self._dropped > self._dropped_said and not self._waiting():
            lost, self._dropped_said = self._dropped - self._dropped_said, self._dropped
            self.logger.warning("log_lines_dropped", lines=lost)

    def _waiting(self) -> bool:
        return any(stream is not None and stream.lines for stream in (self._console, self._file))

    def drain(self, timeout_s: float = 0.2) -> None:
        """Last words: try for at most `timeout_s` to write everything that waits."""
        end = time.monotonic() + timeout_s
        self.flush()
        while (self._queue or self._waiting()) and time.monotonic() < end:
            time.sleep(0.005)
            self.flush()

    def _enqueue(self, _logger: object, method: str, fields: MutableMapping[str, Any]) -> str:
        severity = _SEVERITY.get(method, 6)
        now = time.time()
        ordered = {"time": _iso(now), "level": method} | {k: fields[k] for k in _FIRST if k in fields}
        ordered.update((key, fields[key]) for key in fields if key not in _FIRST)
        json_line = _as_json(ordered).encode("utf-8", "replace") + b"\n"
        # Each sink has its bound: a console that nobody reads must not silence the file and syslog.
        if self._console is not None:
            line = _readable(now, ordered) if self._terminal else json_line
            self._dropped += not self._console.put(b"<%d>" % severity + line if self._journal else line)
        if self._file is not None:
            self._dropped += not self._file.put(json_line)
        if self._wants_syslog and len(self._queue) < QUEUE_LINES:
            self._queue.append((severity, json_line))
        elif self._wants_syslog:
            self._dropped += 1
        raise self._drop_event

    def _send_syslog(self, severity: int, line: bytes) -> None:
        head = f"<{self._facility * 8 + severity}>{self._ident}[{os.getpid()}]: ".encode()
        try:
            if self._syslog is None:
                self._open_syslog()
            if self._syslog is not None:
                self._syslog.send(head + line.rstrip(b"\n"))
        except BlockingIOError:
            self._dropped += 1
        except OSError:  # its daemon was stopped or replaced
            if self._syslog is not None:
                self._syslog.close()
            self._syslog = None

    def _open_syslog(self) -> None:
        """Where there is no syslog it may come, or come again: looked for now and then."""
        now_s = time.monotonic()
        if now_s >= self._syslog_next_s:
            self._syslog_next_s = now_s + self._syslog_retry_s
            self._syslog = _syslog_socket(self._syslog_path)


def _iso(now: float) -> str:
    return f"{_second(int(now))}.{int(now * 1000) % 1000:03d}Z"


@functools.lru_cache(maxsize=1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _readable(now: float, fields: dict[str, Any]) -> bytes:
    level = fields["level"]
    rest = " ".join(f"{key}={_word(value)}" for key, value in fields.items() if key not in _FIRST)
    clock = f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now * 1000) % 1000:03d}"
    event = fields["event"]
    who = f"{fields['process']}[{fields['pid']}]"
    if "NO_COLOR" not in os.environ:
        event = f"\033[1;{_COLOUR.get(level, 0)}m{event}\033[0m"
    return f"{clock} {who:<16} {event} {rest}".rstrip().encode("utf-8", "replace") + b"\n"


def _word(value: object) -> str:
    text = str(value)
    return text if text and " " not in text and text.isprintable() else json.dumps(text)


def _is_journal(fd: int) -> bool:
    """Whether `fd` leads to the journal itself: the variable alone is inherited by whatever a service starts."""
    try:
        found = os.fstat(fd)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _own_descriptor(fd: int) -> int | None:
    """A non-blocking open file description of our own for `fd`, so that others who share it are not touched."""
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # a socket (the journal) cannot be opened again
        pass
    try:
        duplicate = os.dup(fd)
        os.set_blocking(duplicate, False)
        return duplicate
    except OSError:
        return None


def _open_file(path: str) -> int | None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except OSError:
        return None


def _file_of(settings: LogSettings) -> int | None:
    if settings.file_fd >= 0:
        return settings.file_fd
    return _open_file(settings.file) if settings.file else None


def _stream(fd: int | None) -> _Stream | None:
    return None if fd is None else _Stream(fd)


def _syslog_socket(path: str) -> socket.socket | None:
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError:
        return None
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        return None
    return sock

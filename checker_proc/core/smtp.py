"""The little SMTP that a check needs: greeting, HELO, QUIT (CHK-40), against a server that may be hostile.

Sans-IO. It takes bytes as they come, gives the bytes to send, and never raises. Replies of several lines (`250-`) are
taken as one (QRK-13). Lines end in CRLF or LF; their length and number are capped.
"""

from __future__ import annotations

import enum

from pyhad.checker_proc.core.reasons import Reason

LINE_MAX = 512
"""RFC 5321 section 4.5.3.1.5, and keepalived's buffer."""
LINES_MAX = 100


class Step(enum.Enum):
    """Whose reply is awaited."""

    GREETING = enum.auto()
    HELO = enum.auto()
    QUIT = enum.auto()


class SmtpDialogue:
    """One dialogue. Feed it until `is_done`, `end()` it when the peer closed; then `problem` is None or the reason."""

    __slots__ = ("_buffer", "_code", "_helo", "_lines", "detail", "is_done", "problem", "step")

    def __init__(self, helo_name: str) -> None:
        self._helo = f"HELO {helo_name}\r\n".encode("utf-8", "surrogateescape")
        self._buffer = bytearray()
        self._code = b""
        self._lines = 0
        self.step = Step.GREETING
        self.is_done = False
        self.problem: Reason | None = None
        self.detail = ""
        """The code that was the wrong one."""

    def feed(self, data: bytes) -> bytes:
        """Take some bytes; what is to be sent now, often nothing."""
        self._buffer += data
        answer = b""
        while not self.is_done:
            at = self._buffer.find(b"\n", 0, LINE_MAX)
            if at < 0:
                if len(self._buffer) >= LINE_MAX:
                    self._stop(Reason.SMTP_REPLY_TOO_LONG)
                break
            line = bytes(self._buffer[:at]).rstrip(b"\r")
            del self._buffer[: at + 1]
            answer += self._take_line(line)
        return answer

    def end(self) -> None:
        """The peer closed: fine once we said QUIT, too early before."""
        if not self.is_done:
            self._stop(None if self.step is Step.QUIT else Reason.SMTP_INCOMPLETE)

    def _stop(self, problem: Reason | None) -> bytes:
        self.problem = problem
        self.is_done = True
        self._buffer.clear()
        return b""

    def _refuse(self, problem: Reason, code: bytes) -> bytes:
        self.detail = code.decode()
        return self._stop(problem)

    def _take_line(self, line: bytes) -> bytes:
        code, mark = line[:3], line[3:4]
        if len(code) != 3 or not code.isdigit() or mark not in (b"", b" ", b"-") or self._code not in (b"", code):
            return self._stop(Reason.SMTP_BAD_REPLY)
        self._lines += 1
        if self._lines > LINES_MAX:
            return self._stop(Reason.SMTP_REPLY_TOO_LONG)
        if mark == b"-":
            self._code = code
            return b""
        self._code = b""
        return self._take_reply(code)

    def _take_reply(self, code: bytes) -> bytes:
        if self.step is Step.GREETING:
            if code != b"220":
                return self._refuse(Reason.SMTP_GREETING, code)
            self.step = Step.HELO
            return self._helo
        if self.step is Step.HELO:
            if code != b"250":
                return self._refuse(Reason.SMTP_HELO, code)
            self.step = Step.QUIT
            return b"QUIT\r\n"
        return self._stop(None)

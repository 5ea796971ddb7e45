"""The response of an HTTP/1 server to a check, read though it may be hostile, and what a response of any version means.

Sans-IO. The reader takes bytes as they come and never raises: whatever arrives, it ends in a status, a body, or a
`problem`. Everything is capped. Lines end in CRLF or LF (RFC 9112 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from pyhad.checker_proc.core.http_body import Body
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import HttpUrl

STATUS_LINE_MAX = 8 * 1024
HEADERS_MAX = 64 * 1024
CHUNK_LINE_MAX = 1024
CHUNKS_MAX = 65_536
PAGE_SHOWN_MAX = 80
_DIGITS_MAX = 15
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: [^\n]*)?\r?\n")
_FIELDS = re.compile(rb"(?:[^\0\r\n: \t][^\0\r\n:]*:[^\0\r\n]*\r\n)*\r\n")
"""All fields and the empty line after them, with nothing odd in them: which has no more than one way to match."""
_OF_THE_BODY = re.compile(rb"^(content-length|transfer-encoding)[ \t]*:([^\r]*)", re.IGNORECASE | re.MULTILINE)

Search = Callable[[bytes], bool | None]


class Response(Protocol):
    """A response that is over, of any version of HTTP."""

    @property
    def status(self) -> int:
        """Its code; 0 when none came."""
        ...

    @property
    def problem(self) -> Reason | None:
        """Why it could not be read."""

    @property
    def body(self) -> Body:
        """What came of its body."""
        ...


class ResponseReader:
    """Reads one response. Feed it until `is_done`; call `end()` when the peer closed; then ask `judge`."""

    __slots__ = (
        "_buffer", "_chunks", "_has_body", "_head_bytes", "_is_chunked", "_left", "_length", "_step", "_version_1_1",
        "body", "is_done", "problem", "remark", "status",
    )  # fmt: skip

    def __init__(self, *, wants_digest: bool, wants_body: bool = False, has_body: bool = True) -> None:
        """`has_body` False: the request was a HEAD, so none comes whatever the fields say (RFC 9110 9.3.2)."""
        self.status = 0
        self.is_done = False
        self.problem: Reason | None = None
        self.remark = ""
        """`body_shorter` or `body_longer` than was announced: worth a log line, no failure (CHK-25)."""
        self.body = Body(wants_digest=wants_digest, wants_body=wants_body)
        self._has_body = has_body
        self._buffer = bytearray()
        self._head_bytes = 0
        self._chunks = 0
        self._is_chunked = False
        self._version_1_1 = False
        self._length: int | None = None
        self._left = 0
        self._step: Callable[[ResponseReader], bool] = ResponseReader._read_status_line  # unbound: no cycle

    def feed(self, data: bytes) -> bool:
        """Take some bytes. True when nothing more is wanted."""
        if self.is_done:
            return True
        self._buffer += data
        while not self.is_done and self._step(self):
            pass
        return self.is_done

    def end(self) -> None:
        """The peer closed. Says what that means where we stand."""
        if self.is_done:
            return
        if self._step == ResponseReader._read_status_line:
            self._fail(Reason.HTTP_INCOMPLETE if self._buffer or self._head_bytes else Reason.HTTP_NO_DATA)
        elif self._step in (ResponseReader._read_headers, ResponseReader._read_header):
            self._fail(Reason.HTTP_INCOMPLETE)
        else:
            if self._step != ResponseReader._read_to_close:
                self.remark = "body_shorter"
            self.is_done = True

    def _fail(self, reason: Reason) -> bool:
        self.problem = reason
        self.is_done = True
        self._buffer.clear()
        return False

    def _line(self, limit: int, too_long: Reason) -> bytes | None:
        """The next line without its end; None when it is not whole yet, or longer than may be."""
        at = self._buffer.find(b"\n", 0, limit)
        if at < 0:
            if len(self._buffer) >= limit:
                self._fail(too_long)
            return None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        self._head_bytes += at + 1
        return line[:-1] if line.endswith(b"\r") else line

    def _read_status_line(self) -> bool:
        found = _STATUS_LINE.match(self._buffer)
        if found is not None and found.end() <= STATUS_LINE_MAX:
            self._head_bytes += found.end()
            self.status, self._version_1_1 = int(found[2]), found[1] != b"0"
            self._step = ResponseReader._read_headers
            del self._buffer[: found.end()]
            return True
        return self._read_odd_status_line()

    def _read_odd_status_line(self) -> bool:
        """One that is not whole yet, or not as it should be."""
        if not b"HTTP/1.".startswith(bytes(self._buffer[:7])):
            return self._fail(Reason.HTTP_BAD_STATUS_LINE)
        line = self._line(STATUS_LINE_MAX, Reason.HTTP_BAD_STATUS_LINE)
        if line is None:
            return False
        status = line[9:12]
        is_shaped = line[7:8].isdigit() and line[8:9] == b" " and len(status) == 3 and status.isdigit()
        if not is_shaped or line[12:13] not in (b"", b" ") or status < b"100":
            return self._fail(Reason.HTTP_BAD_STATUS_LINE)
        self.status = int(status)
        self._version_1_1 = line[7:8] != b"0"
        self._step = ResponseReader._read_header
        return True

    def _read_headers(self) -> bool:
        """All fields at once, which have come in one piece as they mostly do; else one by one, and not tried again."""
        found = _FIELDS.match(self._buffer, 0, max(0, HEADERS_MAX - self._head_bytes))
        if found is not None:
            return self._take_headers(found.end())
        self._step = ResponseReader._read_header
        return True

    def _read_header(self) -> bool:
        line = self._line(max(0, HEADERS_MAX - self._head_bytes), Reason.HTTP_HEADERS_TOO_LONG)
        if line is None:
            return False
        return self._take_header(line) if line else self._begin_body()

    def _take_headers(self, length: int) -> bool:
        noted = _OF_THE_BODY.findall(self._buffer, 0, length)
        del self._buffer[:length]
        self._head_bytes += length
        return all(self._note_header(name.lower(), value.strip()) for name, value in noted) and self._begin_body()

    def _take_header(self, line: bytes) -> bool:
        if line[:1] in (b" ", b"\t"):  # a folded line: an old form, nothing in it matters to us
            return True
        name, colon, value = line.partition(b":")
        if not colon or not name.strip() or b"\0" in line:
            return self._fail(Reason.HTTP_BAD_HEADER)
        return self._note_header(name.strip().lower(), value.strip())

    def _note_header(self, name: bytes, value: bytes) -> bool:
        if name == b"content-length":
            if not value.isdigit() or len(value) > _DIGITS_MAX or self._length not in (None, int(value)):
                return self._fail(Reason.HTTP_BAD_HEADER)
            self._length = int(value)
        elif name == b"transfer-encoding":
            self._is_chunked = self._version_1_1 and value.lower().endswith(b"chunked")
        return True

    def _begin_body(self) -> bool:
        if 100 <= self.status < 200 and self.status != 101:  # interim: the real one follows
            self._length, self._is_chunked = None, False
            self._step = ResponseReader._read_status_line
            return True
        if self.status in (101, 204, 304) or not self._has_body:
            self.is_done = True
            return False
        if self._is_chunked:
            self._step = ResponseReader._read_chunk_size
        elif self._length is not None:
            self._left = self._length
            self._step = ResponseReader._read_length
        else:
            self._step = ResponseReader._read_to_close
        return True

    def _take_body(self, wanted: int) -> bool:
        """Move up to `wanted` bytes from the buffer to the body. False when the response is over because of it."""
        data = bytes(self._buffer[:wanted])
        del self._buffer[: len(data)]
        problem = self.body.take(data)
        if problem is not None:
            return self._fail(problem)
        self.is_done = self.body.is_enough
        return not self.is_done

    def _read_to_close(self) -> bool:
        self._take_body(len(self._buffer))
        return False

    def _read_length(self) -> bool:
        taken = min(self._left, len(self._buffer))
        self._left -= taken
        if self._take_body(taken) and self._left == 0:
            if self._buffer:
                self.remark = "body_longer"
            self.is_done = True
        return False

    def _read_chunk_size(self) -> bool:
        line = self._line(CHUNK_LINE_MAX, Reason.HTTP_BAD_CHUNK)
        if line is None:
            return False
        digits = line.partition(b";")[0].strip()
        if not digits or len(digits) > _DIGITS_MAX or digits.strip(b"0123456789abcdefABCDEF"):
            return self._fail(Reason.HTTP_BAD_CHUNK)
        self._chunks += 1
        if self._chunks > CHUNKS_MAX:
            return self._fail(Reason.HTTP_BODY_TOO_LONG)
        self._left = int(digits, 16)
        if self._left == 0:
            self._head_bytes = 0
            self._step = ResponseReader._read_trailer
        else:
            self._step = ResponseReader._read_chunk_data
        return True

    def _read_chunk_data(self) -> bool:
        if not self._buffer:
            return False
        taken = min(self._left, len(self._buffer))
        self._left -= taken
        if self._take_body(taken) and self._left == 0:
            self._step = ResponseReader._read_chunk_end
        return not self.is_done and self._left == 0

    def _read_chunk_end(self) -> bool:
        line = self._line(2, Reason.HTTP_BAD_CHUNK)
        if line is None:
            return False
        if line:
            return self._fail(Reason.HTTP_BAD_CHUNK)
        self._step = ResponseReader._read_chunk_size
        return True

    def _read_trailer(self) -> bool:
        line = self._line(max(0, HEADERS_MAX - self._head_bytes), Reason.HTTP_HEADERS_TOO_LONG)
        if line is None:
            return False
        self.is_done = not line
        return bool(line)


def detail_of(url: HttpUrl, response: Response, reason: Reason) -> str:
    """What came, for the log: of which page, and its status or digest where that was the wrong one.

    Without the page's query, which may hold a secret.
    """
    page = url.path.partition("?")[0][:PAGE_SHOWN_MAX]
    if reason is Reason.HTTP_STATUS:
        return f"{response.status} of {page}"
    if reason is Reason.HTTP_DIGEST:
        return f"{response.body.digest()} of {page}"
    return f"of {page}"


def judge(url: HttpUrl, response: Response, search: Search | None = None) -> Reason | None:
    """None when the response passes every test of this url (CHK-23), else the first that it fails.

    `search` says whether the url's pattern is found in a body; None for what it could not decide.
    """
    if response.problem is not None:
        return response.problem
    for accepted in url.status:
        if accepted.first <= response.status <= accepted.last:
            break
    else:
        return Reason.HTTP_STATUS
    if url.digest and response.body.digest() != url.digest:
        return Reason.HTTP_DIGEST
    if url.regex is not None and search is not None:
        found = search(bytes(response.body.kept or b""))
        if found is None:
            return Reason.HTTP_REGEX_UNDECIDED
        if found is not url.regex.is_wanted:
            return Reason.HTTP_REGEX
    return None

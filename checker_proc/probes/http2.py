"""One request over HTTP/2 to a server that may be hostile. The only file that imports h2; who needs it loads it.

Sans-IO, and no exception leaves it. h2 keeps the protocol; what it is given is counted here first, frame by frame, so
that no flood of small frames, of settings or of headers costs more than some milliseconds: see the limits below. The
stream is number 1 and the only one: a server's push is refused.
"""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import DenialOfServiceError, H2Error
from h2.settings import SettingCodes, Settings

from pyhad.checker_proc.core.http import detail_of, judge
from pyhad.checker_proc.core.http_body import Body
from pyhad.checker_proc.core.http_request import body_bytes, http2_fields
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import HttpCheck, HttpUrl
from pyhad.common.pcre import pattern_of

Fields = list[tuple[bytes, bytes]]

FRAME_MAX = 16_384
"""What we say we take (RFC 9113 4.2: the least that may be said)."""
FRAMES_MAX = 256
"""Frames of all kinds, and one more for each BYTES_PER_FRAME of the body: a plain answer has five."""
BYTES_PER_FRAME = 128
HEADERS_MAX = 64 * 1024
"""Compressed fields in all, continuations counted; h2 caps what they unfold to at the same size."""
CONTROL_MAX = 8 * 1024
"""Everything but fields and body: settings, pings, window updates, frames nobody knows."""
_HEAD_BYTES = 9
_DATA, _HEADERS, _PUSH_PROMISE, _CONTINUATION = 0, 1, 5, 9
_STREAM = 1
_OTHER_PROTOCOL = b"HTTP/"
_CONFIGURATION = H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)
_LOCAL_SETTINGS = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.MAX_CONCURRENT_STREAMS: 1,
    SettingCodes.MAX_FRAME_SIZE: FRAME_MAX,
    SettingCodes.MAX_HEADER_LIST_SIZE: HEADERS_MAX,
}


class Http2Stream:
    """One request and its response. Feed it until `is_done`; `end()` it when the peer closed."""

    __slots__ = ("_buffer", "_connection", "_control_bytes", "_frames", "_header_bytes", "_is_first", "_unsent",
                 "body", "is_done", "problem", "status", "trailers")  # fmt: skip

    def __init__(self, fields: Fields, request_body: bytes, body: Body) -> None:
        self.status = 0
        self.body = body
        self.trailers: dict[bytes, bytes] = {}
        """Fields of the response's head and of its end, the last of a name."""
        self.problem: Reason | None = None
        self.is_done = False
        self._buffer = bytearray()
        self._frames = self._control_bytes = self._header_bytes = 0
        self._is_first = True
        self._unsent = request_body
        self._connection = H2Connection(_CONFIGURATION)
        self._connection.local_settings = Settings(client=True, initial_values=_LOCAL_SETTINGS)
        self._connection.initiate_connection()
        self._connection.send_headers(_STREAM, fields, end_stream=not request_body)
        self._send_body()

    def to_send(self) -> bytes:
        """What has to be sent now."""
        return self._connection.data_to_send()

    def feed(self, data: bytes) -> bool:
        """Take some bytes. True when nothing more is wanted."""
        self._buffer += data
        while not self.is_done and self._take_frame():
            pass
        return self.is_done

    def end(self) -> None:
        """The peer closed before the stream was at its end."""
        if self.is_done:
            return
        if self._is_first and _OTHER_PROTOCOL.startswith(bytes(self._buffer[:5])) and self._buffer:
            self._fail(Reason.HTTP2_NOT_SPOKEN)
        else:
            self._fail(Reason.HTTP_NO_DATA if self._is_first else Reason.HTTP_INCOMPLETE)

    def _fail(self, reason: Reason) -> bool:
        self.problem = reason
        self.is_done = True
        self._buffer.clear()
        return False

    def _take_frame(self) -> bool:
        """Give h2 the next frame, if it is whole and within the limits."""
        buffer = self._buffer
        if self._is_first and buffer.startswith(_OTHER_PROTOCOL):
            return self._fail(Reason.HTTP2_NOT_SPOKEN)
        if len(buffer) < _HEAD_BYTES:
            return False
        length, kind = int.from_bytes(buffer[:3], "big"), buffer[3]
        if length > FRAME_MAX:
            return self._fail(Reason.HTTP2_BROKEN)
        if len(buffer) < _HEAD_BYTES + length:
            return False
        self._is_first = False
        problem = self._count(kind, length)
        if problem is not None:
            return self._fail(problem)
        frame = bytes(buffer[: _HEAD_BYTES + length])
        del buffer[: _HEAD_BYTES + length]
        return self._give(frame)

    def _count(self, kind: int, length: int) -> Reason | None:
        """What a frame of this kind and length is too much of."""
        self._frames += 1
        if self._frames > FRAMES_MAX + self.body.bytes // BYTES_PER_FRAME:
            return Reason.HTTP2_FLOOD
        if kind in (_HEADERS, _PUSH_PROMISE, _CONTINUATION):
            self._header_bytes += length
            return Reason.HTTP_HEADERS_TOO_LONG if self._header_bytes > HEADERS_MAX else None
        if kind != _DATA:
            self._control_bytes += length
        return Reason.HTTP2_FLOOD if self._control_bytes > CONTROL_MAX else None

    def _give(self, frame: bytes) -> bool:
        try:
            for event in self._connection.receive_data(frame):
                self._take_event(event)
                if self.is_done:
                    return False
            self._send_body()
        except DenialOfServiceError:
            return self._fail(Reason.HTTP_HEADERS_TOO_LONG)
        except (H2Error, ValueError, LookupError):  # the last two by a mistake of the library: its word is not law
            return self._fail(Reason.HTTP2_BROKEN)
        return True

    def _take_event(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._note(event.headers)
                code = self.trailers.get(b":status", b"")
                self.status = int(code) if code.isdigit() and len(code) == 3 else 0
                if not self.status:
                    self._fail(Reason.HTTP_BAD_STATUS_LINE)
            case TrailersReceived():
                self._note(event.headers)
            case DataReceived():
                self._take_body(event.data or b"", event.flow_controlled_length or 0)
            case StreamEnded():
                self.is_done = True
            case StreamReset():
                self._fail(Reason.HTTP2_RESET)
            case ConnectionTerminated() if event.error_code or (event.last_stream_id or 0) < _STREAM:
                self._fail(Reason.HTTP2_RESET)
            case _:
                pass  # settings, pings, windows: h2 has answered

    def _note(self, fields: object) -> None:
        for name, value in fields or ():  # type: ignore[attr-defined]
            self.trailers[bytes(name)] = bytes(value)

    def _take_body(self, data: bytes, flow_controlled_bytes: int) -> None:
        problem = self.body.take(data)
        if problem is not None:
            self._fail(problem)
        elif self.body.is_enough:
            self.is_done = True
        elif flow_controlled_bytes:
            self._connection.acknowledge_received_data(flow_controlled_bytes, _STREAM)

    def _send_body(self) -> None:
        """As much of the request's body as the server's windows take now."""
        connection = self._connection
        while self._unsent:
            room = min(connection.local_flow_control_window(_STREAM), connection.max_outbound_frame_size)
            if room <= 0:
                return
            piece, self._unsent = self._unsent[:room], self._unsent[room:]
            connection.send_data(_STREAM, piece, end_stream=not self._unsent)


class Http2Exchange:
    """One url of an HTTP_GET or SSL_GET over HTTP/2. An `exchange.Exchange`."""

    __slots__ = ("_stream", "_url")
    remark = ""

    def __init__(self, check: HttpCheck, url: HttpUrl) -> None:
        body = Body(wants_digest=bool(url.digest), wants_body=url.regex is not None)
        self._url = url
        self._stream = Http2Stream(http2_fields(check, url), body_bytes(url), body)

    def to_send(self) -> bytes:
        """As `Exchange.to_send`."""
        return self._stream.to_send()

    def feed(self, data: bytes) -> bool:
        """As `Exchange.feed`."""
        return self._stream.feed(data)

    def end(self) -> None:
        """As `Exchange.end`."""
        self._stream.end()

    def verdict(self) -> Reason | None:
        """As of HTTP/1: status, digest, pattern (CHK-23)."""
        regex = self._url.regex
        return judge(self._url, self._stream, pattern_of(regex).search if regex is not None else None)

    def detail(self, reason: Reason) -> str:
        """As `Exchange.detail`."""
        return detail_of(self._url, self._stream, reason)

"""One request and its response as a probe carries them: bytes to send, bytes that came, and what came of it.

No socket here. What an HTTP/1 exchange reads is `core.http`'s; HTTP/2 and gRPC are in `http2.py` and `grpc_call.py`.
"""

from __future__ import annotations

from typing import Protocol

from pyhad.checker_proc.core.http import ResponseReader, detail_of, judge
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import HttpUrl
from pyhad.common.pcre import pattern_of


class Exchange(Protocol):
    """What a probe over a stream asks, and how it judges the answer. Never raises, whatever the server says."""

    @property
    def remark(self) -> str:
        """Something odd that is no failure, once it is over; empty: nothing."""
        ...

    def to_send(self) -> bytes:
        """What has to be sent now, each byte given once; first the request."""
        ...

    def feed(self, data: bytes) -> bool:
        """Take some bytes. True when nothing more is wanted."""
        ...

    def end(self) -> None:
        """The peer closed."""

    def verdict(self) -> Reason | None:
        """Why it failed, None when all is well. Asked once, when it is over."""
        ...

    def detail(self, reason: Reason) -> str:
        """What came instead, as `ProbeFailed.detail`, where `verdict` gave that reason."""
        ...


class Http1Exchange:
    """One request of HTTP/1.0 or 1.1."""

    __slots__ = ("_reader", "_request", "_url")

    def __init__(self, request: bytes, url: HttpUrl) -> None:
        self._request = request
        self._url = url
        self._reader = ResponseReader(
            wants_digest=bool(url.digest), wants_body=url.regex is not None, has_body=url.method != "HEAD"
        )

    @property
    def remark(self) -> str:
        """A body of another length than announced (CHK-25)."""
        return self._reader.remark

    def to_send(self) -> bytes:
        """The request, once."""
        request, self._request = self._request, b""
        return request

    def feed(self, data: bytes) -> bool:
        """As `Exchange.feed`."""
        return self._reader.feed(data)

    def end(self) -> None:
        """As `Exchange.end`."""
        self._reader.end()

    def verdict(self) -> Reason | None:
        """CHK-23."""
        regex = self._url.regex
        return judge(self._url, self._reader, pattern_of(regex).search if regex is not None else None)

    def detail(self, reason: Reason) -> str:
        """As `Exchange.detail`."""
        return detail_of(self._url, self._reader, reason)

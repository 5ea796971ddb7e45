"""PYHAD_GRPC_CHECK: one call of the health service over HTTP/2. What is said and heard is `core.grpc`'s."""

from __future__ import annotations

from pyhad.checker_proc.core.grpc import call_fields, call_message, judge_answer
from pyhad.checker_proc.core.http_body import Body
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.http2 import Http2Stream
from pyhad.common.config.model import GrpcCheck

_CODE_MAX = 5


class GrpcCall:
    """One call. An `exchange.Exchange`."""

    __slots__ = ("_stream",)
    remark = ""

    def __init__(self, check: GrpcCheck) -> None:
        body = Body(wants_digest=False, wants_body=True)
        self._stream = Http2Stream(call_fields(check), call_message(check.service), body)

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
        """As `Exchange.verdict`."""
        stream = self._stream
        if stream.problem is not None:
            return stream.problem
        return judge_answer(stream.status, stream.trailers.get(b"grpc-status"), bytes(stream.body.kept or b""))

    def detail(self, reason: Reason) -> str:
        """As `Exchange.detail`: the code of HTTP or of gRPC that was the wrong one."""
        if reason is Reason.HTTP_STATUS:
            return str(self._stream.status)
        code = self._stream.trailers.get(b"grpc-status", b"")
        return code.decode() if reason is Reason.GRPC_STATUS and code.isdigit() and len(code) <= _CODE_MAX else ""

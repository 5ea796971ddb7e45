"""The little gRPC that a check needs: one call of grpc.health.v1.Health/Check, and what its answer says. Pure.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md and doc/PROTOCOL-HTTP2.md. The two messages have one
field each, so that they are packed and read here; whatever stands in a reply, reading it ends and raises nothing.
"""

from __future__ import annotations

from pyhad.checker_proc.core.http_request import host_of
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import GrpcCheck

_PATH = b"/grpc.health.v1.Health/Check"
_PREFIX_BYTES = 5
_SERVING = 1
_OK, _NOT_FOUND, _UNIMPLEMENTED = b"0", b"5", b"12"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX = 10
_STATUS_FIELD = 1


def call_fields(check: GrpcCheck) -> list[tuple[bytes, bytes]]:
    """The request's head."""
    return [
        (b":method", b"POST"),
        (b":scheme", b"https" if check.tls else b"http"),
        (b":authority", (check.host or host_of(check.target)).encode("utf-8", "surrogateescape")),
        (b":path", _PATH),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", b"KeepAliveClient"),
        (b"grpc-timeout", b"%dm" % max(1, check.target.connect_timeout_ns // 1_000_000)),
    ]


def call_message(service: str) -> bytes:
    """HealthCheckRequest {service = 1}, not compressed. `service` has at most 127 bytes: one byte of length."""
    name = service.encode("utf-8", "surrogateescape")
    message = bytes((_STATUS_FIELD << 3 | _BYTES, len(name))) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def judge_answer(http_status: int, grpc_status: bytes | None, body: bytes) -> Reason | None:
    """None when the service is SERVING."""
    if http_status != 200:
        return Reason.HTTP_STATUS
    if grpc_status == _NOT_FOUND:
        return Reason.GRPC_SERVICE_UNKNOWN
    if grpc_status == _UNIMPLEMENTED:
        return Reason.GRPC_NO_HEALTH_SERVICE
    if grpc_status != _OK:
        return Reason.GRPC_BAD_REPLY if grpc_status is None else Reason.GRPC_STATUS
    length = int.from_bytes(body[1:_PREFIX_BYTES], "big")
    if len(body) < _PREFIX_BYTES or body[0] != 0 or len(body) != _PREFIX_BYTES + length:
        return Reason.GRPC_BAD_REPLY
    serving = _serving_status(body[_PREFIX_BYTES:])
    if serving is None:
        return Reason.GRPC_BAD_REPLY
    return None if serving == _SERVING else Reason.GRPC_NOT_SERVING


def _serving_status(message: bytes) -> int | None:
    """HealthCheckResponse.status, 0 where it is not said; None for what is no message."""
    at, status = 0, 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if tag >> 3 == _STATUS_FIELD and kind == _VARINT:
            status, at = _varint(message, at)
        elif kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            at += length
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            return None
        if tag >> 3 == 0:
            return None
    return status if at == len(message) else None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number there and the place after it; a place beyond the end when it has none."""
    value = 0
    for index, byte in enumerate(message[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    return 0, len(message) + 1

"""One call of gRPC's health service: its bytes, and what its answer says."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.grpc import call_fields, call_message, judge_answer
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import GrpcCheck, Target, Timing

CHECK = GrpcCheck(target=Target(address="10.0.0.5", port=50051), timing=Timing(), alpha=False, service="a.B")


def test_a_call_is_what_the_protocol_says() -> None:
    fields = dict(call_fields(CHECK))
    assert fields == {
        b":method": b"POST", b":scheme": b"http", b":authority": b"10.0.0.5:50051",
        b":path": b"/grpc.health.v1.Health/Check", b"te": b"trailers", b"content-type": b"application/grpc",
        b"user-agent": b"KeepAliveClient", b"grpc-timeout": b"5000m",
    }  # fmt: skip
    assert call_message("a.B") == b"\0\0\0\0\x05\x0a\x03a.B"
    assert call_message("") == b"\0\0\0\0\0"


SERVING = b"\0\0\0\0\x02\x08\x01"


@pytest.mark.parametrize(
    ("http", "grpc", "body", "reason"),
    [
        (200, b"0", SERVING, None),
        (200, b"0", b"\0\0\0\0\x08\x10\x05\x1a\x02hi\x08\x01", None),  # with fields that we do not know
        (200, b"0", b"\0\0\0\0\x02\x08\x02", Reason.GRPC_NOT_SERVING),
        (200, b"0", b"\0\0\0\0\x02\x08\x03", Reason.GRPC_NOT_SERVING),
        (200, b"0", b"\0\0\0\0\0", Reason.GRPC_NOT_SERVING),
        (200, b"5", b"", Reason.GRPC_SERVICE_UNKNOWN),
        (200, b"12", b"", Reason.GRPC_NO_HEALTH_SERVICE),
        (200, b"14", b"", Reason.GRPC_STATUS),
        (200, b"rubbish", SERVING, Reason.GRPC_STATUS),
        (200, None, SERVING, Reason.GRPC_BAD_REPLY),
        (200, b"0", b"", Reason.GRPC_BAD_REPLY),
        (200, b"0", b"\x01\0\0\0\x02\x08\x01", Reason.GRPC_BAD_REPLY),  # compressed, which we did not offer
        (200, b"0", b"\0\0\0\0\x03\x08\x01", Reason.GRPC_BAD_REPLY),
        (200, b"0", SERVING + SERVING, Reason.GRPC_BAD_REPLY),
        (200, b"0", b"\0\0\0\0\x01\x08", Reason.GRPC_BAD_REPLY),
        (200, b"0", b"\0\0\0\0\x03\x12\x09x", Reason.GRPC_BAD_REPLY),
        (200, b"0", b"\0\0\0\0\x02\x0b\x01", Reason.GRPC_BAD_REPLY),  # a group, which is gone from the language
        (200, b"0", b"\0\0\0\0\x0c\x08" + b"\xff" * 11, Reason.GRPC_BAD_REPLY),
        (503, b"0", SERVING, Reason.HTTP_STATUS),
    ],
)
def test_an_answer_has_its_reason(http: int, grpc: bytes | None, body: bytes, reason: Reason | None) -> None:
    assert judge_answer(http, grpc, body) is reason


@given(st.binary(max_size=64))
def test_reading_a_message_always_ends(message: bytes) -> None:
    body = b"\0" + len(message).to_bytes(4, "big") + message
    assert judge_answer(200, b"0", body) in (None, Reason.GRPC_BAD_REPLY, Reason.GRPC_NOT_SERVING)

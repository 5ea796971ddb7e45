"""What UDP_CHECK wants of a reply."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.udp import judge_reply
from pyhad.common.config.model import Target, Timing, UdpCheck


def check(pattern: bytes = b"", mask: bytes = b"", low: int = 0, high: int = 255) -> UdpCheck:
    target = Target(address="127.0.0.1", port=1)
    return UdpCheck(
        target=target, timing=Timing(), alpha=False, needs_reply=True, pattern=pattern, mask=mask, min_reply=low,
        max_reply=high,
    )  # fmt: skip


@pytest.mark.behaviour("QRK-5")
@pytest.mark.behaviour("CHK-80")
@pytest.mark.parametrize(
    ("wanted", "data", "reason"),
    [
        (check(low=5, high=6), b"abc", None),  # without a pattern the length does not count
        (check(b"\x01\x02", b"\xff\xff"), b"\x01\x02", None),
        (check(b"\x01\x02", b"\xff\xff"), b"\x01\x02\x03", None),
        (check(b"\x01\x02", b"\xff\xff"), b"\x01", None),  # as far as both reach
        (check(b"\x01\x02", b"\xff\xff"), b"\x01\x03", Reason.UDP_REPLY_CONTENT),
        (check(b"\x01\x00", b"\xff\xf0"), b"\x01\x0f", None),
        (check(b"\x01\x00", b"\xff\xf0"), b"\x01\x1f", Reason.UDP_REPLY_CONTENT),
        (check(b"\x01", b"\xff", low=2), b"\x01", Reason.UDP_REPLY_LENGTH),
        (check(b"\x01", b"\xff", high=2), b"\x01\x02\x03", Reason.UDP_REPLY_LENGTH),
        (check(b"\x01", b"\xff"), b"", None),
    ],
)
def test_a_reply_is_good_by_length_and_pattern(wanted: UdpCheck, data: bytes, reason: Reason | None) -> None:
    assert judge_reply(wanted, data) is reason


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_datagram_is_judged(pattern: bytes, data: bytes) -> None:
    judged = judge_reply(check(pattern, b"\xff" * len(pattern)), data)
    assert judged in (None, Reason.UDP_REPLY_CONTENT, Reason.UDP_REPLY_LENGTH)

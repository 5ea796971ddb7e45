"""The question of DNS_CHECK byte for byte, and what counts as an answer."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.dns import judge_reply, question_bytes
from pyhad.checker_proc.core.reasons import Reason


@pytest.mark.behaviour("CHK-50")
@pytest.mark.parametrize(
    ("name", "record_type", "expected"),
    [
        ("www.example", 1, "abcd 0100 0001 0000 0000 0000 03777777 076578616d706c65 00 0001 0001"),
        ("www.example.", 28, "abcd 0100 0001 0000 0000 0000 03777777 076578616d706c65 00 001c 0001"),
        (".", 6, "abcd 0100 0001 0000 0000 0000 00 0006 0001"),
    ],
)
def test_the_question_is_what_servers_know_byte_for_byte(name: str, record_type: int, expected: str) -> None:
    assert question_bytes(name, record_type, 0xABCD) == bytes.fromhex(expected)


@pytest.mark.behaviour("CHK-50")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("abcd 8180 0001 0001 0000 0000", None),
        ("abcd 8180 0001 0000 0000 0000 ffffffff", None),  # the content is not looked at
        ("abcd 8183 0001 0000 0000 0000", Reason.DNS_RCODE),
        ("abcd 8185 0001 0000 0000 0000", Reason.DNS_RCODE),
        ("abcd 0100 0001 0000 0000 0000", Reason.DNS_BAD_REPLY),
        ("abce 8180 0001 0001 0000 0000", Reason.DNS_OTHER_ID),
        ("abcd 8180 0001 0001 0000 00", Reason.DNS_BAD_REPLY),
        ("", Reason.DNS_BAD_REPLY),
    ],
)
def test_an_answer_is_good_by_its_header(data: str, reason: Reason | None) -> None:
    assert judge_reply(bytes.fromhex(data), 0xABCD) is reason


@given(st.binary(max_size=600), st.integers(0, 65535))
def test_any_datagram_is_judged(data: bytes, identity: int) -> None:
    assert judge_reply(data, identity) in (None, Reason.DNS_BAD_REPLY, Reason.DNS_OTHER_ID, Reason.DNS_RCODE)

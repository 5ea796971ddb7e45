"""The question of DNS_CHECK byte for byte, and what counts as an answer."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.dns import judge_reply, question_bytes, rcode_of
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


LABEL = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_", min_size=1, max_size=63)


@given(st.lists(LABEL, max_size=3), st.booleans(), st.integers(1, 65_535), st.integers(0, 65_535))
def test_dnspython_builds_the_same_question(labels: list[str], dotted: bool, record_type: int, identity: int) -> None:
    name = ".".join(labels) + ("." if dotted or not labels else "")
    query = dns.message.make_query(name, dns.rdatatype.RdataType.make(record_type), id=identity)
    assert question_bytes(name, record_type, identity) == query.to_wire()


@pytest.mark.parametrize("rcode", [0, 1, 2, 3, 5])
def test_an_answer_of_dnspython_is_read_by_its_code(rcode: int) -> None:
    query = dns.message.make_query("www.example.", "A", id=258)
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.from_text(str(rcode)))
    assert judge_reply(answer.to_wire(), 258) is (None if rcode == 0 else Reason.DNS_RCODE)
    assert rcode_of(answer.to_wire()) == dns.rcode.to_text(answer.rcode())
    assert judge_reply(query.to_wire(), 258) is Reason.DNS_BAD_REPLY

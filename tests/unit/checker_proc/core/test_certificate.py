"""The end of a certificate, out of real ones and out of bytes that are none."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.certificate import end_of_validity_s

REAL = ssl.PEM_cert_to_DER_cert((Path(__file__).parents[3] / "data/tls/server.pem").read_text())


def element(tag: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes((tag, len(content))) + content


def certificate(not_after: bytes, *, version: bytes = b"\xa0\x03\x02\x01\x02") -> bytes:
    """The beginning of one, as far as anybody reads."""
    validity = element(0x30, element(0x17, b"260101000000Z") + not_after)
    empty = element(0x30, b"")
    return element(0x30, element(0x30, version + element(0x02, b"\x05") + empty + empty + validity))


def test_openssl_says_the_same_of_a_real_one() -> None:
    assert end_of_validity_s(REAL) == 4_948_978_710  # notAfter=Oct 29 20:18:30 2126 GMT


@pytest.mark.parametrize(
    ("not_after", "end_s"),
    [
        (element(0x17, b"300102030405Z"), 1_893_553_445),
        (element(0x17, b"491231235959Z"), 2_524_607_999),
        (element(0x17, b"710101000000Z"), 31_536_000),
        (element(0x18, b"20300102030405Z"), 1_893_553_445),
        (element(0x18, b"99991231235959Z"), 253_402_300_799),
        (element(0x17, b"300102030405"), 0),
        (element(0x17, b"301302030405Z"), 0),
        (element(0x17, b"300132030405Z"), 0),
        (element(0x17, b"300102240405Z"), 0),
        (element(0x17, b"3001020304+5Z"), 0),
        (element(0x17, b"20300102030405Z"), 0),
        (element(0x04, b"300102030405Z"), 0),
        (b"", 0),
    ],
)
def test_a_time_of_either_form_is_read_and_no_other(not_after: bytes, end_s: int) -> None:
    assert end_of_validity_s(certificate(not_after)) == end_s
    assert end_of_validity_s(certificate(not_after, version=b"")) == end_s


def test_a_piece_of_a_certificate_has_no_end() -> None:
    assert {end_of_validity_s(REAL[:length]) for length in range(len(REAL))} == {0}


@given(st.integers(0, len(REAL) - 1), st.integers(0, 255))
def test_a_changed_byte_never_raises(at: int, byte: int) -> None:
    assert end_of_validity_s(REAL[:at] + bytes((byte,)) + REAL[at + 1 :]) >= 0


@given(st.binary(max_size=64))
def test_bytes_that_are_none_never_raise(data: bytes) -> None:
    assert end_of_validity_s(b"\x30\x84" + data) == 0

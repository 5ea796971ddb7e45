"""When a certificate ends, read out of its DER though it may be hostile. Pure; nothing else of it is looked at.

The way through RFC 5280 4.1: Certificate, its tbsCertificate, past version, serial number, algorithm and issuer to the
validity, whose second time it is. The ssl module decodes only certificates that it verified, and checks verify none
(CHK-26).
"""

from __future__ import annotations

import calendar
import functools

_SEQUENCE, _VERSION, _INTEGER = 0x30, 0xA0, 0x02
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_LENGTH_BYTES_MAX = 4
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@functools.lru_cache(maxsize=64)
def end_of_validity_s(der: bytes) -> int:
    """notAfter in seconds since 1970; 0 for what is no certificate."""
    try:
        return _not_after(der)
    except ValueError:
        return 0


def _not_after(der: bytes) -> int:
    inside, _ = _element(der, 0, len(der), _SEQUENCE)
    at, end = _element(der, *inside, _SEQUENCE)[0]
    if at < end and der[at] == _VERSION:
        at = _element(der, at, end, _VERSION)[1]
    for tag in (_INTEGER, _SEQUENCE, _SEQUENCE):  # serial number, algorithm, issuer
        at = _element(der, at, end, tag)[1]
    (at, end), _ = _element(der, at, end, _SEQUENCE)
    _, at = _element(der, at, end, _UTC_TIME, _GENERALIZED_TIME)
    kind = der[at] if at < end else 0
    (at, end), _ = _element(der, at, end, _UTC_TIME, _GENERALIZED_TIME)
    return _seconds(kind, der[at:end])


def _element(der: bytes, at: int, end: int, *tags: int) -> tuple[tuple[int, int], int]:
    """((begin, end) of the content, the place after it) of the element at `at`. Raises ValueError."""
    if at + 2 > end or der[at] not in tags:
        raise ValueError("another element")
    length, begin = der[at + 1], at + 2
    if length >= 0x80:
        count = length - 0x80
        if not 0 < count <= _LENGTH_BYTES_MAX or begin + count > end:
            raise ValueError("length")
        length = int.from_bytes(der[begin : begin + count], "big")
        begin += count
    if begin + length > end:
        raise ValueError("longer than what holds it")
    return (begin, begin + length), begin + length


def _seconds(kind: int, text: bytes) -> int:
    """RFC 5280 4.1.2.5: YYMMDDHHMMSSZ, of 1950 to 2049, or with four digits of the year."""
    digits = text[:-1]
    if not text.endswith(b"Z") or not digits.isdigit() or len(digits) != (12 if kind == _UTC_TIME else 14):
        raise ValueError("time")
    if kind == _UTC_TIME:
        digits = (b"19" if digits[:2] >= b"50" else b"20") + digits
    year, rest = int(digits[:4]), digits[4:]
    month, day, hour, minute, second = (int(rest[place : place + 2]) for place in range(0, 10, 2))
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] and hour < 24 and minute < 60):
        raise ValueError("time")
    return calendar.timegm((year, month, day, hour, minute, min(second, 59)))

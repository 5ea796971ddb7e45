"""`auth_type AH`: the IP authentication header around version 2 (RFC 2402, HMAC-MD5-96), as keepalived has it.

Two things differ from the RFC, because the peers do: the TTL is covered as it is, not as zero, and the sequence number
is one for all routers of a VRID. Who listens learns it, so that the next master goes on where the last one stopped.
MD5 is what the peers speak; whoever can choose takes something else.
"""

from __future__ import annotations

import hmac
import struct

from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.refusals import AuthenticationFailure, PacketLengthError

PROTOCOL_AH = 51
HEADER_BYTES = 24
"""12 of header and 12 of the truncated digest."""
LAST_SEQUENCE = 0xFFFFFFFF
"""At one advertisement per second reached after 136 years."""
_HEADER = struct.Struct("!BBH4sI12s")  # next header, length in words less 2, reserved, SPI, sequence, digest
_LENGTH_WORDS = HEADER_BYTES // 4 - 2
_NEXT_HEADER = 112
_DIGEST_BYTES = 12
_NO_DIGEST = bytes(_DIGEST_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The authentication header of a received packet. `covered` is what the digest was made of."""

    spi: bytes
    sequence: int
    digest: bytes
    covered: bytes


def seal(header: bytes, message: bytes, *, key: bytes, sequence: int) -> bytes:
    """The packet with its authentication header. `header` is the IPv4 header, with protocol and whole length set."""
    empty = _HEADER.pack(_NEXT_HEADER, _LENGTH_WORDS, 0, header[12:16], sequence, _NO_DIGEST)
    digest = _digest(_covered(header) + empty + message, key)
    return header + empty[:-_DIGEST_BYTES] + digest + message


def read_seal(header: bytes, rest: bytes) -> Seal:
    """The authentication header at the start of `rest`, what follows `header`. Raises PacketLengthError."""
    if len(rest) < HEADER_BYTES:
        raise PacketLengthError(f"{len(rest)} bytes are no authentication header")
    next_header, words, _, spi, sequence, digest = _HEADER.unpack_from(rest)
    if next_header != _NEXT_HEADER or words != _LENGTH_WORDS:
        raise PacketLengthError(f"authentication header of {words} words before protocol {next_header}")
    covered = _covered(header) + rest[: HEADER_BYTES - _DIGEST_BYTES] + _NO_DIGEST + rest[HEADER_BYTES:]
    return Seal(spi=spi, sequence=sequence, digest=digest, covered=covered)


def check_seal(found: Seal, source: bytes, *, key: bytes, last_sequence: int) -> None:
    """AUTH-3: SPI, sequence and digest. Raises AuthenticationFailure."""
    if found.spi != source:
        raise AuthenticationFailure("the security parameter index is not the sender's address")
    if not hmac.compare_digest(found.digest, _digest(found.covered, key)):
        raise AuthenticationFailure("the digest does not fit: another password, or changed on its way")
    if found.sequence <= last_sequence:
        raise AuthenticationFailure(f"sequence {found.sequence} is not above {last_sequence}: repeated")


def _covered(header: bytes) -> bytes:
    """What changes on the way is zero: type of service, fragmentation, checksum."""
    return header[:1] + b"\0" + header[2:6] + b"\0\0" + header[8:10] + b"\0\0" + header[12:]


def _digest(content: bytes, key: bytes) -> bytes:
    return hmac.digest(key, content, "md5")[:_DIGEST_BYTES]

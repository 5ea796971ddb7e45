"""Generic netlink as bytes: messages and attributes, both ways. Knows no family's meaning; opens no socket.

All numbers are in the machine's own order, padded to four bytes (linux/netlink.h, linux/genetlink.h).
"""

from __future__ import annotations

import struct

from pyhad.common.errors import WireError
from pyhad.common.records import dataclass

REQUEST, ACK, DUMP = 0x001, 0x004, 0x300
ERROR, DONE = 2, 3
CONTROL_FAMILY = 0x10
_VERSION = 1
_GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 3, 1, 2
_TYPE_MASK = 0x3FFF  # without the bits for nested and network order

_HEADER = struct.Struct("=IHHIIBBH")  # length, type, flags, sequence, port; command, version, reserved
_NETLINK_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")


@dataclass(frozen=True, slots=True)
class Answer:
    """One message from the kernel. `errno` is 0 for an acknowledgement, for data and at the end of a dump."""

    sequence: int
    errno: int
    done: bool
    """An acknowledgement, an error, or the end of a dump: nothing follows for this sequence."""
    payload: bytes = b""
    """Attributes."""


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute with its padding."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(family: int, command: int, sequence: int, flags: int, attributes: bytes = b"") -> bytes:
    """One request."""
    return _HEADER.pack(20 + len(attributes), family, REQUEST | flags, sequence, 0, command, _VERSION, 0) + attributes


def family_request(name: str, sequence: int) -> bytes:
    """Asks for the number of a family."""
    named = attribute(_FAMILY_NAME, name.encode() + b"\0")
    return message(CONTROL_FAMILY, _GET_FAMILY, sequence, 0, named)


def family_from(payload: bytes) -> int:
    """The answer to `family_request`. Raises `WireError`."""
    raw = attributes_from(payload).get(_FAMILY_ID, b"")
    if len(raw) != 2:
        raise WireError("the kernel's answer has no family number")
    number: int = struct.unpack("=H", raw)[0]
    return number


def attributes_from(data: bytes) -> dict[int, bytes]:
    """Values by kind; of a kind that comes twice the last one. Raises `WireError` when the lengths make no sense."""
    found: dict[int, bytes] = {}
    offset, end = 0, len(data)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > end:
            raise WireError(f"attribute of length {length} with {end - offset} bytes left")
        found[kind & _TYPE_MASK] = data[offset + 4 : offset + length]
        offset += length + 3 & ~3
    return found


def places_in(data: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Where values between `start` and `end` lie, by kind: (first byte, byte after the last). Raises `WireError`."""
    found: dict[int, tuple[int, int]] = {}
    while start + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < 4 or start + length > end:
            raise WireError(f"attribute of length {length} with {end - start} bytes left")
        found[kind & _TYPE_MASK] = start + 4, start + length
        start += length + 3 & ~3
    return found


def answers_from(datagram: bytes) -> list[Answer]:
    """All messages of one datagram. Raises `WireError` when the lengths make no sense."""
    found: list[Answer] = []
    offset, end = 0, len(datagram)
    while offset + 16 <= end:
        length, kind, _, sequence, _ = _NETLINK_HEADER.unpack_from(datagram, offset)
        if length < 16 or offset + length > end:
            raise WireError(f"message of length {length} with {end - offset} bytes left")
        if kind in (ERROR, DONE):
            code = _ERROR.unpack_from(datagram, offset + 16)[0] if length >= 20 else 0
            found.append(Answer(sequence, -code if code < 0 else 0, done=True))
        elif kind >= CONTROL_FAMILY:
            found.append(Answer(sequence, 0, done=False, payload=datagram[offset + 20 : offset + length]))
        offset += length + 3 & ~3
    return found


def dumped(datagram: bytes, sequence: int, found: list[bytes]) -> int | None:
    """The attributes of each message of a dump go to `found`; None: more follows, else the errno of its end.

    Messages of other sequences are left out. Raises `WireError` when the lengths make no sense.
    """
    offset, end = 0, len(datagram)
    while offset + 16 <= end:
        length, kind, _, number, _ = _NETLINK_HEADER.unpack_from(datagram, offset)
        if length < 16 or offset + length > end:
            raise WireError(f"message of length {length} with {end - offset} bytes left")
        if number == sequence:
            if kind >= CONTROL_FAMILY:
                found.append(datagram[offset + 20 : offset + length])
            elif kind in (ERROR, DONE):
                code = _ERROR.unpack_from(datagram, offset + 16)[0] if length >= 20 else 0
                return -code if code < 0 else 0
        offset += length + 3 & ~3
    return None

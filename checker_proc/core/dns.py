"""The little DNS that a check needs: one question as bytes, and whether a datagram is a good answer (CHK-50).

What the answer says is not looked at, so its sections are never parsed and cannot harm. The tests hold the bytes
against dnspython's; in the process that package would cost 8 MB and 0.2 s for these few lines.
"""

from __future__ import annotations

import struct

from pyhad.checker_proc.core.reasons import Reason

_HEADER = struct.Struct("!6H")
_RECURSION_DESIRED = 0x0100
_RESPONSE = 0x8000
_RCODE = 0x000F
_CLASS_IN = 1
_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")


def question_bytes(name: str, record_type: int, identity: int) -> bytes:
    """A query of one question (RFC 1035 section 4). `name` has been checked by the compiler; "." is the root."""
    labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".") if label]
    encoded = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    header = _HEADER.pack(identity, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + encoded + struct.pack("!HH", record_type, _CLASS_IN)


def judge_reply(data: bytes, identity: int) -> Reason | None:
    """None for a good answer. DNS_OTHER_ID: it answers somebody else, ours may still come."""
    if len(data) < _HEADER.size:
        return Reason.DNS_BAD_REPLY
    found, flags, *_ = _HEADER.unpack_from(data)
    if found != identity:
        return Reason.DNS_OTHER_ID
    if not flags & _RESPONSE:
        return Reason.DNS_BAD_REPLY
    return Reason.DNS_RCODE if flags & _RCODE else None


def rcode_of(data: bytes) -> str:
    """The code of an answer that is bad for it, as the registry names it."""
    code = _HEADER.unpack_from(data)[1] & _RCODE
    return _RCODES[code] if code < len(_RCODES) else str(code)

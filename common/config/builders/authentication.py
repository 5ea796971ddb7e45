"""`authentication` of a vrrp_instance to the 8 bytes that version 2 carries. The secret goes into no message."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.builders.hmac import build_hmac
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.tree import Statement

AUTHENTICATION_BYTES = 8


def with_authentication(
    instance: VrrpInstance, block: Statement, complaints: Complaints, credentials: str
) -> VrrpInstance:
    """The instance with its password; without one where AUTH-1 and FIX-4 say that there is none."""
    signed = build_hmac(instance, block, complaints, credentials)
    if signed is not None:
        instance = replace(instance, hmac=signed)
    found = _gathered(block)
    if found is None:
        return instance
    password = found.text_of("auth_pass")
    if signed is not None:
        reason = "auth_hmac takes its place"  # FIX-6
    elif instance.version != 2:
        reason = "version 3 has none"
    elif instance.family == 6:
        reason = "over IPv6 there is none"
    elif found.last("auth_type") is None:
        reason = "it has no auth_type"
    elif not password:
        reason = "it has no auth_pass"
    else:
        data, header = _data(password, found, complaints), found.text_of("auth_type") == "AH"
        return replace(instance, authentication_data=data, authentication_header=header)
    complaints.warning(f"authentication of '{instance.name}' is ignored: {reason}", found.at)
    return instance


def _gathered(block: Statement) -> Statement | None:
    """All `authentication` blocks as one, for the last word counts."""
    blocks = list(block.every("authentication"))
    if not blocks:
        return None
    one = Statement(blocks[-1].keyword, blocks[-1].line)
    for found in blocks:
        one.add(found.children)
    return one


def _data(password: str, found: Statement, complaints: Complaints) -> bytes:
    """AUTH-2: the first 8 bytes, filled up with zeros."""
    for line in found.every("auth_pass"):
        if len(line.text().encode()) > AUTHENTICATION_BYTES:
            complaints.warning("auth_pass: only its first 8 bytes are used", line.at)
    return password.encode()[:AUTHENTICATION_BYTES].ljust(AUTHENTICATION_BYTES, b"\0")

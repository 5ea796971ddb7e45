"""Authentication inside version 2: type and 8 bytes of data, built and compared (RFC 2338 5.3.6). Holds no secret.

RFC 3768 took it out again, for who can listen can also send: a password keeps misconfigured neighbours apart, no more.
"""

from __future__ import annotations

import hmac

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.refusals import (
    AuthenticationFailure,
    AuthenticationTypeMismatch,
    AuthenticationTypeUnknown,
)

AUTHENTICATION_BYTES = 8
_NONE, _PASSWORD, _HEADER = 0, 1, 2
_KNOWN_TYPES = (0, 1, 2)
_NAMES = ("none", "a password", "an authentication header")


def trailer_bytes(version: int, family: int) -> int:
    """How many bytes of authentication end a message: version 2 over IPv4 has them even without any (PKT-2).

    Version 2 over IPv6, which no RFC knows, has none where it is used.
    """
    return AUTHENTICATION_BYTES if version == 2 and family == 4 else 0


def type_of(config: VrrpInstance) -> int:
    """The authentication type that `config` sends: 0 none, 1 simple text password, 2 IP authentication header."""
    if not config.authentication_data:
        return _NONE
    return _HEADER if config.authentication_header else _PASSWORD


def data_of(config: VrrpInstance) -> bytes:
    """The bytes that end a message of ours; the key of an authentication header is not sent."""
    data = b"" if config.authentication_header else config.authentication_data
    return data.ljust(trailer_bytes(config.version, config.family), b"\0")


def check_authentication(auth_type: int, data: bytes, config: VrrpInstance) -> None:
    """PKT-27: the type exists, is ours, and the data is ours byte for byte (AUTH-2)."""
    if auth_type not in _KNOWN_TYPES:
        raise AuthenticationTypeUnknown(f"authentication type {auth_type}")
    ours = type_of(config)
    if auth_type != ours:
        raise AuthenticationTypeMismatch(f"authenticates by {_NAMES[auth_type]}, we by {_NAMES[ours]}")
    if ours == _PASSWORD and not hmac.compare_digest(data, config.authentication_data):
        raise AuthenticationFailure("the password is not ours")

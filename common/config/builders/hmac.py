"""`auth_hmac` of a vrrp_instance: keys, window, mode. Reads the files that hold keys; a key goes into no message."""

from __future__ import annotations

from pathlib import Path

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import HmacKey, HmacMode, HmacSettings, VrrpInstance
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

_SECOND_NS = 1_000_000_000
_LEAST, _MOST = 32, 64
_READABLE_BY_OTHERS = 0o077


def build_hmac(
    instance: VrrpInstance, block: Statement, complaints: Complaints, credentials: str = ""
) -> HmacSettings | None:
    """The settings; None without the block, or when no key can sign (FIX-7). `credentials`: systemd's directory."""
    found = block.last("auth_hmac")
    if found is None:
        return None
    keys: dict[int, HmacKey] = {}
    for statement in found.every("key"):
        identifier, secret = statement.number(0), _secret(statement, complaints, credentials)
        if identifier in keys:
            complaints.error(f"key: {identifier} is defined twice", statement.at, trouble=Trouble.INVALID_VALUE)
        elif secret:
            keys[identifier] = HmacKey(identifier=identifier, secret=secret)
    active = found.number_of("active_key", next(iter(keys), 0))
    if active not in keys:
        message = f"auth_hmac of '{instance.name}' has no active key: its adverts would be without protection"
        complaints.error(message, found.at, hint="add: key ID SECRET, with a secret of 32 to 64 bytes")
        return None
    interval_s = 3 * instance.advertisement_interval_cs // 100
    window_ns = found.number_of("time_window", min(max(interval_s, 5), 300) * _SECOND_NS)
    return HmacSettings(
        keys=tuple(keys.values()),
        active=active,
        window_s=window_ns // _SECOND_NS,
        monotonic=found.text_of("anti_replay") == "monotonic",
        mode=HmacMode(found.text_of("mode", "enforce")),
    )


def _secret(statement: Statement, complaints: Complaints, credentials: str) -> bytes:
    """AUTH-5. Empty after an error."""
    text = statement.text(1)
    kind, _, rest = text.partition(":")
    try:
        if kind == "hex":
            secret = bytes.fromhex(rest)
        elif kind == "file":
            path = Path(rest)
            secret = path.read_bytes().rstrip(b"\n")
            if path.stat().st_mode & _READABLE_BY_OTHERS:
                complaints.warning("key: its file can be read by others", statement.at, hint="chmod 600")
        elif kind == "credential":
            if not credentials:
                complaints.error("key: systemd gave no credentials", statement.at, hint=f"LoadCredential={rest}:FILE")
                return b""
            secret = (Path(credentials) / Path(rest).name).read_bytes().rstrip(b"\n")
        else:
            secret = text.encode()
    except ValueError:
        complaints.error("key: not hexadecimal", statement.at, trouble=Trouble.INVALID_VALUE)
        return b""
    except OSError as error:
        complaints.error(f"key: its file cannot be read: {error.strerror}", statement.at)
        return b""
    if not _LEAST <= len(secret) <= _MOST:
        message = f"key: a secret has {_LEAST} to {_MOST} bytes, this one {len(secret)}"
        complaints.error(message, statement.at, trouble=Trouble.INVALID_VALUE)
        return b""
    return secret

"""`auth_hmac` of an instance, as frozen dataclasses."""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass, field


class HmacMode(enum.StrEnum):
    """`auth_hmac`: whether unsigned adverts count, and whether ours are signed (AUTH-8)."""

    ENFORCE = "enforce"
    PERMISSIVE = "permissive"
    RECEIVE_ONLY = "receive-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacKey:
    """A key of `auth_hmac`. `secret` must never be logged or shown."""

    identifier: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacSettings:
    """`auth_hmac` of an instance. The active key signs, every key verifies."""

    keys: tuple[HmacKey, ...]
    active: int
    window_s: int
    monotonic: bool
    mode: HmacMode

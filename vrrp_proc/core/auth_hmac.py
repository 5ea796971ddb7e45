"""`auth_hmac`: the signed trailer behind an advertisement, of any version and family, as keepalived 2.4 has it.

A stamp says when it was sent and can only rise, so that nothing can be sent again by somebody else. All digests are
computed after the cheap checks; a mark moves only after a good digest, so that no forgery can move it.
"""

from __future__ import annotations

import hmac
import struct
from collections import OrderedDict

from pyhad.common.config.model import HmacMode, HmacSettings, VrrpInstance
from pyhad.vrrp_proc.core.refusals import (
    AuthenticationFailure,
    PacketLengthError,
    SignatureKeyUnknown,
    SignatureMissing,
    SignatureRepeated,
    SignatureStale,
)

TRAILER_BYTES = 28
SENDERS_REMEMBERED = 4
"""By multicast anybody can speak; by unicast every peer has its place (AUTH-7)."""
_TRAILER = struct.Struct("!BBHQ16s")  # type, key id, reserved, stamp, digest
_TYPE = 1
_DIGEST_BYTES = 16
_NO_DIGEST = bytes(_DIGEST_BYTES)
_SECOND_NS = 1_000_000_000
_SECONDS_SHIFT = 32  # of a stamp: seconds, 1/65536 seconds, a counter of 16 bits
_STAMPS = 1 << 64


def stamp_of(wall_ns: int) -> int:
    """The stamp of a moment on the wall clock (ns since 1970)."""
    seconds, rest_ns = divmod(wall_ns, _SECOND_NS)
    return (seconds << _SECONDS_SHIFT | (rest_ns << 16) // _SECOND_NS << 16) % _STAMPS


def is_after(one: int, other: int) -> bool:
    """RFC 1982 over 64 bits."""
    return 0 < (one - other) % _STAMPS < _STAMPS // 2


def sign(message: bytes, config: VrrpInstance, source: bytes, stamp: int) -> bytes:
    """`message`, its checksum zero, with a trailer of the active key."""
    assert config.hmac is not None
    settings = config.hmac
    head = _TRAILER.pack(_TYPE, settings.active, 0, stamp, _NO_DIGEST)[:-_DIGEST_BYTES]
    secret = next(key.secret for key in settings.keys if key.identifier == settings.active)
    return message + head + _digest(secret, message, head, config, source)


def signs(config: VrrpInstance) -> bool:
    """Whether our own advertisements have a trailer (AUTH-8)."""
    return config.hmac is not None and config.hmac.mode is not HmacMode.RECEIVE_ONLY


class HmacMemory:
    """What one virtual router remembers of stamps: its own last one, and the last of each sender."""

    def __init__(self) -> None:
        self._last = 0
        self._marks: OrderedDict[str, int] = OrderedDict()

    def next_stamp(self, settings: HmacSettings, wall_ns: int) -> int:
        """Above the last one; but a clock that went back farther than the window is followed, unless only counting."""
        now = stamp_of(wall_ns)
        ahead = (self._last - now) % _STAMPS
        is_back = is_after(self._last, now) and ahead >> _SECONDS_SHIFT > settings.window_s and not settings.monotonic
        if self._last == 0 or is_back or is_after(now, self._last):
            self._last = now
        else:
            self._last = (self._last + 1) % _STAMPS
        return self._last

    def check(
        self, message: bytes, trailer: bytes, config: VrrpInstance, *, sender: str, source: bytes, wall_ns: int
    ) -> None:
        """AUTH-4 to AUTH-8. `trailer` is empty when there is none. Raises AdvertisementRefused."""
        settings = config.hmac
        assert settings is not None
        if not trailer:
            if settings.mode is HmacMode.ENFORCE:
                raise SignatureMissing("not signed")
            return
        kind, identifier, _, stamp, digest = _TRAILER.unpack(trailer)
        if kind != _TYPE:
            raise PacketLengthError(f"trailer of type {kind}")
        secret = next((key.secret for key in settings.keys if key.identifier == identifier), None)
        if secret is None:
            raise SignatureKeyUnknown(f"signed with key {identifier}, which we do not have")
        now = stamp_of(wall_ns)
        if not settings.monotonic and not _is_near(stamp, now, settings.window_s):
            raise SignatureStale(f"signed more than {settings.window_s} s before or after our own time")
        mark = self._marks.get(sender)
        counts = mark is not None and (settings.monotonic or _is_near(mark, now, settings.window_s))
        if counts and mark is not None and not is_after(stamp, mark):
            raise SignatureRepeated("sent before")
        bare = message[:6] + b"\0\0" + message[8:]
        if not hmac.compare_digest(digest, _digest(secret, bare, trailer[:-_DIGEST_BYTES], config, source)):
            raise AuthenticationFailure("the signature does not fit")
        self._marks[sender] = stamp
        self._marks.move_to_end(sender)
        while len(self._marks) > max(SENDERS_REMEMBERED, len(config.unicast_peers)):
            self._marks.popitem(last=False)


def _is_near(stamp: int, now: int, window_s: int) -> bool:
    distance = (stamp - now) % _STAMPS
    return min(distance, _STAMPS - distance) <= window_s << _SECONDS_SHIFT


def _digest(secret: bytes, message: bytes, head: bytes, config: VrrpInstance, source: bytes) -> bytes:
    """AUTH-4: what is signed is who sends, the message and the head of the trailer."""
    pseudo = bytes((config.family, config.version, config.vrid, 0)) + source.ljust(16, b"\0")
    return hmac.digest(secret, pseudo + message + head + _NO_DIGEST, "sha256")[:_DIGEST_BYTES]

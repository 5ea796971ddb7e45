"""The body of a response as a check needs it: counted, hashed, kept to be searched. Everything is capped.

Sans-IO and without any protocol: what finds out where a body begins and ends is elsewhere.
"""

from __future__ import annotations

import hashlib

from pyhad.checker_proc.core.reasons import Reason

BODY_MAX = 16 * 1024 * 1024
KEPT_MAX = 1024 * 1024
"""A body that is searched is kept, so it may be less long."""
BODY_ENOUGH = 64 * 1024
"""Without a digest to compare, a body is read to here out of politeness, then the answer counts as whole."""


class Body:
    """What came of one body so far."""

    __slots__ = ("_is_looked_at", "_max", "_md5", "bytes", "kept")

    def __init__(self, *, wants_digest: bool, wants_body: bool) -> None:
        self.bytes = 0
        """How many came."""
        self.kept: bytearray | None = bytearray() if wants_body else None
        self._md5 = hashlib.md5(usedforsecurity=False) if wants_digest else None
        self._is_looked_at = wants_digest or wants_body
        self._max = KEPT_MAX if wants_body else BODY_MAX

    def take(self, data: bytes) -> Reason | None:
        """Some more of it; the reason when it is too long."""
        self.bytes += len(data)
        if not self._is_looked_at:
            return None
        if self.bytes > self._max:
            return Reason.HTTP_BODY_TOO_LONG
        if self._md5 is not None:
            self._md5.update(data)
        if self.kept is not None:
            self.kept += data
        return None

    @property
    def is_enough(self) -> bool:
        """Nobody looks at it, and there was plenty."""
        return not self._is_looked_at and self.bytes > BODY_ENOUGH

    def digest(self) -> str:
        """MD5 so far, 32 hex digits; empty when it was not asked for."""
        return self._md5.hexdigest() if self._md5 is not None else ""

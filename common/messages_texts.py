"""Questions for texts that programs of others read, and their answers. Part of the catalogue in messages.py."""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class TextForm(enum.StrEnum):
    """Texts that are made of a status: keepalived's three dumps, and metrics."""

    DATA = "data"
    STATS = "stats"
    JSON = "json"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """pyhadctl -> control: everything, now, as a text that others read."""

    version: int
    form: TextForm


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReply:
    """control -> pyhadctl: the texts by the part of the file name that tells them apart (`""`, `_parent`, `_check`)."""

    texts: dict[str, str]

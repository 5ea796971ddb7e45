"""Refused advertisements: each counted, each said once between two transitions (PKT-37). Judges none."""

from __future__ import annotations

import collections

from pyhad.common.log import FilteringBoundLogger
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused

_REMEMBERED = 16
"""Refusals remembered between two transitions; senders can be forged."""


class Complaints:
    """Of one virtual router."""

    def __init__(self, counters: collections.Counter[str]) -> None:
        self._counters = counters
        self._said: set[tuple[str, str]] = set()

    def refuse(self, logger: FilteringBoundLogger, source: str, refusal: AdvertisementRefused) -> None:
        """Count it, and say it if it is news."""
        self._counters[refusal.counter] += 1
        complaint = (source, refusal.counter)
        if complaint not in self._said and len(self._said) < _REMEMBERED:
            self._said.add(complaint)
            logger.warning("advert_refused", peer=source, reason=refusal.counter, detail=str(refusal))

    def forget(self) -> None:
        """After a transition everything is news again."""
        self._said.clear()

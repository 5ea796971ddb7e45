"""Weights that operators set, journaled for our successors. Knows the black box; decides nothing.

A record holds the weight only and is found by the ids of its service and server, which may be too long for a record:
so what a server that is not configured now once had is kept, and counts again when it is back.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.config.model import IpvsDocument

_RECORD = struct.Struct("=BI")
_TAG = 0x57


def split(records: Mapping[bytes, bytes]) -> tuple[dict[bytes, int], dict[bytes, bytes]]:
    """Those of `records` that are ours, and the others."""
    ours: dict[bytes, int] = {}
    others: dict[bytes, bytes] = {}
    for key, payload in records.items():
        if len(payload) == _RECORD.size and payload[0] == _TAG:
            ours[key] = _RECORD.unpack(payload)[1]
        else:
            others[key] = payload
    return ours, others


class OrderedWeights:
    """Every weight that was set and not undone."""

    def __init__(self, box: BlackBox, weights: dict[bytes, int]) -> None:
        self._box = box
        self._weights = weights

    def set(self, service: str, server: str, weight: int | None) -> bool:
        """Remember it, or forget it for None. False when there is no room to remember: it ends with this process."""
        key = _key(service, server)
        if weight is None:
            self._weights.pop(key, None)
            self._box.forget(key)
            return True
        self._weights[key] = weight
        return self._box.put(key, _RECORD.pack(_TAG, weight))

    def of(self, document: IpvsDocument) -> dict[tuple[str, str], int]:
        """By ids, those of servers that are configured."""
        if not self._weights:
            return {}
        pairs = ((service.id, server.id) for service in document.services for server in service.servers)
        return {pair: weight for pair in pairs if (weight := self._weights.get(_key(*pair))) is not None}


def _key(service: str, server: str) -> bytes:
    return key_of("weight", service, server)

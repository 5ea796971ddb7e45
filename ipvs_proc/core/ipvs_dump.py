"""Very many destinations as the kernel dumps them, read fast: what was seen before is not parsed again. Pure.

Messages of one kernel and one kind of destination are laid out alike. The first of each length is parsed attribute by
attribute and shows where things are: the settings (everything but counters) are looked up as bytes, the counters are
taken from their places. A message that is laid out otherwise is parsed like a first one.
"""

from __future__ import annotations

import struct

from pyhad.common.errors import WireError
from pyhad.common.records import dataclass
from pyhad.ipvs_proc.core import ipvs_wire as wire
from pyhad.ipvs_proc.core.genl import places_in
from pyhad.ipvs_proc.core.table import Connections, Destination

KEPT_MAX = 200_000
_IDLE = Connections(0, 0, 0, 0, 0, 0, 0)
"""Of all destinations that nobody uses: one object instead of thousands."""
_U32 = struct.Struct("=I")
_U64 = struct.Struct("=Q")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things are in messages of one length."""

    settings: tuple[tuple[int, int], ...]
    """Stretches of bytes that are no counters, heads of attributes included."""
    heads: tuple[tuple[int, bytes], ...]
    """Heads of the attributes with counters, which must stand where they stood."""
    short: tuple[int, int]
    """Active and inactive connections, 32 bits each."""
    long: tuple[int, ...]
    """Connections, packets in and out, bytes in and out, 64 bits each."""


class DestinationReader:
    """Call it with each message of a dump. What it remembers is shared by all services, and bounded."""

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}
        self._known: dict[bytes, Destination] = {}

    def read(self, payload: bytes, service_family: int) -> tuple[Destination, Connections]:
        """A destination and what it counted. Raises `WireError`."""
        layout = self._layouts.get(len(payload))
        if layout is not None and all(payload[at : at + len(head)] == head for at, head in layout.heads):
            known = self._known.get(_key(payload, layout, service_family))
            if known is not None:
                return known, _counters(payload, layout)
        found, counted = wire.destination_from(payload, service_family)
        layout = _layout_of(payload)
        if layout is not None:
            self._layouts[len(payload)] = layout
            if len(self._known) >= KEPT_MAX:
                self._known.clear()
            found = self._known.setdefault(_key(payload, layout, service_family), found)
        return found, counted


def _key(payload: bytes, layout: _Layout, service_family: int) -> bytes:
    """The settings of a destination, and the family of its service."""
    return b"".join([*(payload[start:end] for start, end in layout.settings), bytes((service_family,))])


def _counters(payload: bytes, layout: _Layout) -> Connections:
    first, second = layout.short
    total, in_packets, out_packets, in_bytes, out_bytes = (_U64.unpack_from(payload, at)[0] for at in layout.long)
    active, inactive = _U32.unpack_from(payload, first)[0], _U32.unpack_from(payload, second)[0]
    found = Connections(active, inactive, total, in_packets, out_packets, in_bytes, out_bytes)
    return _IDLE if found == _IDLE else found


def _layout_of(payload: bytes) -> _Layout | None:
    """None when a counter is missing or of another size: then there is nothing to be gained."""
    try:
        outer = places_in(payload, 0, len(payload))
        inner = places_in(payload, *outer[wire.DEST])
        stats = places_in(payload, *inner[wire.DEST_STATS64])
        short = tuple(inner[kind] for kind in wire.DEST_SHORT_COUNTERS)
        long = tuple(stats[kind] for kind in wire.STATS_COUNTERS)
    except (KeyError, WireError):
        return None
    if any(end - start != 4 for start, end in short) or any(end - start != 8 for start, end in long):
        return None
    volatile = sorted(place for kind, place in inner.items() if kind in wire.DEST_VOLATILE)
    settings: list[tuple[int, int]] = []
    at = 0
    for start, end in volatile:
        settings.append((at, start))
        at = end + 3 & ~3
    settings.append((at, len(payload)))
    counters = [*short, *long]
    return _Layout(
        settings=tuple((start, end) for start, end in settings if start < end),
        heads=tuple((start - 4, payload[start - 4 : start]) for start, _ in counters),
        short=(short[0][0], short[1][0]),
        long=tuple(start for start, _ in long),
    )

"""Very many destinations as the kernel dumps them, read fast: what was seen before is not parsed again. Pure.

Messages of one kernel and one kind of destination are laid out alike. The first of each length is parsed attribute by
attribute and shows where things are: the settings (everything but counters) are looked up as bytes, the counters are
taken from their places, all in one go. A message that is laid out otherwise is parsed like a first one.
"""

from __future__ import annotations

import struct

from pyhad.common.errors import WireError
from pyhad.common.messages_table import STILL
from pyhad.common.records import dataclass
from pyhad.ipvs_proc.core import ipvs_wire as wire
from pyhad.ipvs_proc.core.genl import places_in
from pyhad.ipvs_proc.core.table import Connections, Destination, rates_of

KEPT_MAX = 200_000
_IDLE = Connections(0, 0, 0, 0, 0, 0, 0, STILL)
"""Of all destinations that nobody uses: one object instead of thousands."""
_HEAD = 4
_SIZES = [4] * len(wire.DEST_SHORT_COUNTERS) + [8] * len((*wire.STATS_COUNTERS, *wire.STATS_RATES))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things are in messages of one length."""

    settings: tuple[tuple[int, int], ...]
    """Stretches of bytes that are no counters, heads of attributes included."""
    start: int
    """Where the first counter is, with its head."""
    counters: struct.Struct
    """From there on head and value of each, by turns: active and inactive connections, 32 bits each; then connections,
    packets in and out, bytes in and out, and the rates of these, 64 bits each."""
    heads: tuple[bytes, ...]
    """Which must stand where they stood."""


class DestinationReader:
    """Call it with each message of a dump. What it remembers is shared by all services, and bounded."""

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}
        self._known: dict[bytes, Destination] = {}

    def read(self, payload: bytes, service_family: int) -> tuple[Destination, Connections]:
        """A destination and what it counted. Raises `WireError`."""
        layout = self._layouts.get(len(payload))
        if layout is not None:
            counters = layout.counters.unpack_from(payload, layout.start)
            if counters[::2] == layout.heads:
                known = self._known.get(_key(payload, layout, service_family))
                if known is not None:
                    return known, _counted(counters[1::2])
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


def _counted(values: tuple[int, ...]) -> Connections:
    return Connections._make((*values[:7], rates_of(values[7:]))) if any(values) else _IDLE


def _layout_of(payload: bytes) -> _Layout | None:
    """None when a counter is missing or of another size: then there is nothing to be gained."""
    try:
        outer = places_in(payload, 0, len(payload))
        inner = places_in(payload, *outer[wire.DEST])
        stats = places_in(payload, *inner[wire.DEST_STATS64])
        places = [inner[kind] for kind in wire.DEST_SHORT_COUNTERS]
        places += [stats[kind] for kind in (*wire.STATS_COUNTERS, *wire.STATS_RATES)]
    except (KeyError, WireError):
        return None
    sizes = [end - start for start, end in places]
    if sizes != _SIZES or places != sorted(places):
        return None
    volatile = sorted(place for kind, place in inner.items() if kind in wire.DEST_VOLATILE)
    settings: list[tuple[int, int]] = []
    at = 0
    for start, end in volatile:
        settings.append((at, start))
        at = end + 3 & ~3
    settings.append((at, len(payload)))
    return _Layout(
        settings=tuple((start, end) for start, end in settings if start < end),
        start=places[0][0] - _HEAD,
        counters=_struct_of(places),
        heads=tuple(payload[start - _HEAD : start] for start, _ in places),
    )


def _struct_of(places: list[tuple[int, int]]) -> struct.Struct:
    """Head and value of each attribute, and what is between two of them passed over."""
    form, at = "=", places[0][0] - _HEAD
    for start, end in places:
        form += f"{start - _HEAD - at}x{_HEAD}s{'I' if end - start == 4 else 'Q'}"
        at = end
    return struct.Struct(form)

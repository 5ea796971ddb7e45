"""How often addresses may be announced, as frozen dataclasses. Pure data, part of the model (see model.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceLimit:
    """The least time between two announcements on these interfaces taken together (NET-25); 0: none.

    Without names it is the limit of each interface that no other one names, each for itself.
    """

    interfaces: tuple[str, ...] = ()
    garp_interval_ns: int = 0
    gna_interval_ns: int = 0

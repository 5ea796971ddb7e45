"""How often addresses may be announced, as frozen dataclasses. Pure data, part of the model (see model.py)."""

from __future__ import annotations

from pyhad.common.config.model.checks import SECOND_NS
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceLimit:
    """The least time between two announcements on these interfaces taken together (NET-25); 0: none.

    Without names it is the limit of each interface that no other one names, each for itself.
    """

    interfaces: tuple[str, ...] = ()
    garp_interval_ns: int = 0
    gna_interval_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """When and how often the addresses are announced by gratuitous ARP (NET-20 to NET-24)."""

    master_delay_ns: int = 5 * SECOND_NS
    master_repeat: int = 5
    refresh_ns: int = 0
    refresh_repeat: int = 1
    lower_prio_delay_ns: int = 5 * SECOND_NS
    lower_prio_repeat: int = 5
    extra_ns: int = 0
    """Each time so long one announcement on each further interface that carries addresses (NET-26); 0: never."""
    extra_all: bool = False
    """On all of them, not only on virtual MACs."""


USUAL_ANNOUNCEMENT = Announcement()

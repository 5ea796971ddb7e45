"""Where a reload stands. Pure.

A reload: compile, adopt, hand out documents, start who is newly needed, stop who is not, report when all have
answered. A refused one changes nothing. One that is not confirmed in time goes back (core/confirmation.py).
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass, field
from pyhad.common.states import ProcessName

APPLY_WAIT_NS = 60_000_000_000


class ReloadStage(enum.Enum):
    """One reload at a time."""

    IDLE = "idle"
    COMPILING = "compiling"
    APPLYING = "applying"


@dataclass(slots=True)
class Reload:
    """The reload that is going on, and whether another was asked for meanwhile (REL-2: remembered once)."""

    stage: ReloadStage = ReloadStage.IDLE
    again: bool = False
    waiting: set[ProcessName] = field(default_factory=set)
    """APPLYING: children whose answer is missing."""
    give_up_at_ns: int | None = None

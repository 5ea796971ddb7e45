"""Which children still run the program before the parent's, and whose turn it is to be replaced. Pure.

An upgrade: try the installed program, become it, adopt the children, and replace them one by one in the order of
starting, so that a bad program shows in the child that matters least. Each is asked to leave everything as it is.
"""

from __future__ import annotations

from pyhad.common.records import dataclass, field
from pyhad.common.states import ProcessName
from pyhad.parent.core.effects import HandOver
from pyhad.parent.core.settings import Settings


@dataclass(slots=True)
class Replacement:
    """One child at a time: the next one only when its predecessor in the queue is ready again."""

    is_going_on: bool = False
    """Some child may still run the program before."""
    waiting: list[ProcessName] = field(default_factory=list)
    current: ProcessName | None = None
    stop_wanted: bool = False
    """An orderly stop came while `current` was between two programs: it follows."""


def hand_over(name: ProcessName, settings: Settings) -> HandOver:
    """How `name` makes room: in order, where the peers of VRRP have the patience."""
    return HandOver(name=name, at_once=name is ProcessName.VRRP and settings.limits is not None)

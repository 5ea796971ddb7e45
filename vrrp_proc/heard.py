"""The last advertisement that a Backup heard, as long as hearing it again only moves a deadline. Decides nothing."""

from __future__ import annotations

from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.states import State
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter


class Heard:
    """Of one virtual router; what was put off must be taken in before its core is looked at."""

    __slots__ = ("event", "last_ns", "state", "times")

    def __init__(self) -> None:
        self.event = AdvertisementReceived(source="", priority=0, interval_cs=0)
        self.state: State | None = None
        """That of the core after `event`: as long as it is this very object, nothing came between."""
        self.times = 0
        """How often it was heard and not yet taken in."""
        self.last_ns = 0

    def remember(self, event: AdvertisementReceived, core: VirtualRouter, now_ns: int) -> None:
        """`core` has just handled `event`."""
        self.event = event
        self.state = core.state if core.repeats_for_ns(event, now_ns) > 0 else None

"""The last advertisement that a Backup heard, as long as hearing it again only moves a deadline. Decides nothing."""

from __future__ import annotations

from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.states import State
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter


class Heard:
    """Of one virtual router; what was put off must be taken in before its core is looked at."""

    __slots__ = ("event", "holds_ns", "last_ns", "state", "times")

    def __init__(self) -> None:
        self.event = AdvertisementReceived(source="", priority=0, interval_cs=0)
        self.state: State | None = None
        """That of the core after `event`: as long as it is this very object, nothing came between."""
        self.holds_ns = 0
        """How far the deadline is from the last time that it is heard."""
        self.times = 0
        """How often it was heard and not yet taken in."""
        self.last_ns = 0

    def remember(self, event: AdvertisementReceived, core: VirtualRouter, now_ns: int) -> None:
        """`core` has just handled `event`."""
        self.event = event
        self.holds_ns = core.repeats_for_ns(event, now_ns)
        self.state = core.state if self.holds_ns > 0 else None

    def deadline_ns(self, core: VirtualRouter) -> int | None:
        """That of the core as if everything had been taken in; None: never."""
        if self.times and core.is_still(self.state):
            return self.last_ns + self.holds_ns
        return core.next_deadline_ns()

"""The last advertisement that a Backup heard, as long as hearing it again only moves a deadline. Decides nothing."""

from __future__ import annotations

from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter

_NOTHING = AdvertisementReceived(source="", priority=0, interval_cs=0)


class Repeats:
    """Of one virtual router; what was put off must be taken in before its core is looked at.

    Whoever hears the very bytes again that made `event`, this very object, adds to `times` and sets `last_ns`.
    """

    __slots__ = ("event", "holds_ns", "last_ns", "times")

    def __init__(self) -> None:
        self.event = _NOTHING
        self.holds_ns = 0
        """How far the deadline is from the last time that it is heard."""
        self.times = 0
        """How often it was heard and not yet taken in."""
        self.last_ns = 0

    def remember(self, event: AdvertisementReceived, core: VirtualRouter, now_ns: int) -> None:
        """`core` has just handled `event`."""
        self.holds_ns = core.repeats_for_ns(event, now_ns)
        self.event = event if self.holds_ns > 0 else _NOTHING

    def forget(self) -> None:
        """Something else is about to happen: what is heard next is looked at again."""
        self.event = _NOTHING

    def deadline_ns(self, core: VirtualRouter) -> int | None:
        """That of the core as if everything had been taken in; None: never."""
        return self.last_ns + self.holds_ns if self.times else core.next_deadline_ns()

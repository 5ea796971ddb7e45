"""Announcements in their time: those without a limit leave at once, the others when their interface is free again."""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.garp import AnnounceLimit
from pyhad.common.loop import Loop, Timer
from pyhad.vrrp_proc.core.pacing import Pacing
from pyhad.vrrp_proc.wire.announce import Announcer

MOST_ROUNDS = 100
"""Of one burst, whatever is configured: the adverts of every router of the process wait for its end."""


class PacedAnnouncer:
    """An `Announcer` that keeps to the limits of the configuration (NET-25)."""

    def __init__(self, announcer: Announcer, loop: Loop) -> None:
        self._announcer = announcer
        self._loop = loop
        self._pacing = Pacing()
        self._timer: Timer | None = None

    def configure(self, limits: Iterable[AnnounceLimit]) -> None:
        """As of the last (re)load."""
        self._pacing.configure(limits, self._loop.now_ns())
        self._arm()

    def announce(self, addresses: Iterable[VirtualAddress], repeat: int) -> None:
        """`repeat` rounds over all of them, at most a hundred, as soon as they may."""
        repeat = min(repeat, MOST_ROUNDS)
        limited: list[VirtualAddress] = []
        free: list[VirtualAddress] = []
        for address in addresses:
            (limited if self._pacing.is_limited(address) else free).append(address)
        if free:
            self._announcer.announce(free, repeat)
        if limited:
            now = self._pacing.offer(limited, repeat, self._loop.now_ns())
            if now:
                self._announcer.announce(now, 1)
            self._arm()

    def forget(self, addresses: Iterable[VirtualAddress]) -> None:
        """They are not ours any more: what still waits must not say so."""
        self._pacing.forget(addresses)
        self._arm()

    def _wake(self) -> None:
        self._timer = None
        due = self._pacing.due(self._loop.now_ns())
        if due:
            self._announcer.announce(due, 1)
        self._arm()

    def _arm(self) -> None:
        deadline_ns, timer = self._pacing.next_deadline_ns, self._timer
        if timer is not None and timer.at_ns == deadline_ns:
            return
        if timer is not None:
            timer.cancel()
        self._timer = None if deadline_ns is None else self._loop.at(deadline_ns, self._wake)

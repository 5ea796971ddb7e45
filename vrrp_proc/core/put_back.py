"""What somebody else removed from an Active router: what may be put back now, what only after a pause.

Keepalived steps down over it (FSM-37); we put them back. Against somebody who removes them again and again each
address, route or rule is put back once per pause, so that two managers of one thing do not keep the kernel busy.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import Place, VirtualRoute, VirtualRule

Thing = Place | VirtualRoute | VirtualRule
"""An address (the same may be on two interfaces), a route or a rule."""

PAUSE_NS = 1_000_000_000


class PutBack:
    """Remembers of each when it was put back last."""

    def __init__(self) -> None:
        self._last_ns: dict[Thing, int] = {}
        self._waiting: set[Thing] = set()

    def forget(self) -> None:
        """No longer Active: nothing is put back."""
        self._last_ns.clear()
        self._waiting.clear()

    def lose(self, things: Iterable[Thing], now_ns: int) -> set[Thing]:
        """These are lost; the ones returned are to be put back now, the others wait until `due_ns()`."""
        self._waiting.update(things)
        return self.take_due(now_ns)

    def take_due(self, now_ns: int) -> set[Thing]:
        """The waiting ones whose pause is over."""
        due = {thing for thing in self._waiting if self._due_ns(thing, now_ns) <= now_ns}
        self._waiting -= due
        self._last_ns.update(dict.fromkeys(due, now_ns))
        return due

    def due_ns(self, now_ns: int) -> int | None:
        """When the next waiting one may be put back; None: none waits."""
        return min((self._due_ns(thing, now_ns) for thing in self._waiting), default=None)

    def _due_ns(self, thing: Thing, now_ns: int) -> int:
        last_ns = self._last_ns.get(thing)
        return now_ns if last_ns is None else last_ns + PAUSE_NS

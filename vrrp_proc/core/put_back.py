"""Addresses that somebody else removed from an Active router: which may be put back now, which only after a pause.

Keepalived steps down over it (FSM-37); we put them back. Against somebody who removes them again and again each
address is put back once per pause, so that two managers of one address do not keep the kernel busy.
"""

from __future__ import annotations

from collections.abc import Iterable

PAUSE_NS = 1_000_000_000


class PutBack:
    """Remembers per address when it was put back last."""

    def __init__(self) -> None:
        self._last_ns: dict[str, int] = {}
        self._waiting: set[str] = set()

    def forget(self) -> None:
        """No longer Active: nothing is put back."""
        self._last_ns.clear()
        self._waiting.clear()

    def lose(self, addresses: Iterable[str], now_ns: int) -> set[str]:
        """These are lost; the ones returned are to be put back now, the others wait until `due_ns()`."""
        self._waiting.update(addresses)
        return self.take_due(now_ns)

    def take_due(self, now_ns: int) -> set[str]:
        """The waiting ones whose pause is over."""
        due = {address for address in self._waiting if self._due_ns(address, now_ns) <= now_ns}
        self._waiting -= due
        self._last_ns.update(dict.fromkeys(due, now_ns))
        return due

    def due_ns(self, now_ns: int) -> int | None:
        """When the next waiting one may be put back; None: none waits."""
        return min((self._due_ns(address, now_ns) for address in self._waiting), default=None)

    def _due_ns(self, address: str, now_ns: int) -> int:
        last_ns = self._last_ns.get(address)
        return now_ns if last_ns is None else last_ns + PAUSE_NS

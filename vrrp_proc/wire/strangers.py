"""Adverts of virtual routers that nobody here has (`log_unknown_vrids`): which they are, and a line for each. Bounded.

Off, no socket lets them in. A VRID counts as ours where any instance of this process has it on the same interface, or
on one that stands on it: the virtual MACs of an interface hear each other's adverts.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import VrrpInstance
from pyhad.common.log import FilteringBoundLogger

MOST = 256
"""So many lines at most: senders can be forged."""
_ALL = frozenset(range(1, 256))


class Strangers:
    """Of all ports of the process."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger
        self._wanted = False
        self._ours: dict[tuple[str, int], set[int]] = {}
        self._base: dict[str, str] = {}
        self._said: set[tuple[str, int, str]] = set()

    def configure(self, wanted: bool) -> None:
        """As of the last (re)load; what was said is said again after the flag was off."""
        self._wanted = wanted
        if not wanted:
            self._said.clear()

    def learn(self, configs: Iterable[VrrpInstance]) -> None:
        """All routers of the process, before their ports are fitted."""
        self._ours, self._base = {}, {}
        for config in configs if self._wanted else ():
            self._ours.setdefault((config.interface, config.family), set()).add(config.vrid)
            self._base[config.speaks_on] = config.interface

    def on(self, interface: str, family: int) -> frozenset[int]:
        """The VRIDs that the sockets of that interface let in besides their own; none while nobody asked."""
        if not self._wanted or not self._base.get(interface, interface):  # whoever has an interface is a stranger there
            return frozenset()
        ours = self._ours.get((self._base.get(interface, interface), family), set())
        return _ALL - ours - self._ours.get(("", family), set())

    def say(self, interface: str, vrid: int, source: str) -> None:
        """Once per interface, VRID and sender."""
        on = self._base.get(interface, interface)
        heard = on, vrid, source
        if heard in self._said or len(self._said) >= MOST:
            return
        self._said.add(heard)
        self._logger.info("unknown_vrid", interface=on, vrid=vrid, peer=source)
        if len(self._said) == MOST:
            self._logger.warning("unknown_vrid_limit", lines=MOST, remedy="no more of them are said until a reload")

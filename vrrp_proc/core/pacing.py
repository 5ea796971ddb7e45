"""When announcements leave where a limit says how close they may follow each other (NET-25). Sends nothing.

What has to wait is kept as addresses with a number of rounds, not as frames: a second burst that is due while the first
still waits adds nothing, and whoever gives an address up has it forgotten. A limit is a least distance, so that who is
late does not catch up.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.garp import AnnounceLimit
from pyhad.common.records import dataclass, field


@dataclass(slots=True)
class _Lane:
    """Everything that shares one limit."""

    interval_ns: int
    free_at_ns: int = 0
    waiting: dict[VirtualAddress, int] = field(default_factory=dict)
    """Rounds that are left of each; the first is next."""


class Pacing:
    """Give it what is to be announced; it returns what may leave now."""

    def __init__(self) -> None:
        self._limits: dict[str, AnnounceLimit] = {}
        self._plain = AnnounceLimit()
        self._lanes: dict[tuple[str, bool], _Lane] = {}

    def configure(self, limits: Iterable[AnnounceLimit], now_ns: int) -> None:
        """As of the last (re)load; what waits goes on waiting, by the new limits."""
        old, self._lanes = self._lanes, {}
        self._plain, self._limits = AnnounceLimit(), {}
        for limit in limits:
            if not limit.interfaces:
                self._plain = limit
            self._limits.update(dict.fromkeys(limit.interfaces, limit))
        for lane in old.values():
            for address, rounds in lane.waiting.items():
                self._lane(address, now_ns).waiting[address] = rounds

    def is_limited(self, address: VirtualAddress) -> bool:
        """Whether it may have to wait."""
        return self._interval_ns(address) > 0

    def offer(self, addresses: Iterable[VirtualAddress], rounds: int, now_ns: int) -> list[VirtualAddress]:
        """These are to be announced so many times. Returns which may leave now, in order."""
        for address in addresses:
            waiting = self._lane(address, now_ns).waiting
            waiting[address] = max(waiting.get(address, 0), rounds)
        return self.due(now_ns)

    def due(self, now_ns: int) -> list[VirtualAddress]:
        """Which may leave now: one of each lane that is free; rounds go over all of a lane."""
        found: list[VirtualAddress] = []
        for lane in self._lanes.values():
            if lane.waiting and lane.free_at_ns <= now_ns:
                address = next(iter(lane.waiting))
                rounds = lane.waiting.pop(address)
                if rounds > 1:
                    lane.waiting[address] = rounds - 1
                lane.free_at_ns = now_ns + lane.interval_ns
                found.append(address)
        return found

    def forget(self, addresses: Iterable[VirtualAddress]) -> None:
        """They are ours no more."""
        gone = set(addresses)
        for lane in self._lanes.values():
            for address in gone.intersection(lane.waiting):
                del lane.waiting[address]

    @property
    def next_deadline_ns(self) -> int | None:
        """When `due` is next of use; None: nothing waits."""
        return min((lane.free_at_ns for lane in self._lanes.values() if lane.waiting), default=None)

    def _lane(self, address: VirtualAddress, now_ns: int) -> _Lane:
        limit = self._limits.get(address.interface)
        key = (limit.interfaces[0] if limit is not None else address.interface, ":" in address.address)
        if key not in self._lanes:
            self._lanes[key] = _Lane(self._interval_ns(address), now_ns)
        return self._lanes[key]

    def _interval_ns(self, address: VirtualAddress) -> int:
        limit = self._limits.get(address.interface, self._plain)
        return limit.gna_interval_ns if ":" in address.address else limit.garp_interval_ns

"""What operators ordered of real servers, and how a drain comes to its end. Pure; knows no server's health.

A drained server (weight 0) gets no new connections. It leaves the table when none is left on it, or at its deadline;
the order itself stands until it is undone or its time is up, so the server stays out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pyhad.common.records import dataclass

Pair = tuple[str, str]
"""Ids of service and server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One operator's word for one server of one service."""

    weight: int
    deadline_ns: int = 0
    """Of a drain: when it leaves the table, connections or not; 0: when the last one is gone."""
    until_ns: int = 0
    """When the order ends by itself; 0: when it is undone."""
    is_out: bool = False
    """A drain that is complete: the server is out of the table."""

    @property
    def drains(self) -> bool:
        """Waiting for the last connections."""
        return self.weight == 0 and not self.is_out


class Orders:
    """All of them, also those of servers that are not configured at the moment: they count again when these are."""

    def __init__(self, orders: Mapping[Pair, Order]) -> None:
        self.all: dict[Pair, Order] = dict(orders)

    def of(self, service: str, servers: Iterable[str]) -> dict[str, Order]:
        """Those for the servers of one service."""
        if not self.all:
            return {}
        return {server: order for server in servers if (order := self.all.get((service, server))) is not None}

    def give(self, pair: Pair, order: Order | None) -> bool:
        """A new word, None takes it back. True when something changed."""
        if self.all.get(pair) == order:
            return False
        if order is None:
            del self.all[pair]
        else:
            self.all[pair] = order
        return True

    def next_deadline_ns(self) -> int | None:
        """When one ends, or a drain is complete, by time alone."""
        times = [order.until_ns for order in self.all.values() if order.until_ns]
        times += [order.deadline_ns for order in self.all.values() if order.drains and order.deadline_ns]
        return min(times, default=None)

    def due(self, now_ns: int) -> tuple[set[Pair], set[Pair]]:
        """What time brought: (orders that ended, drains that are complete). They are so when this returns."""
        ended = {pair for pair, order in self.all.items() if order.until_ns and order.until_ns <= now_ns}
        for pair in ended:
            del self.all[pair]
        late = {pair for pair, order in self.all.items() if order.drains and 0 < order.deadline_ns <= now_ns}
        return ended, self.complete(late)

    def complete(self, pairs: Iterable[Pair]) -> set[Pair]:
        """Nothing is left on these: they are out. Returns those that were still draining."""
        done = {pair for pair in pairs if (order := self.all.get(pair)) is not None and order.drains}
        for pair in done:
            self.all[pair] = replace(self.all[pair], is_out=True)
        return done

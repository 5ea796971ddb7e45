"""The operators' side of the IPVS owner: takes their orders, keeps them, and looks when a drained server is empty.

Decides nothing about the table: that is `core/desired.py`, which hears of all this as events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyhad.common.config.model import Listener
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.common.messages import WeightWanted
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.events import Emptied, Event, WeightOrdered
from pyhad.ipvs_proc.core.orders import Order, Pair
from pyhad.ipvs_proc.core.table import Connections, Endpoint
from pyhad.ipvs_proc.core.trust import MAX_TIME_NS, MAX_WEIGHT
from pyhad.ipvs_proc.order_file import OrderFile

LOOK_NS = 1_000_000_000
"""How often connections of drained servers are counted. Not at once: what was under way must have arrived."""

Count = Callable[[Listener], Mapping[Endpoint, Connections]]
"""Connections of one service as the data plane counts them now. Raises `KernelError`."""


class Operators:
    """`handle(event)` is the way to the balancer; `count` asks the data plane, None while there is none."""

    def __init__(self, loop: Loop, logger: FilteringBoundLogger, path: str, handle: Callable[[Event], None]) -> None:
        self._loop = loop
        self._logger = logger
        self._file = OrderFile(path)
        self._handle = handle
        self._timer: Timer | None = None
        self._is_kept = True

    def load(self) -> dict[Pair, Order]:
        """What was ordered before us."""
        try:
            return self._file.load()
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._logger.error("orders_not_read", error=str(error))
            return {}

    def keep(self, orders: Mapping[Pair, Order]) -> None:
        """Write them down; a failure is said, and they end with this process."""
        try:
            self._file.save(orders)
            self._is_kept = True
        except OSError as error:
            self._is_kept = False
            self._logger.error("orders_not_kept", error=str(error))

    def order(self, wanted: WeightWanted, balancer: Balancer) -> str:
        """Do what an operator wants; why not, empty when done."""
        service = balancer.named(wanted.service)
        if service is None:
            known = ", ".join(list(balancer.services)[:5]) or "none"
            return f"there is no service {wanted.service} (known: {known})"
        name = service.config.id
        if wanted.server not in service.servers:
            return f"{name} has no server {wanted.server} (known: {', '.join(list(service.servers)[:5])})"
        if wanted.weight > MAX_WEIGHT:
            return f"a weight is at most {MAX_WEIGHT}"
        if not (0 <= wanted.for_ns <= MAX_TIME_NS and 0 <= wanted.deadline_ns <= MAX_TIME_NS):
            return "no clock comes so far"
        order = self._order_of(wanted)
        self._handle(WeightOrdered(service=name, server=wanted.server, order=order))
        word = "weight_undone" if order is None else "server_drained" if order.weight == 0 else "weight_ordered"
        self._logger.warning(word, service=name, server=wanted.server, weight=wanted.weight, kept=self._is_kept)
        return ""

    def _order_of(self, wanted: WeightWanted) -> Order | None:
        if wanted.weight < 0:
            return None
        now_ns = self._loop.now_ns()
        return Order(
            weight=wanted.weight,
            deadline_ns=now_ns + wanted.deadline_ns if wanted.deadline_ns and not wanted.weight else 0,
            until_ns=now_ns + wanted.for_ns if wanted.for_ns else 0,
        )

    def watch(self, balancer: Callable[[], Balancer], count: Callable[[], Count | None]) -> None:
        """Begin to look, if something drains and nobody looks yet."""
        if self._timer is None and balancer().orders.all and balancer().draining():
            self._timer = self._loop.after(LOOK_NS, lambda: self._look(balancer, count))

    def _look(self, balancer: Callable[[], Balancer], count: Callable[[], Count | None]) -> None:
        self._timer = None
        counting = count()
        if counting is not None:
            empty = self._empty(balancer().draining(), counting)
            if empty:
                self._handle(Emptied(pairs=empty))
        self.watch(balancer, count)

    def _empty(self, draining: Mapping[Pair, list[tuple[Listener, Endpoint]]], count: Count) -> frozenset[Pair]:
        """Those without a connection; where none are counted there is nothing to wait for."""
        counted: dict[Listener, Mapping[Endpoint, Connections]] = {}
        empty: set[Pair] = set()
        try:
            for pair, places in draining.items():
                left = 0
                for listener, endpoint in places:
                    if listener not in counted:
                        counted[listener] = count(listener)
                    found = counted[listener].get(endpoint, Connections(active=0, inactive=0))
                    left += max(0, found.active) + max(0, found.inactive)
                if not left:
                    empty.add(pair)
        except KernelError as error:
            self._logger.error("drain_not_seen", error=str(error))
        return frozenset(empty)

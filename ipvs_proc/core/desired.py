"""The wanted load-balancing table: configuration and verdicts in, entries out. Touches no kernel.

Fail static: a service that the data plane already has when we start is left exactly as it is until the checker has
spoken or SETTLE_NS has passed; then what is not known from a test is taken from what was there. So neither our own
death nor the checker's, nor both together, takes a serving destination away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from pyhad.common.config.model import Listener, VirtualServer
from pyhad.common.messages import Verdict
from pyhad.ipvs_proc.core.effects import Effect, KeepOrders, Remark, Tally, WriteServices
from pyhad.ipvs_proc.core.events import (
    Configured,
    Emptied,
    Event,
    TimePassed,
    VerdictHeard,
    VerdictsHeard,
    WeightOrdered,
)
from pyhad.ipvs_proc.core.orders import Order, Orders, Pair
from pyhad.ipvs_proc.core.table import DAMAGED, Destination, Endpoint, Entry, Table, service_of
from pyhad.ipvs_proc.core.virtual_service import VirtualService

SETTLE_NS = 3_000_000_000
"""How long a start waits for the first verdicts before it writes to services that were there already."""


class Balancer:
    """All virtual servers. `handle` events, then ask `wanted(listener)` for each listener of a `WriteServices`."""

    def __init__(self, orders: Mapping[Pair, Order] | None = None, places: Mapping[Pair, str] | None = None) -> None:
        """`places`: where servers given by name were last."""
        self.orders = Orders(orders or {})
        self.services: dict[str, VirtualService] = {}
        self._owners: dict[Listener, list[VirtualService]] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._held: Table = {}
        self._doubted: set[Pair] = set()
        """Servers of which something was said that cannot be, and that was said once."""
        self._places: dict[str, dict[str, str]] = {}
        for (service, server), address in (places or {}).items():
            self._places.setdefault(service, {})[server] = address
        self._started = False
        self._settle_at_ns: int | None = None
        self._climbing: dict[str, int] = {}
        """Services with servers that come back slowly, and when their weights change next."""

    def handle(self, event: Event, now_ns: int) -> list[Effect]:
        """What follows from `event`."""
        match event:
            case Configured():
                return self._configure(event, now_ns)
            case VerdictsHeard():
                return self._hear_all(event.verdicts, now_ns)
            case VerdictHeard():
                return self._hear(event.verdict, now_ns)
            case WeightOrdered():
                return self._order_weight(event, now_ns)
            case Emptied():
                return self._take_out(self.orders.complete(event.pairs), "no_connections", now_ns)
            case TimePassed():
                due = self._settle_at_ns is not None and now_ns >= self._settle_at_ns
                return (self._settle() if due else []) + self._orders_due(now_ns) + self._climb_due(now_ns)
            case _:
                assert_never(event)

    def next_deadline_ns(self) -> int | None:
        """When `TimePassed` is due, None when there is nothing to wait for."""
        times = (self._settle_at_ns, self.orders.next_deadline_ns(), *self._climbing.values())
        return min((time_ns for time_ns in times if time_ns is not None), default=None)

    @property
    def listeners(self) -> frozenset[Listener]:
        """Every listener of the configuration."""
        return frozenset(self._owners)

    def named(self, name: str) -> VirtualService | None:
        """The service that somebody means: by its id, or by that without its protocol where there is only one."""
        exact = self.services.get(name)
        meant = [service for known, service in self.services.items() if known.rpartition("/")[0] == name]
        return exact or (meant[0] if len(meant) == 1 else None)

    def wanted(self, listener: Listener) -> Entry | None:
        """What the data plane should have for `listener`; None when it is not configured."""
        owners = self._owners.get(listener)
        if not owners:
            return None
        held = self._held.get(listener)
        if held is not None:
            return held
        entry = Entry(service=service_of(owners[0].config, listener), destinations={})
        for owner in owners:  # several virtual servers may share a listener (LVS-23): the first one's word counts
            for endpoint, destination in _greatest(owner.destinations(listener)).items():
                entry.destinations.setdefault(endpoint, destination)
        return entry

    def _configure(self, event: Configured, now_ns: int) -> list[Effect]:
        effects: list[Effect] = []
        changed: set[Listener] = set()
        services: dict[str, VirtualService] = {}
        for config in event.document.services:
            service = self.services.get(config.id)
            if service is None:
                service = self._new_service(config, event.actual)
            elif service.config is config:
                services[config.id] = service  # not even the object is another: nothing can be
                continue
            else:
                changed.update(service.config.listeners)
                service.reconfigure(config)
            changed.update(config.listeners)
            service.ordered = self.orders.of(config.id, service.servers)
            for server in config.servers:
                if (verdict := self._verdicts.get((config.id, server.id))) is not None:
                    self._take(service, verdict, effects)
            effects.extend(service.evaluate())
            services[config.id] = service
            self._climb(service, now_ns)
        self.services = services
        self._places = {}  # from now on the checker says where they are
        self._climbing = {name: at_ns for name, at_ns in self._climbing.items() if name in services}
        changed |= self._find_owners()
        changed |= self._hold(event.actual, now_ns)
        return [*effects, WriteServices(listeners=frozenset(changed))]

    def _new_service(self, config: VirtualServer, actual: Table) -> VirtualService:
        service = VirtualService(config, self._places.get(config.id))
        service.ordered = self.orders.of(config.id, service.servers)
        for listener in config.listeners:
            if listener in actual:
                service.adopt(listener, actual[listener])
                break
        return service

    @property
    def places(self) -> dict[Pair, str]:
        """Where servers given by name are."""
        return {
            (name, server): state.address
            for name, service in self.services.items()
            for server, state in service.servers.items()
            if state.address
        }

    def _find_owners(self) -> set[Listener]:
        """Whose each listener is; those that somebody else has now, or nobody."""
        before, self._owners = self._owners, {}
        for service in self.services.values():
            for listener in service.config.listeners:
                self._owners.setdefault(listener, []).append(service)
        return {
            listener for listener in before.keys() | self._owners.keys()
            if before.get(listener) != self._owners.get(listener)
        }  # fmt: skip

    def _hold(self, actual: Table, now_ns: int) -> set[Listener]:
        """At the start: leave alone what is there. Returns what a reload lets go of."""
        if not self._started:
            self._started = True
            found = self._owners.keys() & actual.keys()
            self._held = {listener: self._left_alone(listener, actual[listener]) for listener in found}
            self._settle_at_ns = now_ns + SETTLE_NS if self._held else None
            return set()
        # A reload is somebody's wish: only a table that was found empty goes on waiting for verdicts.
        before = self._held
        kept = {listener: entry for listener, entry in before.items() if not entry.destinations}
        self._held = {listener: entry for listener, entry in kept.items() if listener in self._owners}
        return before.keys() - self._held.keys()

    def _left_alone(self, listener: Listener, there: Entry) -> Entry:
        """Its servers as they are. What is damaged nobody wants: that service is as configured from the start."""
        if there.service.scheduler != DAMAGED:
            return there
        return replace(there, service=service_of(self._owners[listener][0].config, listener))

    def _settle(self) -> list[Effect]:
        held, self._held, self._settle_at_ns = self._held, {}, None
        return [WriteServices(listeners=frozenset(held))] if held else []

    def _hear_all(self, verdicts: tuple[Verdict, ...], now_ns: int) -> list[Effect]:
        self._verdicts = {(verdict.service, verdict.server): verdict for verdict in verdicts}
        effects: list[Effect] = []
        changed: set[Listener] = set()
        for verdict in verdicts:
            service = self.services.get(verdict.service)
            if service is not None and self._take(service, verdict, effects):
                changed.update(service.config.listeners)
        for service in self.services.values():
            remarks = service.evaluate()
            effects.extend(remarks)
            if self._climb(service, now_ns) or remarks:
                changed.update(service.config.listeners)
        effects.extend(self._settle())
        if changed:
            effects.append(WriteServices(listeners=frozenset(changed)))
        return effects

    def _order_weight(self, event: WeightOrdered, now_ns: int) -> list[Effect]:
        pair = event.service, event.server
        service = self.services.get(event.service)
        if service is None or event.server not in service.servers or not self.orders.give(pair, event.order):
            return []
        return [KeepOrders(), *self._reweigh({pair}, now_ns)]

    def _orders_due(self, now_ns: int) -> list[Effect]:
        ended, complete = self.orders.due(now_ns)
        effects: list[Effect] = [_remark("weight_order_ended", pair) for pair in sorted(ended)]
        if ended:
            effects += [KeepOrders(), *self._reweigh(ended, now_ns)]
        return effects + self._take_out(complete, "deadline", now_ns)

    def _take_out(self, pairs: set[Pair], reason: str, now_ns: int) -> list[Effect]:
        if not pairs:
            return []
        remarks = [_remark("server_drained_out", pair, reason=reason) for pair in sorted(pairs)]
        return [*remarks, KeepOrders(), *self._reweigh(pairs, now_ns)]

    def _reweigh(self, pairs: Iterable[Pair], now_ns: int) -> list[Effect]:
        """The services of these have other orders now. A server that was drained goes where its name is."""
        effects: list[Effect] = []
        changed: set[Listener] = set()
        every = sorted(pairs)
        for name in dict.fromkeys(name for name, _ in every):
            service = self.services.get(name)
            if service is None:
                continue
            service.ordered = self.orders.of(name, service.servers)
            for _, server in (pair for pair in every if pair[0] == name):
                if (verdict := self._verdicts.get((name, server))) is not None:
                    self._take(service, verdict, effects)
            effects += service.evaluate()
            self._climb(service, now_ns)
            for listener in service.config.listeners:
                self._held.pop(listener, None)  # what was adopted stays, but for this wish
                changed.add(listener)
        return [*effects, WriteServices(listeners=frozenset(changed))] if changed else effects

    def draining(self) -> dict[Pair, list[tuple[Listener, Endpoint]]]:
        """Servers that are to leave the table when their connections are gone, and where they stand in it."""
        found: dict[Pair, list[tuple[Listener, Endpoint]]] = {}
        for (name, server), order in self.orders.all.items():
            service = self.services.get(name)
            if order.drains and service is not None and server in service.servers:
                listeners = service.config.listeners
                found[name, server] = [(listener, service.endpoints(listener)[server]) for listener in listeners]
        return found

    def _climb(self, service: VirtualService, now_ns: int) -> bool:
        """Weights of servers that come back slowly, and when to look again. True when one changed."""
        changed = service.climb(now_ns)
        at_ns = service.next_climb_ns(now_ns)
        if at_ns is None:
            self._climbing.pop(service.config.id, None)
        else:
            self._climbing[service.config.id] = at_ns
        return changed

    def _climb_due(self, now_ns: int) -> list[Effect]:
        due = [self.services[name] for name, at_ns in self._climbing.items() if now_ns >= at_ns]
        changed = {listener for service in due if self._climb(service, now_ns) for listener in service.config.listeners}
        return [WriteServices(listeners=frozenset(changed))] if changed else []

    def _hear(self, verdict: Verdict, now_ns: int) -> list[Effect]:
        pair, service = (verdict.service, verdict.server), self.services.get(verdict.service)
        effects: list[Effect] = []
        if pair not in self._verdicts and (service is None or verdict.server not in service.servers):
            return effects  # of a server that neither the configuration nor the last snapshot names
        self._verdicts[pair] = verdict
        if service is None or not self._take(service, verdict, effects):
            return effects
        effects += service.evaluate()
        self._climb(service, now_ns)
        return [*effects, WriteServices(listeners=frozenset(service.config.listeners))]

    def _take(self, service: VirtualService, verdict: Verdict, effects: list[Effect]) -> bool:
        """As `VirtualService.take`; what is not believed is counted, and said once for each server."""
        if service.take(verdict):
            return True
        pair = verdict.service, verdict.server
        if verdict.server in service.servers and (fault := service.fault_in(verdict)):
            effects.append(Tally(counter="verdicts_refused"))
            if pair not in self._doubted:
                self._doubted.add(pair)
                effects.append(replace(_remark("verdict_refused", pair, reason=fault), warning=True))
        return False


def _greatest(destinations: Iterable[Destination]) -> dict[Endpoint, Destination]:
    """Two servers may be one by their names, or one with the sorry server: it serves while either does."""
    found: dict[Endpoint, Destination] = {}
    for destination in destinations:
        there = found.get(destination.endpoint)
        if there is None or there.weight < destination.weight:
            found[destination.endpoint] = destination
    return found


def _remark(event: str, pair: Pair, **fields: str) -> Remark:
    return Remark(event=event, fields={"service": pair[0], "server": pair[1], **fields})

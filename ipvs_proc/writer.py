"""Keeps one data plane as it is wanted: compares, writes the difference, remembers what is ours and what was refused.

Follows what it wrote in memory and reads back only when asked or when something was refused. Decides nothing about
servers: that is `core/desired.py`.
"""

from __future__ import annotations

import collections
import ipaddress
import struct
from collections.abc import Callable, Generator, Iterable

from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.config.model import FlushAtStop, Listener, Protocol
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.ipvs_proc.core.reconcile import (
    EVENTS,
    Change,
    DeleteService,
    apply_changes,
    fields_of,
    in_rounds,
    reconcile_entry,
    without_those_that_stay,
)
from pyhad.ipvs_proc.core.table import Entry, Reading, Servers, listener_name
from pyhad.ipvs_proc.plane import Plane, Refusal

WRITE_SHARE = 2
WRITE_REST_NS = 500_000_000
"""To write a service takes as long as it is large, whatever changed. So the next write comes after twice the time that
the last took, half a second at most: it has whatever many verdicts, one soon after the other, changed meanwhile."""
SAID_ONE_BY_ONE = 200
"""More changes at once are logged as numbers."""

Wanted = Callable[[Listener], Entry | None]


class Ownership:
    """Which services in the data plane are ours: what we configured, kept in the black box for our successor.

    After a new start of the whole daemon it is empty: a service that is not in the configuration is then foreign.
    """

    def __init__(self, box: BlackBox, records: Iterable[bytes]) -> None:
        self._box = box
        self.listeners: set[Listener] = set()
        for record in records:
            self.listeners.add(_unpack(record))

    def claim(self, listener: Listener) -> None:
        """Before we write to it, so that dying in between loses nothing."""
        if listener not in self.listeners:
            self.listeners.add(listener)
            self._box.put(_key(listener), _pack(listener))

    def release(self, listener: Listener) -> None:
        """It is gone from the data plane."""
        if listener in self.listeners:
            self.listeners.discard(listener)
            self._box.forget(_key(listener))


class Writer:
    """One open data plane. `reading` is what it has, as far as we know. All its methods may raise `KernelError`."""

    def __init__(
        self, plane: Plane, ownership: Ownership, logger: FilteringBoundLogger, counters: collections.Counter[str]
    ) -> None:
        self.plane = plane
        self.problems: dict[Listener, str] = {}
        self._ownership = ownership
        self._logger = logger
        self._counters = counters
        self._foreign: set[Listener] = set()
        self.reading: Reading = plane.read()
        if plane.owns_everything:
            for listener in self.reading.table:
                ownership.claim(listener)

    def refresh(self) -> set[Listener]:
        """Read the data plane again; the listeners where it is not as we left it."""
        drifted: set[Listener] = set()
        for _ in self.refreshing(drifted):
            pass
        return drifted

    def refreshing(self, drifted: set[Listener]) -> Generator[None, None, None]:
        """As `refresh`, service by service: where it yields we may write, and go on from what is there then."""
        services, servers_of, counted = self.plane.glance()
        there = {service.listener: service for service in services}
        self.reading.services.clear()
        self.reading.services.update(counted)
        for listener in self.reading.table.keys() - there.keys():
            del self.reading.table[listener]
            drifted.add(listener)
        for listener, service in there.items():
            entry = self.reading.table.get(listener)
            if entry is None or entry.service != service:
                destinations = entry.destinations if entry is not None else {}
                self.reading.table[listener] = Entry(service=service, destinations=destinations)
                drifted.add(listener)
        for listener in there:
            if (entry := self.reading.table.get(listener)) is not None and self._reread(listener, entry, servers_of):
                drifted.add(listener)
            if not self.plane.reads_at_once:
                yield
        for listener in self.reading.connections.keys() - self.reading.table.keys():
            del self.reading.connections[listener]

    def _reread(self, listener: Listener, entry: Entry, servers_of: Callable[[Listener], Servers | None]) -> bool:
        """The servers of a service as they are now; whether they are others than we thought."""
        found = servers_of(listener)
        if found is None:
            del self.reading.table[listener]
            return True
        destinations, self.reading.connections[listener] = found
        if destinations == entry.destinations:
            return False
        self.reading.table[listener] = Entry(service=entry.service, destinations=destinations)
        return True

    def write(self, listeners: Iterable[Listener], wanted: Wanted) -> int:
        """Bring these in line; the number of changes made. What is refused is read back and tried once more."""
        known = dict(self.problems)
        changes = self._changes(listeners, wanted)
        if not changes:
            return 0
        before = self._counters["changes_written"]
        refused = self._apply(changes)
        self._release_gone(changes)
        if refused:
            self.refresh()
            changes = self._changes(refused, wanted)
            for listener in refused:
                self.problems.pop(listener, None)
            for listener, error in self._apply(changes).items():
                self.problems[listener] = str(error)
                self._counters["kernel_refusals"] += 1
                if known.get(listener) != str(error):  # it is tried again every ten seconds: say it once
                    name = listener_name(listener)
                    self._logger.error("kernel_refused", service=name, operation=error.operation, error=str(error))
        return self._counters["changes_written"] - before

    def clear(self, how: FlushAtStop = FlushAtStop.ENTRIES) -> None:
        """Take everything of ours away from this plane (PROC-40) and let go of it. What we own is not forgotten."""
        if how is FlushAtStop.ALL:
            self.plane.flush()
            return
        ours = sorted(self._ownership.listeners & self.reading.table.keys(), key=listener_name)
        changes: list[Change] = [DeleteService(listener=listener) for listener in ours]  # its servers go with it
        for error in self._apply(changes).values():
            self._logger.error("kernel_refused", operation=error.operation, error=str(error))
        self.plane.retire()

    def note_foreign(self, configured: frozenset[Listener]) -> None:
        """Say once for each service that is there, not configured and not ours: it is left alone."""
        for listener in self.reading.table:
            if listener not in configured and listener not in self._ownership.listeners | self._foreign:
                self._foreign.add(listener)
                self._logger.warning("foreign_service", service=listener_name(listener))

    def _changes(self, listeners: Iterable[Listener], wanted: Wanted) -> list[Change]:
        changes: list[Change] = []
        for listener in listeners:
            entry = wanted(listener)
            if entry is None and listener not in self._ownership.listeners:
                continue
            if entry is not None:
                problem = self.plane.problem_with(entry)
                self._set_problem(listener, problem)
                if problem:
                    continue
                self._ownership.claim(listener)
            steps = reconcile_entry(listener, entry, self.reading.table.get(listener))
            if entry is None and not steps:
                self._ownership.release(listener)
            changes.extend(steps)
        return changes

    def _set_problem(self, listener: Listener, problem: str) -> None:
        if problem and self.problems.get(listener) != problem:
            self._logger.error("service_not_installed", service=listener_name(listener), reason=problem)
            self.problems[listener] = problem
        elif not problem:
            self.problems.pop(listener, None)

    def _apply(self, changes: list[Change]) -> dict[Listener, KernelError]:
        """Write and follow; the first refusal of each listener. A server that cannot move stays where it is."""
        first, after = in_rounds(changes)
        refusals = self._apply_round(first)
        moved = without_those_that_stay(after, [refusal.change for refusal in refusals])
        if moved:
            refusals += self._apply_round(moved)
        refused: dict[Listener, KernelError] = {}
        for refusal in refusals:
            refused.setdefault(refusal.change.listener, refusal.error)
        return refused

    def _apply_round(self, changes: list[Change]) -> list[Refusal]:
        refusals = self.plane.apply(changes)
        refused = {id(refusal.change) for refusal in refusals}
        made = [change for change in changes if id(change) not in refused]
        apply_changes(self.reading.table, made)
        self._counters["changes_written"] += len(made)
        self._say(made)
        return refusals

    def _say(self, made: list[Change]) -> None:
        """Each change; of very many their kinds and numbers, for a line costs more than a change."""
        if len(made) > SAID_ONE_BY_ONE:
            kinds = collections.Counter(EVENTS[type(change)] for change in made)
            services = len({change.listener for change in made})
            self._logger.info("table_changed", changes=len(made), services=services, **kinds)
            return
        for change in made:
            self._logger.info(EVENTS[type(change)], service=listener_name(change.listener), **fields_of(change))

    def _release_gone(self, changes: list[Change]) -> None:
        for listener in {change.listener for change in changes if isinstance(change, DeleteService)}:
            if listener not in self.reading.table:
                self._ownership.release(listener)


_RECORD = struct.Struct("=BBHI16s")  # protocol, family, port, mark, address
_PROTOCOLS = tuple(Protocol)


def _key(listener: Listener) -> bytes:
    return key_of("listener", _pack(listener))


def _pack(listener: Listener) -> bytes:
    address = ipaddress.ip_address(listener.address).packed if listener.address else b""
    return _RECORD.pack(
        _PROTOCOLS.index(listener.protocol), listener.family, listener.port, listener.fwmark, address.ljust(16, b"\0")
    )


def _unpack(record: bytes) -> Listener:
    protocol, family, port, fwmark, raw = _RECORD.unpack(record)
    address = "" if fwmark else str(ipaddress.ip_address(raw[: 4 if family == 4 else 16]))
    return Listener(protocol=_PROTOCOLS[protocol], family=family, address=address, port=port, fwmark=fwmark)

"""The way from the table that is there to the table that is wanted, as an ordered list of changes.

Order within a service: it is made or changed first; then destinations that start to serve; then other changes; then
those that stop serving; removals last. So a service that serves before and after serves at every step between: where
Keepalived takes the sorry server out first (LVS-34), we add the real servers first. A server that moves leaves its old
place only when the new one was made: `in_rounds`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from pyhad.common.config.model import Listener
from pyhad.common.records import dataclass
from pyhad.ipvs_proc.core.table import Destination, Endpoint, Entry, Service, Table, endpoint_name


@dataclass(frozen=True, slots=True, kw_only=True)
class AddService:
    """A new service, without destinations."""

    service: Service

    @property
    def listener(self) -> Listener:
        return self.service.listener


@dataclass(frozen=True, slots=True, kw_only=True)
class SetService:
    """Other scheduler, flags or persistence; destinations stay."""

    service: Service

    @property
    def listener(self) -> Listener:
        return self.service.listener


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteService:
    """The service goes, with whatever destinations it still has."""

    listener: Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDestination:
    """A new destination of a service that is there."""

    listener: Listener
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDestination:
    """Other weight, forwarding or thresholds; its connections stay."""

    listener: Listener
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDestination:
    """The destination goes."""

    listener: Listener
    endpoint: Endpoint


Change = AddService | SetService | DeleteService | AddDestination | SetDestination | DeleteDestination


def reconcile(wanted: Table, actual: Table, owned: Iterable[Listener]) -> list[Change]:
    """All changes from `actual` to `wanted`. Services of `actual` not wanted go only if they are in `owned`."""
    changes: list[Change] = []
    for listener, entry in wanted.items():
        changes.extend(reconcile_entry(listener, entry, actual.get(listener)))
    for listener in owned:
        if listener not in wanted:
            changes.extend(reconcile_entry(listener, None, actual.get(listener)))
    return changes


def reconcile_entry(listener: Listener, wanted: Entry | None, actual: Entry | None) -> list[Change]:
    """The changes of one service; empty when nothing is to be done."""
    if wanted is None:
        if actual is None:
            return []
        gone: list[Change] = [DeleteDestination(listener=listener, endpoint=each) for each in actual.destinations]
        return [*gone, DeleteService(listener=listener)]  # PROC-40
    head: list[Change] = []
    if actual is None:
        head.append(AddService(service=wanted.service))
    elif actual.service != wanted.service:
        head.append(SetService(service=wanted.service))
    return head + _destination_changes(listener, wanted.destinations, actual.destinations if actual else {})


def _destination_changes(
    listener: Listener, wanted: dict[Endpoint, Destination], actual: dict[Endpoint, Destination]
) -> list[Change]:
    added: list[Change] = []
    raised: list[Change] = []
    other: list[Change] = []
    drained: list[Change] = []
    for endpoint, destination in wanted.items():
        there = actual.get(endpoint)
        if there is None:
            added.append(AddDestination(listener=listener, destination=destination))
        elif there is not destination and there != destination:
            change = SetDestination(listener=listener, destination=destination)
            if destination.weight > 0 and there.weight == 0:
                raised.append(change)
            elif destination.weight == 0 and there.weight > 0:
                drained.append(change)
            else:
                other.append(change)
    removed: list[Change] = [
        DeleteDestination(listener=listener, endpoint=endpoint) for endpoint in actual if endpoint not in wanted
    ]
    return added + raised + other + drained + removed


def in_rounds(changes: Iterable[Change]) -> tuple[list[Change], list[DeleteDestination]]:
    """What can be made at once, and the removals of servers that move, which come after their new places."""
    every = list(changes)
    left = {
        _place_before(change) for change in every
        if isinstance(change, AddDestination) and change.destination.replaces
    }  # fmt: skip
    first: list[Change] = []
    after: list[DeleteDestination] = []
    for change in every:
        if isinstance(change, DeleteDestination) and (change.listener, change.endpoint) in left:
            after.append(change)
        else:
            first.append(change)
    return first, after


def without_those_that_stay(removals: Iterable[DeleteDestination], refused: Iterable[Change]) -> list[Change]:
    """Of the second round what may be done: a server whose new place was `refused` stays where it was."""
    staying = {_place_before(change) for change in refused if isinstance(change, AddDestination)}
    return [change for change in removals if (change.listener, change.endpoint) not in staying]


def _place_before(change: AddDestination) -> tuple[Listener, Endpoint]:
    return change.listener, (change.destination.replaces, change.destination.port)


def apply_changes(table: Table, changes: Iterable[Change]) -> None:
    """`table` as it is after `changes`: how the shell follows what it wrote without reading it back.

    Entries are shared with whoever holds them: each that changes is copied once.
    """
    copied: set[Listener] = set()
    for change in changes:
        listener = change.listener
        entry = table.get(listener)
        if entry is not None and listener not in copied:
            table[listener] = entry = Entry(service=entry.service, destinations=dict(entry.destinations))
            copied.add(listener)
        match change:
            case AddService() | SetService():
                kept = entry.destinations if entry is not None and isinstance(change, SetService) else {}
                table[listener] = Entry(service=change.service, destinations=kept)
                copied.add(listener)
            case DeleteService():
                table.pop(listener, None)
            case AddDestination() | SetDestination():
                if entry is not None:
                    entry.destinations[change.destination.endpoint] = change.destination
            case DeleteDestination():
                if entry is not None:
                    entry.destinations.pop(change.endpoint, None)
            case _:
                assert_never(change)


EVENTS: dict[type[Change], str] = {
    AddService: "service_added",
    SetService: "service_changed",
    DeleteService: "service_removed",
    AddDestination: "destination_added",
    SetDestination: "destination_changed",
    DeleteDestination: "destination_removed",
}
"""The log's word for each kind of change."""


def fields_of(change: Change) -> dict[str, str | int]:
    """A change as fields of its event (without the service)."""
    match change:
        case AddService() | SetService():
            return {"scheduler": change.service.scheduler}
        case DeleteService():
            return {}
        case AddDestination() | SetDestination():
            destination = change.destination
            return {
                "server": endpoint_name(destination.endpoint),
                "weight": destination.weight,
                "forwarding": destination.forwarding.value,
            }
        case DeleteDestination():
            return {"server": endpoint_name(change.endpoint)}
        case _:
            assert_never(change)

"""Writing the difference to a data plane that lives in memory and can refuse."""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import FlushAtStop, Listener, Protocol
from pyhad.common.errors import KernelError
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.ipvs_proc.core.reconcile import AddDestination, Change, apply_changes
from pyhad.ipvs_proc.core.table import Connections, Entry, Glance, Reading, Servers, Table
from pyhad.ipvs_proc.plane import Refusal
from pyhad.ipvs_proc.writer import Ownership, Writer

OTHER = Listener(protocol=Protocol.UDP, family=6, address="fd00::2", port=53)
MARK = Listener(protocol=Protocol.NONE, family=4, fwmark=9)


class MemoryPlane:
    """A data plane in a dictionary. `written`: all changes it made.

    `refuses`: listeners it will not touch; `refuses_servers`: addresses it will not add.
    """

    name = "memory"

    def __init__(self, table: Table | None = None, *, owns_everything: bool = False) -> None:
        self.table = table or {}
        self.owns_everything = owns_everything
        self.refuses: set[Listener] = set()
        self.refuses_servers: set[str] = set()
        self.cannot: set[Listener] = set()
        self.written: list[Change] = []

    reads_at_once = False

    def read(self) -> Reading:
        return Reading(table=dict(self.table), connections={})

    def glance(self) -> Glance:
        def servers_of(listener: Listener) -> Servers | None:
            return (self.table[listener].destinations, {}) if listener in self.table else None

        counted = {listener: Connections(total=3) for listener in self.table}
        return Glance([entry.service for entry in self.table.values()], servers_of, counted)

    def problem_with(self, entry: Entry) -> str:
        return "cannot" if entry.service.listener in self.cannot else ""

    def apply(self, changes: list[Change]) -> list[Refusal]:
        refusals = []
        for change in changes:
            server = change.destination.address if isinstance(change, AddDestination) else ""
            if change.listener in self.refuses or server in self.refuses_servers:
                refusals.append(Refusal(change=change, error=KernelError("write", 1)))
            else:
                apply_changes(self.table, [change])
                self.written.append(change)
        return refusals

    def flush(self) -> None:
        self.table.clear()

    def retire(self) -> None: ...

    def close(self) -> None: ...


class Desk:
    """A writer over a memory plane, with what it needs."""

    def __init__(self, plane: MemoryPlane, box: BlackBox | None = None) -> None:
        self.plane = plane
        self.box = box or BlackBox(16, 64)
        self.ownership = Ownership(self.box, self.box.load().values())
        self.counters: collections.Counter[str] = collections.Counter()
        logger = ProcessLog("test", LogSettings(syslog=False)).logger
        self.writer = Writer(plane, self.ownership, logger, self.counters)

    def write(self, wanted: Table, *more: Listener) -> int:
        return self.writer.write([*wanted, *more], wanted.get)


@pytest.fixture
def wanted(make: Any) -> Table:
    return {make.listener: make.entry({1: 1}), OTHER: make.entry({2: 1}, listener=OTHER)}


def test_the_difference_is_written_once(wanted: Table) -> None:
    desk = Desk(MemoryPlane())
    assert desk.write(wanted) == 4
    assert desk.plane.table == wanted
    assert desk.write(wanted) == 0
    assert desk.counters["changes_written"] == 4


def test_what_is_neither_wanted_nor_ours_is_left_alone(make: Any) -> None:
    desk = Desk(MemoryPlane({make.listener: make.entry({1: 1})}))
    assert desk.write({}, make.listener) == 0
    desk.writer.note_foreign(frozenset())
    assert make.listener in desk.plane.table


def test_a_successor_knows_what_is_ours(make: Any, wanted: Table) -> None:
    plane, box = MemoryPlane(), BlackBox(16, 64)
    desk = Desk(plane, box)
    desk.write({**wanted, MARK: make.entry({}, listener=MARK)})
    heir = Desk(plane, box)
    assert heir.ownership.listeners == {make.listener, OTHER, MARK}
    heir.write({}, make.listener, OTHER, MARK)
    assert plane.table == {}
    assert Desk(plane, box).ownership.listeners == set()


def test_a_plane_that_is_all_ours_has_no_strangers(make: Any) -> None:
    desk = Desk(MemoryPlane({make.listener: make.entry({1: 1})}, owns_everything=True))
    desk.write({}, make.listener)
    assert desk.plane.table == {}


def test_one_refusal_stops_nothing_else_and_is_a_problem_until_it_works(make: Any, wanted: Table) -> None:
    desk = Desk(MemoryPlane())
    desk.plane.refuses = {make.listener}
    desk.write(wanted)
    assert desk.plane.table == {OTHER: wanted[OTHER]}
    assert desk.writer.problems == {make.listener: "write: Operation not permitted"}
    desk.plane.refuses = set()
    assert desk.write(wanted) == 2
    assert desk.plane.table == wanted
    assert desk.writer.problems == {}


def moved(entry: Entry, here: str, there: str) -> Entry:
    """The same with one server elsewhere."""
    destinations = {
        (there, 80) if each.address == here else endpoint: replace(each, address=there, replaces=here)
        if each.address == here else each
        for endpoint, each in entry.destinations.items()
    }  # fmt: skip
    return replace(entry, destinations=destinations)


def test_a_server_whose_new_place_is_refused_stays_and_others_leave(make: Any) -> None:
    desk = Desk(MemoryPlane())
    before = make.entry({1: 1, 2: 1, 3: 1})
    desk.write({make.listener: before})
    desk.plane.refuses_servers = {"10.1.0.7"}
    wanted = {make.listener: moved(make.entry({1: 1, 2: 1}), "10.1.0.2", "10.1.0.7")}
    assert desk.write(wanted) == 1
    assert make.weights(desk.plane.table[make.listener]) == {1: 1, 2: 1}
    assert desk.writer.problems == {make.listener: "write: Operation not permitted"}
    desk.plane.refuses_servers = set()
    assert desk.write(wanted) == 2
    assert make.weights(desk.plane.table[make.listener]) == {1: 1, 7: 1}
    assert [type(change).__name__ for change in desk.plane.written[-2:]] == ["AddDestination", "DeleteDestination"]
    assert desk.writer.problems == {}


def test_a_service_the_plane_cannot_do_is_left_as_it_is(make: Any, wanted: Table) -> None:
    before = make.entry({5: 5})
    desk = Desk(MemoryPlane({make.listener: before}))
    desk.plane.cannot = {make.listener}
    desk.write(wanted)
    assert desk.plane.table == {make.listener: before, OTHER: wanted[OTHER]}
    assert desk.writer.problems == {make.listener: "cannot"}


def test_what_somebody_else_changed_is_found_and_written_again(make: Any, wanted: Table) -> None:
    desk = Desk(MemoryPlane())
    desk.write(wanted)
    del desk.plane.table[make.listener]
    desk.plane.table[MARK] = make.entry({}, listener=MARK)
    assert desk.writer.refresh() == {make.listener, MARK}
    assert desk.writer.reading.services == {OTHER: Connections(total=3), MARK: Connections(total=3)}
    desk.write(wanted, MARK)
    assert desk.plane.table[make.listener] == wanted[make.listener]
    assert MARK in desk.plane.table


def test_at_the_end_only_what_is_ours_leaves(make: Any, wanted: Table) -> None:
    foreign = make.entry({}, listener=MARK)
    desk = Desk(MemoryPlane({MARK: foreign}))
    desk.write(wanted)
    desk.writer.clear()
    assert desk.plane.table == {MARK: foreign}
    assert desk.ownership.listeners == wanted.keys()


@pytest.mark.behaviour("PROC-40")
@pytest.mark.parametrize("how", [FlushAtStop.ENTRIES, FlushAtStop.SERVICES])
def test_flushing_by_service_and_flushing_all_differ_in_what_is_foreign(
    wanted: Table, make: Any, how: FlushAtStop
) -> None:
    foreign = {MARK: make.entry({7: 1}, listener=MARK)}
    desk = Desk(MemoryPlane(dict(foreign)))
    desk.write(wanted)
    desk.plane.written.clear()
    desk.writer.clear(how)
    assert desk.plane.table == foreign
    assert {type(change).__name__ for change in desk.plane.written} == {"DeleteService"}
    desk.writer.clear(FlushAtStop.ALL)
    assert desk.plane.table == {}

"""From one table to another: examples by hand, and properties over random tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from pyhad.common.config.model import Forwarding, Listener, Protocol
from pyhad.ipvs_proc.core.reconcile import (
    EVENTS,
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    SetDestination,
    SetService,
    apply_changes,
    fields_of,
    reconcile,
    reconcile_entry,
)
from pyhad.ipvs_proc.core.table import Destination, Entry, Service, Table

LISTENERS = [Listener(protocol=Protocol.TCP, family=4, address=f"10.0.0.{last}", port=80) for last in range(1, 5)]


@st.composite
def entries(draw: st.DrawFn, listener: Listener) -> Entry:
    weights = draw(st.dictionaries(st.integers(1, 5), st.integers(0, 3), max_size=5))
    destinations = {
        (f"10.1.0.{last}", 80): Destination(
            address=f"10.1.0.{last}", port=80, weight=weight, forwarding=Forwarding.NAT,
            upper_threshold=draw(st.sampled_from((0, 9))),
        )
        for last, weight in weights.items()
    }  # fmt: skip
    scheduler = draw(st.sampled_from(("rr", "wrr")))
    return Entry(service=Service(listener=listener, scheduler=scheduler), destinations=destinations)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    listeners = draw(st.sets(st.sampled_from(LISTENERS)))
    return {listener: draw(entries(listener)) for listener in sorted(listeners, key=lambda each: each.address)}


@settings(max_examples=150, deadline=None, print_blob=True)
@given(wanted=tables(), actual=tables(), owned=st.sets(st.sampled_from(LISTENERS)))
def test_applying_the_changes_gives_the_wanted_table_and_touches_nothing_foreign(
    wanted: Table, actual: Table, owned: set[Listener]
) -> None:
    foreign = {listener: entry for listener, entry in actual.items() if listener not in owned | wanted.keys()}
    table = dict(actual)
    for change in reconcile(wanted, actual, owned):
        serving_before_and_after = {
            listener
            for listener in wanted
            if listener in actual and wanted[listener].serves and actual[listener].serves
        }
        apply_changes(table, [change])
        for listener in serving_before_and_after:
            assert table[listener].serves
        for listener, entry in foreign.items():
            assert table[listener] == entry
    assert table == {**foreign, **wanted}


@settings(max_examples=50, deadline=None)
@given(table=tables(), owned=st.sets(st.sampled_from(LISTENERS)))
def test_nothing_is_written_where_nothing_differs(table: Table, owned: set[Listener]) -> None:
    assert reconcile(table, table, owned & table.keys()) == []


@pytest.mark.behaviour("LVS-2")
def test_a_new_service_comes_before_its_destinations(make: Any) -> None:
    wanted = make.entry({1: 1, 2: 2})
    changes = reconcile_entry(make.listener, wanted, None)
    assert [type(change) for change in changes] == [AddService, AddDestination, AddDestination]


@pytest.mark.behaviour("PROC-40")
def test_a_service_goes_after_its_destinations(make: Any) -> None:
    changes = reconcile_entry(make.listener, None, make.entry({1: 1, 2: 2}))
    assert changes == [
        DeleteDestination(listener=make.listener, endpoint=("10.1.0.1", 80)),
        DeleteDestination(listener=make.listener, endpoint=("10.1.0.2", 80)),
        DeleteService(listener=make.listener),
    ]


@pytest.mark.behaviour("LVS-34")
def test_the_sorry_server_leaves_after_the_real_ones_came_and_comes_before_they_leave(make: Any) -> None:
    gained = reconcile_entry(make.listener, make.entry({1: 1, 2: 1}), make.entry({99: 1}))
    assert [EVENTS[type(change)] for change in gained] == ["destination_added"] * 2 + ["destination_removed"]
    lost = reconcile_entry(make.listener, make.entry({99: 1}), make.entry({1: 1, 2: 1}))
    assert [EVENTS[type(change)] for change in lost] == ["destination_added"] + ["destination_removed"] * 2


def test_with_inhibited_servers_those_that_start_to_serve_come_first(make: Any) -> None:
    changes = reconcile_entry(make.listener, make.entry({1: 0, 2: 1, 3: 5}), make.entry({1: 1, 2: 0, 3: 4}))
    assert [fields_of(change) for change in changes] == [
        {"server": "10.1.0.2:80", "weight": 1, "forwarding": "NAT"},
        {"server": "10.1.0.3:80", "weight": 5, "forwarding": "NAT"},
        {"server": "10.1.0.1:80", "weight": 0, "forwarding": "NAT"},
    ]


@pytest.mark.behaviour("REL-30")
@pytest.mark.behaviour("REL-32")
def test_another_scheduler_changes_the_service_in_place(make: Any) -> None:
    wanted = make.entry({1: 1}, scheduler="wrr")
    changes = reconcile_entry(make.listener, wanted, make.entry({1: 1}))
    assert changes == [SetService(service=wanted.service)]


@pytest.mark.behaviour("REL-31")
def test_a_changed_weight_is_one_change(make: Any) -> None:
    wanted = make.entry({1: 7, 2: 1})
    changes = reconcile_entry(make.listener, wanted, make.entry({1: 1, 2: 1}))
    assert changes == [SetDestination(listener=make.listener, destination=wanted.destinations["10.1.0.1", 80])]


def test_what_is_neither_wanted_nor_ours_stays(make: Any) -> None:
    assert reconcile({}, {make.listener: make.entry({1: 1})}, ()) == []


@given(wanted=tables(), actual=tables())
def test_many_changes_at_once_leave_the_entries_of_others_alone(wanted: Table, actual: Table) -> None:
    before = {listener: dict(entry.destinations) for listener, entry in actual.items()}
    table = dict(actual)
    apply_changes(table, reconcile(wanted, actual, actual))
    assert table == wanted
    assert {listener: entry.destinations for listener, entry in actual.items()} == before

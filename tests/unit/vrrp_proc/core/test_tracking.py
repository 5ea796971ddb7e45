"""What trackers make of priority and faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model.tracking import Tracker, TrackerKind
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import FaultCause, PriorityChanged
from pyhad.vrrp_proc.core.tracking import Weighed, weigh

SECOND_NS = 1_000_000_000
SCRIPT, FILE, INTERFACE = TrackerKind.SCRIPT, TrackerKind.FILE, TrackerKind.INTERFACE


def weighed(kind: TrackerKind, weight: int, reading: int | None, *, reverse: bool = False) -> tuple[int, list[str]]:
    tracker = Tracker(kind=kind, name="x", weight=weight, reverse=reverse)
    found = weigh((tracker,), {} if reading is None else {(kind, "x"): reading})
    return found.adjustment, sorted(found.faults)


@pytest.mark.behaviour("TRK-4", "TRK-5", "FSM-40")
@pytest.mark.parametrize(
    ("weight", "reading", "reverse", "adjustment", "faults"),
    [
        (20, 1, False, 20, []),
        (20, 0, False, 0, []),
        (-20, 1, False, 0, []),
        (-20, 0, False, -20, []),
        (20, 1, True, 0, []),
        (20, 0, True, 20, []),
        (-20, 1, True, -20, []),
        (-20, 0, True, 0, []),
        (0, 1, False, 0, []),
        (0, 0, False, 0, ["tracked_script_failed"]),
        (0, 1, True, 0, ["tracked_script_failed"]),
        (0, 0, True, 0, []),
        (0, None, False, 0, ["tracked_script_unknown"]),
        (0, None, True, 0, ["tracked_script_unknown"]),
        (20, None, False, 0, []),
        (-20, None, False, 0, []),
    ],
)
def test_a_script(weight: int, reading: int | None, reverse: bool, adjustment: int, faults: list[str]) -> None:
    assert weighed(SCRIPT, weight, reading, reverse=reverse) == (adjustment, faults)


@pytest.mark.behaviour("TRK-20")
@pytest.mark.parametrize(
    ("weight", "value", "reverse", "adjustment", "faults"),
    [
        (2, -10, False, -20, []),
        (2, -127, False, 0, ["tracked_file"]),
        (1, -253, False, -253, []),
        (1, -254, False, 0, ["tracked_file"]),
        (1, 5000, False, 253, []),
        (3, 5, True, -15, []),
        (0, 0, False, 0, []),
        (0, -1, False, 0, ["tracked_file"]),
        (0, 0, True, 0, ["tracked_file"]),
        (0, 9, True, 0, []),
        (7, None, False, 0, []),
    ],
)
def test_a_file(weight: int, value: int | None, reverse: bool, adjustment: int, faults: list[str]) -> None:
    assert weighed(FILE, weight, value, reverse=reverse) == (adjustment, faults)


@pytest.mark.behaviour("TRK-30")
def test_an_interface_that_is_down() -> None:
    assert weighed(INTERFACE, 0, 0) == (0, ["tracked_interface_down"])
    assert weighed(INTERFACE, 20, 1) == (20, [])


@pytest.mark.behaviour("TRK-1")
def test_weights_add_up() -> None:
    trackers = (
        Tracker(kind=SCRIPT, name="a", weight=20),
        Tracker(kind=SCRIPT, name="b", weight=-5),
        Tracker(kind=FILE, name="a", weight=3),
    )
    readings = {(SCRIPT, "a"): 1, (SCRIPT, "b"): 0, (FILE, "a"): 4}
    assert weigh(trackers, readings) == Weighed(adjustment=27, faults=frozenset())


@pytest.mark.behaviour("TRK-1", "TRK-2")
@pytest.mark.parametrize(("adjustment", "priority"), [(20, 120), (500, 254), (-500, 1)])
def test_the_priority_is_clamped_and_sent(bench: Callable[..., Any], adjustment: int, priority: int) -> None:
    one = bench()
    at_ns = one.become_active()
    assert one.at(at_ns, PriorityChanged(adjustment=adjustment)) == [f"priority 100->{priority}"]
    assert one.pass_time(at_ns + SECOND_NS) == [f"adv {priority}"]


@pytest.mark.behaviour("TRK-1")
def test_an_owner_never_changes(bench: Callable[..., Any]) -> None:
    one = bench(base_priority=255)
    one.start()
    assert one.at(0, PriorityChanged(adjustment=-50)) == []
    assert one.router.effective_priority == 255


@pytest.mark.behaviour("TRK-3", "FSM-1")
def test_a_backup_waits_by_its_new_skew(bench: Callable[..., Any]) -> None:
    one = bench()
    one.start()
    assert one.router.next_deadline_ns() == 3_609_375_000
    one.at(SECOND_NS, PriorityChanged(adjustment=-64))
    assert one.router.next_deadline_ns() == 3_859_375_000


def test_a_backup_whose_shorter_wait_is_over_acts_at_once_but_not_in_the_past(bench: Callable[..., Any]) -> None:
    one = bench()
    one.start()
    one.at(3_600_000_000, PriorityChanged(adjustment=154))
    assert one.router.next_deadline_ns() == 3_600_000_000


def test_what_is_known_before_the_start_is_not_news(bench: Callable[..., Any]) -> None:
    one = bench()
    assert one.at(0, PriorityChanged(adjustment=7)) == []
    one.start(faults=frozenset({FaultCause.TRACKED_FILE}))
    assert one.router.router_state is RouterState.FAULT
    assert one.router.effective_priority == 107


@pytest.mark.behaviour("TRK-41", "TRK-50")
@pytest.mark.parametrize(
    ("kind", "cause"), [(TrackerKind.PROCESS, "tracked_process"), (TrackerKind.BFD, "tracked_bfd")]
)
def test_a_process_or_session_without_weight_that_is_bad_or_unknown_is_a_fault(kind: TrackerKind, cause: str) -> None:
    assert weighed(kind, 0, 1) == (0, [])
    assert weighed(kind, 0, 0) == (0, [cause])
    assert weighed(kind, 0, None) == (0, [cause])
    assert weighed(kind, 20, 1) == (20, [])
    assert weighed(kind, -20, 0) == (-20, [])
    assert weighed(kind, -20, None) == (0, [])
    assert weighed(kind, 0, 1, reverse=True) == (0, [cause])

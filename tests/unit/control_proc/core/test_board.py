"""The status board: silence, and what a reply says of each process."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.model import ControlDocument
from pyhad.common.messages import CheckerStatus, VrrpStatus
from pyhad.common.states import ProcessName, ProcessState
from pyhad.control_proc.core.board import StatusBoard, is_silent, process_status
from pyhad.control_proc.core.events import ProcessSeen

S = 1_000_000_000
NOW_NS = 500 * S
DOCUMENT = ControlDocument(
    schema=1,
    generation=4,
    router_id="lb1",
    files=("/etc/keepalived/keepalived.conf",),
    instances=("VI_1",),
    services=(),
)
VRRP_REPORT = VrrpStatus(ticket=0, taken_ns=NOW_NS - 9 * S, generation=4, routers=(), counters={})


def seen(name: ProcessName = ProcessName.VRRP, **changes: Any) -> ProcessSeen:
    values: dict[str, Any] = {
        "name": name, "state": ProcessState.RUNNING, "pid": 77, "started_ns": 100 * S, "restarts": 2,
        "turn_ns": NOW_NS - S // 5, "late_ns": 42,
    }  # fmt: skip
    return ProcessSeen(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "silent"),
    [
        ({}, False),
        ({"turn_ns": NOW_NS - 700_000_000}, False),
        ({"turn_ns": NOW_NS - 700_000_001}, True),
        ({"pid": 0}, True),
        ({"pid": 0, "turn_ns": 0, "state": ProcessState.BACKOFF}, True),
        ({"pid": 0, "turn_ns": 0, "state": ProcessState.ABSENT}, False),
    ],
)
def test_a_process_is_silent_after_700_ms_without_a_turn_or_without_a_pid(
    changes: dict[str, Any], silent: bool
) -> None:
    assert is_silent(seen(**changes), NOW_NS) is silent


def test_a_row_says_uptime_and_silence_in_ns() -> None:
    row = process_status(seen(), NOW_NS)
    assert (row.uptime_ns, row.silent_ns, row.restarts, row.late_ns, row.silent) == (400 * S, 200_000_000, 2, 42, False)


def test_a_dead_process_has_no_uptime() -> None:
    row = process_status(seen(pid=0), NOW_NS)
    assert (row.pid, row.uptime_ns, row.silent) == (0, 0, True)


def test_a_turn_after_the_moment_of_asking_is_no_negative_silence() -> None:
    assert process_status(seen(turn_ns=NOW_NS + 5), NOW_NS).silent_ns == 0


def test_an_old_report_is_kept_and_its_age_can_be_seen() -> None:
    board = StatusBoard(DOCUMENT, "1.2.3")
    board.keep(ProcessName.VRRP, VRRP_REPORT)
    reply = board.reply((seen(pid=0),), {"a": 1}, NOW_NS)
    assert reply.vrrp == VRRP_REPORT
    assert reply.checker is None
    assert (reply.taken_ns, reply.version, reply.router_id, reply.config_generation) == (NOW_NS, "1.2.3", "lb1", 4)
    assert reply.counters == {"a": 1}


def test_a_process_that_is_not_needed_any_more_reports_nothing() -> None:
    board = StatusBoard(DOCUMENT, "1.2.3")
    board.keep(ProcessName.VRRP, VRRP_REPORT)
    assert board.reply((seen(state=ProcessState.ABSENT, pid=0),), {}, NOW_NS).vrrp is None


def test_the_last_report_counts() -> None:
    board = StatusBoard(DOCUMENT, "1.2.3")
    for generation in (1, 2):
        report = CheckerStatus(ticket=0, taken_ns=NOW_NS, generation=generation, servers=(), counters={})
        board.keep(ProcessName.CHECKER, report)
    reply = board.reply((seen(ProcessName.CHECKER),), {}, NOW_NS)
    assert reply.checker is not None
    assert reply.checker.generation == 2


def test_a_refused_reload_is_remembered_until_one_succeeds() -> None:
    board = StatusBoard(DOCUMENT, "1.2.3")
    board.note_reload(False, "a.conf:1:1: no", 7 * S)
    reply = board.reply((), {}, NOW_NS)
    assert (reply.last_reload_ok, reply.last_reload_error, reply.last_reload_ns) == (False, "a.conf:1:1: no", 7 * S)
    board.note_reload(True, "a warning", 8 * S)
    reply = board.reply((), {}, NOW_NS)
    assert (reply.last_reload_ok, reply.last_reload_error, reply.last_reload_ns) == (True, "", 8 * S)

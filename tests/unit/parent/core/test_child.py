"""Silence is counted in time during which the observer was awake; a child counts its runs."""

from __future__ import annotations

import pytest

from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.core.child import Child, Silence

MS = 1_000_000
S = 1000 * MS


def silent_ms(*observations: tuple[int, int]) -> list[int]:
    """(at ms, counter) to silence in ms, from a start at 1000 ms and gaps that count for 400 ms at most."""
    silence = Silence(1000 * MS)
    found = []
    for at_ms, progress in observations:
        silence.observe(progress, now_ns=at_ms * MS, gap_max_ns=400 * MS)
        found.append(silence.silent_ns // MS)
    return found


def test_a_counter_that_stands_still_adds_up() -> None:
    assert silent_ms((1200, 5), (1400, 5), (1600, 5)) == [0, 200, 400]


def test_any_change_of_the_counter_ends_the_silence() -> None:
    assert silent_ms((1200, 5), (1400, 5), (1600, 6), (1800, 6), (2000, 0)) == [0, 200, 0, 200, 0]


def test_a_gap_between_observations_counts_for_its_most() -> None:
    assert silent_ms((1200, 5), (901_200, 5), (901_400, 5)) == [0, 400, 600]


@pytest.mark.parametrize(("starts", "restarts"), [(0, 0), (1, 0), (2, 1), (11, 10)])
def test_the_first_run_is_no_restart(starts: int, restarts: int) -> None:
    assert Child(name=ProcessName.VRRP, starts=starts).restarts == restarts


@pytest.mark.parametrize(
    ("state", "is_alive"),
    [
        (ProcessState.ABSENT, False),
        (ProcessState.STARTING, True),
        (ProcessState.RUNNING, True),
        (ProcessState.BACKOFF, False),
        (ProcessState.STOPPING, True),
        (ProcessState.STOPPED, False),
    ],
)
def test_there_is_a_process_while_it_starts_runs_or_stops(state: ProcessState, is_alive: bool) -> None:
    assert Child(name=ProcessName.VRRP, state=state).is_alive is is_alive


def kill_at_s(name: ProcessName, *observations: tuple[int, int]) -> list[int]:
    """(at s, counter) to when it is killed, in s; asked to stop at 10 s, with 5 s to do so."""
    child = Child(name=name, state=ProcessState.STOPPING)
    child.ends(10 * S, 5 * S)
    found = []
    for at_s, progress in observations:
        assert not child.is_silent(progress, now_ns=at_s * S, gap_max_ns=S, watchdog_ns=2 * S)
        assert child.kill_at_ns is not None
        found.append(child.kill_at_ns // S)
    return found


@pytest.mark.behaviour("PROC-6")
def test_the_owner_of_the_table_is_waited_for_while_it_works_but_not_for_ever() -> None:
    working = [(11, 7), (12, 8), (14, 8), (18, 9), (21, 10), (24, 11)]
    assert kill_at_s(ProcessName.IPVS, *working) == [15, 17, 17, 23, 25, 25]


@pytest.mark.parametrize("name", [ProcessName.VRRP, ProcessName.CHECKER, ProcessName.CONTROL])
def test_others_have_their_time_to_stop_once(name: ProcessName) -> None:
    assert kill_at_s(name, (11, 7), (12, 8), (14, 9)) == [15, 15, 15]


def test_who_is_replaced_by_another_program_has_no_more_time_than_that_gave_it() -> None:
    child = Child(name=ProcessName.IPVS, state=ProcessState.STOPPING, kill_at_ns=15 * S)
    for at_s in (11, 12, 13):
        child.is_silent(at_s, now_ns=at_s * S, gap_max_ns=S, watchdog_ns=2 * S)
    assert child.kill_at_ns == 15 * S

"""An upgrade as the supervisor sees it: the trial, becoming the program, one child after the other."""

from __future__ import annotations

import pytest

from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.core import effects as do, events as ev
from pyhad.parent.core.effects import Effect, Phase
from pyhad.parent.core.replacement import Replacement, hand_over
from pyhad.parent.core.settings import Settings
from pyhad.parent.core.standing import Limits
from pyhad.parent.core.supervisor import Supervisor

CONTROL, IPVS, CHECKER, VRRP = ProcessName.CONTROL, ProcessName.IPVS, ProcessName.CHECKER, ProcessName.VRRP
S = 1_000_000_000
ALL = Settings(needed=frozenset({CONTROL, IPVS, CHECKER, VRRP}), watchdog_ns=2 * S, child_wait_ns=5 * S)
DONE = [do.Remark(event="upgrade_done", fields={}), do.NotifySystemd(phase=Phase.RELOADED)]


def acts(effects: list[Effect]) -> list[Effect]:
    return [
        effect
        for effect in effects
        if not isinstance(effect, do.ShowProcess) and not (isinstance(effect, do.Remark) and "child" in effect.event)
    ]


def running() -> Supervisor:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=ALL), 0)
    for name in ALL.needed:
        supervisor.handle(ev.ChildReady(name=name), 0)
    return supervisor


def taken_over(*names: ProcessName) -> tuple[Supervisor, list[Effect]]:
    """The program that took over, and what it did with its first configuration."""
    supervisor = Supervisor()
    found = {name: ev.Adopted(started_ns=5, restarts=2) for name in names}
    assert supervisor.handle(ev.ChildrenFound(children=found), 10 * S) == []
    return supervisor, supervisor.handle(ev.ConfigurationReady(settings=ALL), 10 * S)


def replaced(supervisor: Supervisor, name: ProcessName) -> list[Effect]:
    """The old one ends, its successor is ready: what follows then."""
    assert acts(supervisor.handle(ev.ChildExited(name=name, status=0), 11 * S)) == [do.StartChild(name=name)]
    return acts(supervisor.handle(ev.ChildReady(name=name), 11 * S))


def test_a_program_that_does_not_fit_changes_nothing() -> None:
    supervisor = running()
    assert supervisor.handle(ev.UpgradeWanted(), S) == [do.TryProgram()]
    assert supervisor.handle(ev.UpgradeTried(fits=False), S) == [do.ReportUpgrade(accepted=False)]
    assert supervisor.handle(ev.UpgradeWanted(), S) == [do.TryProgram()]


def test_a_program_that_fits_is_executed() -> None:
    supervisor = running()
    supervisor.handle(ev.UpgradeWanted(), S)
    assert supervisor.handle(ev.UpgradeTried(fits=True), S) == [
        do.ReportUpgrade(accepted=True),
        do.NotifySystemd(phase=Phase.RELOADING),
        do.Reexecute(),
    ]


@pytest.mark.parametrize("event", [ev.ReloadWanted(), ev.UpgradeWanted()], ids=["reload", "upgrade"])
def test_one_thing_at_a_time(event: ev.Event) -> None:
    supervisor = running()
    supervisor.handle(event, S)
    [refusal] = supervisor.handle(ev.UpgradeWanted(), S)
    assert isinstance(refusal, do.ReportUpgrade)
    assert not refusal.accepted
    assert "just now" in refusal.reason


def test_children_are_replaced_one_by_one_and_vrrp_last() -> None:
    supervisor, effects = taken_over(VRRP, CHECKER, IPVS, CONTROL)
    assert acts(effects) == [do.AdoptConfiguration(), do.HandOver(name=CONTROL)]
    assert replaced(supervisor, CONTROL) == [do.HandOver(name=IPVS)]
    assert replaced(supervisor, IPVS) == [do.HandOver(name=CHECKER)]
    assert replaced(supervisor, CHECKER) == [do.HandOver(name=VRRP)]
    assert replaced(supervisor, VRRP) == DONE


def test_where_peers_are_quick_vrrp_is_dropped_and_everybody_else_ends_in_order() -> None:
    quick = Settings(needed=ALL.needed, watchdog_ns=S, child_wait_ns=5 * S, limits=Limits(step_ns=1_500_000))
    assert [hand_over(name, quick).at_once for name in (CONTROL, IPVS, CHECKER, VRRP)] == [False, False, False, True]
    assert not hand_over(VRRP, ALL).at_once


def test_what_is_dropped_shows_its_successor_last() -> None:
    supervisor, _ = taken_over(CONTROL, VRRP)
    supervisor.handle(ev.ChildExited(name=CONTROL, status=0), 11 * S)
    effects = supervisor.handle(ev.ChildReady(name=CONTROL), 11 * S)
    assert effects[-1] == do.HandOver(name=VRRP)


def test_a_child_that_the_new_program_needs_and_the_old_one_had_not_is_started() -> None:
    supervisor, effects = taken_over(VRRP, CONTROL)
    assert acts(effects) == [
        do.AdoptConfiguration(),
        do.StartChild(name=IPVS),
        do.StartChild(name=CHECKER),
        do.HandOver(name=CONTROL),
    ]
    assert replaced(supervisor, CONTROL) == [do.HandOver(name=VRRP)]


def test_the_count_of_restarts_goes_on() -> None:
    _, effects = taken_over(CONTROL, IPVS, CHECKER, VRRP)
    assert do.ShowProcess(name=CONTROL, state=ProcessState.STOPPING, restarts=2) in effects


def test_a_child_that_does_not_hear_is_killed_in_the_time_of_a_hang() -> None:
    supervisor, _ = taken_over(VRRP)
    for name in (CONTROL, IPVS, CHECKER):
        supervisor.handle(ev.ChildReady(name=name), 10 * S)
    assert supervisor.next_deadline_ns() == 12 * S
    assert do.KillChild(name=VRRP) in supervisor.handle(ev.TimePassed(), 12 * S)


def test_a_program_that_is_no_good_stops_at_its_first_child() -> None:
    supervisor, _ = taken_over(CONTROL, IPVS, CHECKER, VRRP)
    supervisor.handle(ev.ChildExited(name=CONTROL, status=0), 11 * S)
    effects = supervisor.handle(ev.ChildExited(name=CONTROL, status=70), 11 * S)
    stalled = do.Remark(event="upgrade_stalled", fields={"child": CONTROL}, warning=True)
    assert acts(effects) == [do.StartChild(name=CONTROL), stalled]
    assert acts(supervisor.handle(ev.ChildReady(name=CONTROL), 11 * S)) == []


def test_a_reload_waits_for_the_end_of_the_upgrade() -> None:
    supervisor, _ = taken_over(CONTROL, VRRP, IPVS, CHECKER)
    assert supervisor.handle(ev.ReloadWanted(), 10 * S) == []
    for name in (CONTROL, IPVS, CHECKER):
        replaced(supervisor, name)
    assert replaced(supervisor, VRRP) == [
        *DONE, do.NotifySystemd(phase=Phase.RELOADING), do.CompileConfiguration()
    ]  # fmt: skip


def test_a_stop_waits_for_the_child_that_is_between_two_programs() -> None:
    supervisor, _ = taken_over(CONTROL, IPVS, CHECKER, VRRP)
    for name in (CONTROL, IPVS, CHECKER):
        replaced(supervisor, name)
    assert supervisor.handle(ev.StopWanted(), 11 * S) == []
    assert replaced(supervisor, VRRP) == [do.NotifySystemd(phase=Phase.STOPPING), do.TerminateChild(name=VRRP)]


def test_nothing_goes_on_in_a_fresh_one() -> None:
    fresh = Replacement()
    assert (fresh.is_going_on, fresh.waiting, fresh.current, fresh.stop_wanted) == (False, [], None, False)

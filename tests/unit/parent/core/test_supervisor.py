"""What the supervisor does about lives, deaths, hangs, reloads and the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.core import effects as do, events as ev
from pyhad.parent.core.effects import Effect, Phase
from pyhad.parent.core.settings import Settings
from pyhad.parent.core.supervisor import Supervisor

CONTROL, IPVS, CHECKER, VRRP = ProcessName.CONTROL, ProcessName.IPVS, ProcessName.CHECKER, ProcessName.VRRP
ALL = frozenset({CONTROL, IPVS, CHECKER, VRRP})
MS = 1_000_000
S = 1000 * MS

Machine = tuple[Supervisor, Callable[..., list[Effect]]]


def settings(needed: frozenset[ProcessName] = ALL, watchdog_ns: int = 2 * S) -> Settings:
    return Settings(needed=needed, watchdog_ns=watchdog_ns, child_wait_ns=5 * S)


def drop_shows(effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if not isinstance(effect, do.ShowProcess)]


def acts(effects: list[Effect]) -> list[Effect]:
    return [effect for effect in drop_shows(effects) if not isinstance(effect, do.Remark)]


def started(*, respawn: bool = True, needed: frozenset[ProcessName] = ALL) -> Supervisor:
    """At 0 s: configured and all ready."""
    supervisor = Supervisor(respawn=respawn)
    supervisor.handle(ev.ConfigurationReady(settings=settings(needed)), 0)
    for name in needed:
        supervisor.handle(ev.ChildReady(name=name), 0)
    return supervisor


def test_children_start_with_those_who_are_listened_to() -> None:
    effects = Supervisor().handle(ev.ConfigurationReady(settings=settings()), 0)
    assert drop_shows(effects) == [
        do.AdoptConfiguration(),
        do.StartChild(name=CONTROL),
        do.StartChild(name=IPVS),
        do.StartChild(name=CHECKER),
        do.StartChild(name=VRRP),
    ]


def test_only_needed_children_start() -> None:
    effects = Supervisor().handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    assert acts(effects) == [do.AdoptConfiguration(), do.StartChild(name=CONTROL), do.StartChild(name=VRRP)]


def test_ready_is_said_once_when_the_last_child_is_ready() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    assert acts(supervisor.handle(ev.ChildReady(name=VRRP), 1)) == []
    assert acts(supervisor.handle(ev.ChildReady(name=CONTROL), 2)) == [do.NotifySystemd(phase=Phase.READY)]
    supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 3)
    assert acts(supervisor.handle(ev.ChildReady(name=VRRP), 4)) == []


@pytest.mark.behaviour("PROC-11")
def test_a_killed_child_is_started_again_at_once() -> None:
    effects = started().handle(ev.ChildExited(name=CHECKER, status=-9), 3 * S)
    assert effects == [
        do.Remark(event="child_ended", fields={"child": "checker", "run_ms": 3000, "signal": 9}, warning=True),
        do.StartChild(name=CHECKER),
        do.ShowProcess(name=CHECKER, state=ProcessState.STARTING, restarts=1),
    ]


def test_an_end_with_status_zero_that_nobody_asked_for_is_a_death_too() -> None:
    effects = started().handle(ev.ChildExited(name=VRRP, status=0), 3 * S)
    assert acts(effects) == [do.StartChild(name=VRRP)]


def test_the_fifth_death_within_ten_seconds_is_waited_out() -> None:
    supervisor = started()
    for at in (1, 2, 3, 4):
        assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=-11), at * S)) == [do.StartChild(name=VRRP)]
    effects = supervisor.handle(ev.ChildExited(name=VRRP, status=-11), 5 * S)
    assert acts(effects) == []
    assert do.ShowProcess(name=VRRP, state=ProcessState.BACKOFF, restarts=4) in effects
    assert supervisor.next_deadline_ns() == 5 * S + 50_000_000
    assert acts(supervisor.handle(ev.TimePassed(), 5 * S + 50_000_000)) == [do.StartChild(name=VRRP)]


@pytest.mark.behaviour("PROC-10")
@pytest.mark.parametrize("status", [1, 2, 4])
def test_a_permanent_error_before_the_daemon_was_ready_ends_it_with_that_status(status: int) -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    supervisor.handle(ev.ChildReady(name=CONTROL), 1)
    effects = supervisor.handle(ev.ChildExited(name=VRRP, status=status), 2)
    assert acts(effects) == [do.NotifySystemd(phase=Phase.STOPPING), do.TerminateChild(name=CONTROL)]
    assert acts(supervisor.handle(ev.ChildExited(name=CONTROL, status=0), 3)) == [do.Exit(code=status)]


def test_status_three_before_the_daemon_was_ready_is_no_reason_to_end() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=3), 2)) == [do.StartChild(name=VRRP)]


def test_no_status_of_a_child_ends_a_daemon_that_was_ready() -> None:
    assert acts(started().handle(ev.ChildExited(name=VRRP, status=1), S)) == [do.StartChild(name=VRRP)]


def test_a_permanent_error_of_a_child_that_was_ready_once_does_not_end_a_starting_daemon() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    supervisor.handle(ev.ChildReady(name=VRRP), 1)
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=1), 2)) == [do.StartChild(name=VRRP)]


@pytest.mark.behaviour("PROC-12")
def test_without_respawn_a_dead_child_ends_the_daemon() -> None:
    supervisor = started(respawn=False, needed=frozenset({CONTROL, VRRP}))
    effects = supervisor.handle(ev.ChildExited(name=VRRP, status=-9), S)
    assert acts(effects) == [do.NotifySystemd(phase=Phase.STOPPING), do.TerminateChild(name=CONTROL)]
    assert acts(supervisor.handle(ev.ChildExited(name=CONTROL, status=0), 2 * S)) == [do.Exit(code=1)]


# ------------------------------------------------------------------------------------------------ stop


@pytest.mark.behaviour("PROC-6")
def test_vrrp_stops_first_then_checker_and_ipvs_and_control_last() -> None:
    supervisor = started()
    first = supervisor.handle(ev.StopWanted(), S)
    assert acts(first) == [do.NotifySystemd(phase=Phase.STOPPING), do.TerminateChild(name=VRRP)]
    second = supervisor.handle(ev.ChildExited(name=VRRP, status=0), 2 * S)
    assert acts(second) == [do.TerminateChild(name=IPVS), do.TerminateChild(name=CHECKER)]
    assert acts(supervisor.handle(ev.ChildExited(name=IPVS, status=0), 3 * S)) == []
    third = supervisor.handle(ev.ChildExited(name=CHECKER, status=0), 3 * S)
    assert acts(third) == [do.TerminateChild(name=CONTROL)]
    assert acts(supervisor.handle(ev.ChildExited(name=CONTROL, status=0), 4 * S)) == [do.Exit(code=0)]


@pytest.mark.behaviour("PROC-6")
def test_a_child_that_does_not_stop_is_killed_after_child_wait() -> None:
    supervisor = started()
    supervisor.handle(ev.StopWanted(), S)
    assert supervisor.next_deadline_ns() == 6 * S
    assert acts(supervisor.handle(ev.TimePassed(), 6 * S - 1)) == []
    assert acts(supervisor.handle(ev.TimePassed(), 6 * S)) == [do.KillChild(name=VRRP)]
    assert supervisor.next_deadline_ns() is None


def test_a_second_wish_to_stop_changes_nothing() -> None:
    supervisor = started()
    supervisor.handle(ev.StopWanted(), S)
    assert supervisor.handle(ev.StopWanted(), 2 * S) == []
    assert supervisor.next_deadline_ns() == 6 * S


def test_a_child_in_back_off_is_not_started_once_a_stop_is_wanted() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    for at in (1, 2, 3, 4, 5):
        supervisor.handle(ev.ChildExited(name=VRRP, status=-11), at * S)
    assert acts(supervisor.handle(ev.StopWanted(), 5 * S)) == [
        do.NotifySystemd(phase=Phase.STOPPING),
        do.TerminateChild(name=CONTROL),
    ]
    assert acts(supervisor.handle(ev.TimePassed(), 6 * S)) == []


def test_a_child_that_dies_while_others_stop_is_not_started_again() -> None:
    supervisor = started()
    supervisor.handle(ev.StopWanted(), S)
    assert acts(supervisor.handle(ev.ChildExited(name=CHECKER, status=-9), S)) == []
    effects = supervisor.handle(ev.ChildExited(name=VRRP, status=0), 2 * S)
    assert acts(effects) == [do.TerminateChild(name=IPVS)]


def test_a_stop_before_the_first_configuration_ends_at_once() -> None:
    assert acts(Supervisor().handle(ev.StopWanted(), 0))[-1] == do.Exit(code=0)


# -------------------------------------------------------------------------------------------- watchdog


def observe(supervisor: Supervisor, at_ns: int, **progress: int) -> list[Effect]:
    return supervisor.handle(
        ev.PulsesObserved(progress={ProcessName(name): count for name, count in progress.items()}), at_ns
    )


def test_a_vrrp_child_silent_for_the_watchdog_time_is_killed_and_replaced_at_once() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    effects: list[Effect] = []
    for tick in range(21):  # 0 to 4 s in steps of 200 ms; control makes progress, vrrp does not
        effects += observe(supervisor, tick * 200 * MS, control=tick, vrrp=7)
    assert effects == [
        do.Remark(event="child_silent", fields={"child": "vrrp", "silent_ms": 2000}, warning=True),
        do.KillChild(name=VRRP),
    ]
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 4 * S)) == [do.StartChild(name=VRRP)]


def test_progress_at_the_last_moment_saves_a_child() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    for tick in range(10):
        assert observe(supervisor, tick * 200 * MS, control=tick, vrrp=7) == []
    assert observe(supervisor, 2000 * MS, control=10, vrrp=8) == []
    assert observe(supervisor, 2200 * MS, control=11, vrrp=8) == []


STANDS = ev.ChildStands(name=VRRP, stood_ns=6 * MS, worked_ns=0)


def test_a_vrrp_child_that_was_seen_to_stand_is_killed_once() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    assert supervisor.handle(STANDS, S) == [
        do.Remark(event="child_stands", fields={"child": "vrrp", "stood_ms": 6, "worked_ms": 0}, warning=True),
        do.DropChild(name=VRRP),
    ]
    assert supervisor.handle(STANDS, S + MS) == []
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=-9), S + 2 * MS)) == [do.StartChild(name=VRRP)]
    assert supervisor.handle(STANDS, S + 3 * MS) == []  # its successor only begins


def test_one_that_works_for_too_long_is_replaced_once_a_minute_but_a_standing_one_always() -> None:
    works = ev.ChildStands(name=VRRP, stood_ns=0, worked_ns=12 * MS)
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    found = []
    for at_ns, event in ((S, works), (2 * S, works), (3 * S, STANDS), (60 * S, works), (61 * S, works)):
        found += [(at_ns // S, effect) for effect in acts(supervisor.handle(event, at_ns))]
        if found[-1][0] * S == at_ns:
            supervisor.handle(ev.ChildExited(name=VRRP, status=-9), at_ns)
            supervisor.handle(ev.ChildReady(name=VRRP), at_ns)
    assert found == [(at_s, do.DropChild(name=VRRP)) for at_s in (1, 3, 61)]


def test_a_turn_that_takes_a_document_may_be_long() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), S)
    assert supervisor.handle(STANDS, S + MS) == []
    supervisor.handle(ev.ChildApplied(name=VRRP), S + 2 * MS)
    assert acts(supervisor.handle(STANDS, S + 3 * MS)) == [do.DropChild(name=VRRP)]


def test_other_children_are_given_five_seconds_of_silence() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    effects: list[tuple[int, Effect]] = []
    for tick in range(40):
        at_ns = tick * 200 * MS
        effects += [(at_ns, effect) for effect in acts(observe(supervisor, at_ns, control=7, vrrp=tick))]
    assert effects == [(5 * S, do.KillChild(name=CONTROL))]


def test_a_pause_of_the_whole_machine_is_not_taken_for_a_hanging_child() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    assert observe(supervisor, 0, control=1, vrrp=1) == []
    assert observe(supervisor, 3600 * S, control=1, vrrp=1) == []
    assert observe(supervisor, 3600 * S + 200 * MS, control=2, vrrp=2) == []


def test_a_starting_child_may_be_silent_for_twenty_seconds() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL}))), 0)
    effects: list[tuple[int, Effect]] = []
    for tick in range(110):
        at_ns = tick * 200 * MS
        effects += [(at_ns, effect) for effect in acts(observe(supervisor, at_ns))]
    assert effects == [(20 * S, do.KillChild(name=CONTROL))]


def test_the_silence_of_a_long_start_does_not_count_once_the_child_is_ready() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    for tick in range(50):
        assert acts(observe(supervisor, tick * 200 * MS, control=tick, vrrp=0)) == []
    supervisor.handle(ev.ChildReady(name=VRRP), 10 * S)
    for tick in range(50, 59):
        assert acts(observe(supervisor, tick * 200 * MS, control=tick, vrrp=0)) == []


# ---------------------------------------------------------------------------------------------- reload


def test_a_reload_compiles_hands_out_documents_and_reports_when_all_have_answered() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    assert acts(supervisor.handle(ev.ReloadWanted(), S)) == [
        do.NotifySystemd(phase=Phase.RELOADING),
        do.CompileConfiguration(),
    ]
    assert acts(supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 2 * S)) == [
        do.AdoptConfiguration(),
        do.SendDocument(name=CONTROL),
        do.SendDocument(name=VRRP),
    ]
    assert acts(supervisor.handle(ev.ChildApplied(name=VRRP), 3 * S)) == []
    assert acts(supervisor.handle(ev.ChildApplied(name=CONTROL), 3 * S)) == [
        do.ReportReload(accepted=True),
        do.NotifySystemd(phase=Phase.RELOADED),
    ]


@pytest.mark.behaviour("REL-4")
def test_a_refused_reload_touches_no_child() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    assert supervisor.handle(ev.ConfigurationRefused(), 2 * S) == [
        do.ReportReload(accepted=False),
        do.NotifySystemd(phase=Phase.REFUSED),
    ]


@pytest.mark.behaviour("REL-2")
def test_wishes_during_a_reload_are_remembered_as_one() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    assert supervisor.handle(ev.ReloadWanted(), S) == []
    assert supervisor.handle(ev.ReloadWanted(), S) == []
    assert acts(supervisor.handle(ev.ConfigurationRefused(), 2 * S))[-1] == do.CompileConfiguration()
    assert acts(supervisor.handle(ev.ConfigurationRefused(), 3 * S))[-1] == do.NotifySystemd(phase=Phase.REFUSED)


@pytest.mark.behaviour("SIG-14")
def test_a_reload_starts_who_is_newly_needed_and_stops_who_is_not() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    supervisor.handle(ev.ReloadWanted(), S)
    effects = supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, IPVS, CHECKER}))), 2 * S)
    assert acts(effects) == [
        do.AdoptConfiguration(),
        do.SendDocument(name=CONTROL),
        do.StartChild(name=IPVS),
        do.StartChild(name=CHECKER),
        do.TerminateChild(name=VRRP),
    ]
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=0), 3 * S)) == []
    supervisor.handle(ev.ChildApplied(name=CONTROL), 3 * S)
    supervisor.handle(ev.ChildReady(name=IPVS), 3 * S)
    assert acts(supervisor.handle(ev.ChildReady(name=CHECKER), 3 * S)) == [
        do.ReportReload(accepted=True),
        do.NotifySystemd(phase=Phase.RELOADED),
    ]


def test_a_child_wanted_again_while_it_stops_is_started_when_it_is_gone() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    for needed in (frozenset({CONTROL}), frozenset({CONTROL, VRRP})):
        supervisor.handle(ev.ReloadWanted(), S)
        supervisor.handle(ev.ConfigurationReady(settings=settings(needed)), S)
        supervisor.handle(ev.ChildApplied(name=CONTROL), S)
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=0), 2 * S)) == [do.StartChild(name=VRRP)]


def test_a_child_that_dies_over_a_reload_does_not_hold_it_up() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), S)
    supervisor.handle(ev.ChildApplied(name=CONTROL), S)
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 2 * S)) == [
        do.StartChild(name=VRRP),
        do.ReportReload(accepted=True),
        do.NotifySystemd(phase=Phase.RELOADED),
    ]


def test_a_child_that_does_not_answer_within_a_minute_is_replaced() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), S)
    supervisor.handle(ev.ChildApplied(name=CONTROL), S)
    assert supervisor.next_deadline_ns() == 61 * S
    assert supervisor.handle(ev.TimePassed(), 61 * S) == [
        do.Remark(event="reload_unanswered", fields={"children": "vrrp"}, warning=True),
        do.KillChild(name=VRRP),
        do.ReportReload(accepted=True),
        do.NotifySystemd(phase=Phase.RELOADED),
    ]


def test_a_reload_ends_the_wait_of_a_child_in_back_off() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    for at in (1, 2, 3, 4, 5):
        supervisor.handle(ev.ChildExited(name=VRRP, status=-11), at * S)
    supervisor.handle(ev.ReloadWanted(), 5 * S)
    effects = supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 5 * S)
    assert acts(effects) == [
        do.AdoptConfiguration(),
        do.SendDocument(name=CONTROL),
        do.StartChild(name=VRRP),
    ]
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=-11), 6 * S)) == [do.StartChild(name=VRRP)]


def test_a_reload_drops_the_next_start_of_a_child_that_is_not_needed_any_more() -> None:
    supervisor = started(needed=frozenset({CONTROL, VRRP}))
    for at in (1, 2, 3, 4, 5):
        supervisor.handle(ev.ChildExited(name=VRRP, status=-11), at * S)
    supervisor.handle(ev.ReloadWanted(), 5 * S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL}))), 5 * S)
    supervisor.handle(ev.ChildApplied(name=CONTROL), 5 * S)
    assert supervisor.next_deadline_ns() is None


def test_a_reload_that_drops_a_child_that_never_got_ready_makes_the_daemon_ready() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL, VRRP}))), 0)
    supervisor.handle(ev.ChildReady(name=CONTROL), 0)
    supervisor.handle(ev.ReloadWanted(), S)
    effects = supervisor.handle(ev.ConfigurationReady(settings=settings(frozenset({CONTROL}))), S)
    assert do.NotifySystemd(phase=Phase.READY) in effects


def test_nothing_is_reloaded_once_a_stop_is_wanted() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.StopWanted(), S)
    assert supervisor.handle(ev.ConfigurationReady(settings=settings()), 2 * S) == []
    assert supervisor.handle(ev.ReloadWanted(), 2 * S) == []

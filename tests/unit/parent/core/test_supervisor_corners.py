"""Meetings of two things in the supervisor: a reload with a stop, a word with a death."""

from __future__ import annotations

import dataclasses

from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.core import effects as do, events as ev
from pyhad.parent.core.effects import Effect, Phase
from pyhad.parent.core.settings import Settings
from pyhad.parent.core.supervisor import Supervisor

CONTROL, IPVS, CHECKER, VRRP = ProcessName.CONTROL, ProcessName.IPVS, ProcessName.CHECKER, ProcessName.VRRP
MS = 1_000_000
S = 1000 * MS


def settings(*needed: ProcessName) -> Settings:
    return Settings(needed=frozenset(needed), watchdog_ns=2 * S, child_wait_ns=5 * S)


def acts(effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if not isinstance(effect, (do.Remark, do.ShowProcess))]


def started() -> Supervisor:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL, VRRP)), 0)
    for name in (CONTROL, VRRP):
        supervisor.handle(ev.ChildReady(name=name), 0)
    return supervisor


def test_a_newly_needed_child_that_cannot_work_does_not_end_a_daemon_that_serves() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL, VRRP, IPVS, CHECKER)), S)
    assert do.StartChild(name=IPVS) in supervisor.handle(ev.ChildExited(name=IPVS, status=1), 2 * S)


def test_a_wish_to_reload_before_the_first_configuration_is_not_lost() -> None:
    supervisor = Supervisor()
    assert supervisor.handle(ev.ReloadWanted(), 0) == []
    effects = supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL)), 0)
    assert effects[-1] == do.CompileConfiguration()


def test_a_stop_ends_the_waiting_for_answers_to_a_reload() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL, VRRP)), S)
    supervisor.handle(ev.StopWanted(), S)
    supervisor.handle(ev.ChildExited(name=VRRP, status=0), 2 * S)
    assert supervisor.next_deadline_ns() == 7 * S  # control's, nothing of the reload
    assert acts(supervisor.handle(ev.ChildApplied(name=CONTROL), 2 * S)) == []


def test_the_silence_of_a_dead_child_is_not_held_against_its_successor() -> None:
    supervisor = started()
    for tick in range(9):
        observe(supervisor, tick * 200 * MS, tick)
    supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 1700 * MS)
    supervisor.handle(ev.ChildReady(name=VRRP), 1700 * MS)
    for tick in range(9, 17):
        assert acts(observe(supervisor, tick * 200 * MS, tick)) == []


def observe(supervisor: Supervisor, at_ns: int, control: int) -> list[Effect]:
    return supervisor.handle(ev.PulsesObserved(progress={CONTROL: control, VRRP: 7}), at_ns)


def test_a_child_that_stopped_in_time_leaves_no_deadline() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL)), S)
    supervisor.handle(ev.ChildApplied(name=CONTROL), S)
    assert supervisor.next_deadline_ns() == 6 * S
    supervisor.handle(ev.ChildExited(name=VRRP, status=0), 2 * S)
    assert supervisor.next_deadline_ns() is None


def test_a_late_ready_of_a_stopping_child_changes_nothing() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL, VRRP)), 0)
    supervisor.handle(ev.ChildReady(name=CONTROL), 0)
    supervisor.handle(ev.StopWanted(), S)
    assert supervisor.handle(ev.ChildReady(name=VRRP), S) == []
    assert acts(supervisor.handle(ev.ChildExited(name=VRRP, status=0), 2 * S)) == [do.TerminateChild(name=CONTROL)]


def test_after_the_end_every_event_is_ignored() -> None:
    supervisor = Supervisor()
    supervisor.handle(ev.StopWanted(), 0)
    assert supervisor.handle(ev.ConfigurationReady(settings=settings(CONTROL)), S) == []
    assert supervisor.handle(ev.ReloadWanted(), S) == []


def test_the_page_shows_every_step_of_a_life() -> None:
    supervisor = started()
    shown: list[tuple[ProcessState, int]] = []
    for at in (1, 2, 3, 4, 5):
        effects = supervisor.handle(ev.ChildExited(name=VRRP, status=-9), at * S)
        shown += [(effect.state, effect.restarts) for effect in effects if isinstance(effect, do.ShowProcess)]
    for event, at in ((ev.TimePassed(), 6), (ev.ChildReady(name=VRRP), 6), (ev.StopWanted(), 7)):
        effects = supervisor.handle(event, at * S)
        shown += [
            (effect.state, effect.restarts)
            for effect in effects
            if isinstance(effect, do.ShowProcess) and effect.name is VRRP
        ]
    assert shown == [
        (ProcessState.STARTING, 1),
        (ProcessState.STARTING, 2),
        (ProcessState.STARTING, 3),
        (ProcessState.STARTING, 4),
        (ProcessState.BACKOFF, 4),
        (ProcessState.STARTING, 5),
        (ProcessState.RUNNING, 5),
        (ProcessState.STOPPING, 5),
    ]


def test_how_often_the_page_is_looked_at_follows_the_watchdog() -> None:
    found = []
    for watchdog_ms in (500, 2000, 10_000):
        supervisor = Supervisor()
        wish = Settings(needed=frozenset({CONTROL}), watchdog_ns=watchdog_ms * MS, child_wait_ns=5 * S)
        supervisor.handle(ev.ConfigurationReady(settings=wish), 0)
        found.append(supervisor.observe_every_ns // MS)
    assert found == [50, 200, 500]


def test_a_stop_in_the_middle_of_a_compilation_is_the_last_word() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), S)
    assert acts(supervisor.handle(ev.StopWanted(), S)) == [
        do.NotifySystemd(phase=Phase.STOPPING),
        do.TerminateChild(name=VRRP),
    ]
    assert supervisor.handle(ev.ConfigurationRefused(), 2 * S) == []


def dying(down_interval_ns: int) -> Supervisor:
    """VRRP was ready at 0 and has ended at 1 s."""
    supervisor = Supervisor()
    wish = Settings(needed=frozenset({VRRP}), watchdog_ns=2 * S, child_wait_ns=5 * S, down_interval_ns=down_interval_ns)
    supervisor.handle(ev.ConfigurationReady(settings=wish), 0)
    supervisor.handle(ev.ChildReady(name=VRRP), 0)
    supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 1 * S)
    return supervisor


def test_what_vrrp_held_is_released_once_when_its_peers_have_lost_patience() -> None:
    supervisor, released, now_ns = dying(300 * MS), [], 1 * S
    for _ in range(20):
        now_ns = (supervisor.next_deadline_ns() or now_ns) + 10 * MS
        supervisor.handle(ev.TimePassed(), now_ns)
        effects = supervisor.handle(ev.ChildExited(name=VRRP, status=-9), now_ns)
        released += [now_ns for effect in effects if effect == do.ReleaseHeld(name=VRRP)]
        if effects and released and released[-1] == now_ns:
            assert supervisor.next_deadline_ns() == now_ns + 5 * S
    assert len(released) == 1
    assert 1_100 * MS <= released[0] <= 1_300 * MS, "not before the next start would come too late"


def test_the_next_run_begins_when_all_is_released_and_its_pause_is_over() -> None:
    supervisor, now_ns = dying(300 * MS), 1 * S
    while do.ReleaseHeld(name=VRRP) not in supervisor.handle(ev.ChildExited(name=VRRP, status=-9), now_ns):
        now_ns = (supervisor.next_deadline_ns() or now_ns) + 10 * MS
        supervisor.handle(ev.TimePassed(), now_ns)
    supervisor.handle(ev.HeldReleased(name=VRRP), now_ns + 1 * MS)
    due_ns = now_ns + 200 * MS  # after so many deaths
    assert supervisor.next_deadline_ns() == due_ns
    supervisor.handle(ev.HeldReleased(name=VRRP), due_ns - 1 * MS)
    assert supervisor.next_deadline_ns() == due_ns, "it was over before"
    assert do.StartChild(name=VRRP) in supervisor.handle(ev.TimePassed(), due_ns + 1 * MS)
    supervisor.handle(ev.HeldReleased(name=VRRP), due_ns + 2 * MS)
    assert supervisor.next_deadline_ns() is None, "it runs already"


def test_a_vrrp_process_that_is_ready_in_time_releases_nothing() -> None:
    supervisor = dying(300 * MS)
    supervisor.handle(ev.ChildReady(name=VRRP), 1_100 * MS)
    effects = supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 2 * S)
    assert do.ReleaseHeld(name=VRRP) not in effects
    assert do.StartChild(name=VRRP) in effects


def test_without_virtual_routers_nothing_is_released() -> None:
    supervisor = dying(0)
    for at_s in range(2, 12):
        supervisor.handle(ev.TimePassed(), at_s * S)
        assert do.ReleaseHeld(name=VRRP) not in supervisor.handle(ev.ChildExited(name=VRRP, status=-9), at_s * S)


def releasing() -> tuple[Supervisor, int]:
    """What VRRP held is given up since then."""
    supervisor, now_ns = dying(300 * MS), 1 * S
    while do.ReleaseHeld(name=VRRP) not in supervisor.handle(ev.ChildExited(name=VRRP, status=-9), now_ns):
        now_ns = (supervisor.next_deadline_ns() or now_ns) + 10 * MS
        supervisor.handle(ev.TimePassed(), now_ns)
    return supervisor, now_ns


def test_a_stop_releases_what_a_vrrp_process_held_that_waits_for_its_next_run() -> None:
    supervisor = dying(60 * S)
    for _ in range(4):
        supervisor.handle(ev.ChildExited(name=VRRP, status=-9), 1 * S)
    effects = supervisor.handle(ev.StopWanted(), 1 * S)
    assert acts(effects)[1:] == [do.ReleaseHeld(name=VRRP)]
    assert acts(supervisor.handle(ev.HeldReleased(name=VRRP), 2 * S)) == [do.Exit(code=0)]


def test_a_stop_waits_for_a_release_and_not_for_ever() -> None:
    for waits in (True, False):
        supervisor, now_ns = releasing()
        assert acts(supervisor.handle(ev.StopWanted(), now_ns))[1:] == []
        assert supervisor.next_deadline_ns() == now_ns + 5 * S
        event = ev.TimePassed() if waits else ev.HeldReleased(name=VRRP)
        assert acts(supervisor.handle(event, now_ns + 5 * S)) == [do.Exit(code=0)]


def test_a_reload_starts_nobody_beside_a_release() -> None:
    supervisor, now_ns = releasing()
    wish = Settings(needed=frozenset({VRRP}), watchdog_ns=2 * S, child_wait_ns=5 * S, down_interval_ns=300 * MS)
    for needed in (frozenset[ProcessName](), frozenset({VRRP})):
        supervisor.handle(ev.ReloadWanted(), now_ns)
        effects = supervisor.handle(ev.ConfigurationReady(settings=dataclasses.replace(wish, needed=needed)), now_ns)
        assert do.StartChild(name=VRRP) not in effects
    supervisor.handle(ev.HeldReleased(name=VRRP), now_ns + 1 * MS)
    assert do.StartChild(name=VRRP) in supervisor.handle(ev.TimePassed(), now_ns + 1 * MS)


def test_an_upgrade_forgets_no_release() -> None:
    supervisor = Supervisor()
    wish = Settings(needed=frozenset({VRRP}), watchdog_ns=2 * S, child_wait_ns=5 * S, down_interval_ns=300 * MS)
    supervisor.handle(ev.ConfigurationReady(settings=wish), 0)
    supervisor.handle(ev.ChildReady(name=VRRP), 0)
    for at_ms in (0, 100, 200, 300, 400):
        supervisor.handle(ev.ChildExited(name=VRRP, status=-9), at_ms * MS)
    assert do.TryProgram() not in supervisor.handle(ev.UpgradeWanted(), 400 * MS)
    supervisor.handle(ev.HeldReleased(name=VRRP), 410 * MS)
    assert do.TryProgram() in supervisor.handle(ev.UpgradeWanted(), 410 * MS)

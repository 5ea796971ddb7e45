"""A reload that goes back by itself: who owns the deadline, what ends it, what is refused meanwhile."""

from __future__ import annotations

from pyhad.common.confirmation import ConfirmationState
from pyhad.common.states import ProcessName
from pyhad.parent.core import effects as do, events as ev
from pyhad.parent.core.effects import Effect, Phase
from pyhad.parent.core.settings import Settings
from pyhad.parent.core.supervisor import Supervisor

CONTROL, VRRP = ProcessName.CONTROL, ProcessName.VRRP
S = 1_000_000_000
READY = ev.ConfigurationReady(settings=Settings(needed=frozenset({CONTROL, VRRP}), watchdog_ns=S, child_wait_ns=S))
WAITS = "a reload waits for its confirmation: confirm it first, or wait until it has gone back"
WAITING = do.ShowConfirmation(state=ConfirmationState.WAITING, until_ns=71 * S)
GOING_BACK = do.ShowConfirmation(state=ConfirmationState.GOING_BACK)
NONE = do.ShowConfirmation(state=ConfirmationState.NONE)
CONFIRMED = do.ShowConfirmation(state=ConfirmationState.CONFIRMED)
REFUSED = [
    do.RefuseReload(reason=WAITS),
    do.NotifySystemd(phase=Phase.RELOADING),
    do.NotifySystemd(phase=Phase.REFUSED),
]
"""A service manager that asked by signal must not wait for ever."""
SENT = [do.SendDocument(name=CONTROL), do.SendDocument(name=VRRP)]


def acts(effects: list[Effect]) -> list[Effect]:
    return [effect for effect in effects if not isinstance(effect, (do.Remark, do.ShowProcess))]


def remarks(effects: list[Effect]) -> list[str]:
    return [effect.event for effect in effects if isinstance(effect, do.Remark)]


def started() -> Supervisor:
    supervisor = Supervisor()
    supervisor.handle(READY, 0)
    for name in (CONTROL, VRRP):
        supervisor.handle(ev.ChildReady(name=name), 0)
    return supervisor


def applied(supervisor: Supervisor, at_ns: int) -> list[Effect]:
    supervisor.handle(ev.ChildApplied(name=CONTROL), at_ns)
    return supervisor.handle(ev.ChildApplied(name=VRRP), at_ns)


def waiting() -> Supervisor:
    """Asked for 60 s at 10 s, adopted at 11 s, in force at 12 s."""
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(confirm_s=60), 10 * S)
    effects = acts(supervisor.handle(READY, 11 * S))
    assert effects == [do.AdoptConfiguration(keep_previous=True), WAITING, *SENT]
    in_force = [do.ReportReload(accepted=True), do.NotifySystemd(phase=Phase.RELOADED)]
    assert acts(applied(supervisor, 12 * S)) == in_force
    return supervisor


def test_without_a_confirmation_the_documents_before_are_handed_out_again() -> None:
    supervisor = waiting()
    assert supervisor.next_deadline_ns() == 71 * S
    assert supervisor.handle(ev.TimePassed(), 71 * S - 1) == []
    effects = supervisor.handle(ev.TimePassed(), 71 * S)
    assert remarks(effects) == ["reload_not_confirmed"]
    assert acts(effects) == [GOING_BACK, do.NotifySystemd(phase=Phase.RELOADING), do.RenewPrevious()]
    assert acts(supervisor.handle(READY, 72 * S)) == [do.AdoptConfiguration(), *SENT]
    told = [do.ReportReload(accepted=False), NONE, do.NotifySystemd(phase=Phase.RELOADED)]
    assert acts(applied(supervisor, 73 * S)) == told
    assert supervisor.next_deadline_ns() is None


def test_a_confirmation_ends_the_deadline_and_lets_go_of_the_documents_before() -> None:
    supervisor = waiting()
    assert acts(supervisor.handle(ev.ReloadConfirmed(), 70 * S)) == [do.ForgetPrevious(), CONFIRMED]
    assert supervisor.next_deadline_ns() is None
    assert supervisor.handle(ev.TimePassed(), 71 * S) == []
    assert supervisor.handle(ev.ReloadWanted(), 80 * S)[-1] == do.CompileConfiguration()


def test_a_confirmation_without_a_reload_and_one_that_is_late_are_told_so() -> None:
    assert started().handle(ev.ReloadConfirmed(), S) == [NONE]
    supervisor = waiting()
    supervisor.handle(ev.TimePassed(), 71 * S)
    assert supervisor.handle(ev.ReloadConfirmed(), 71 * S) == [GOING_BACK]


def test_meanwhile_another_reload_and_an_upgrade_are_refused() -> None:
    supervisor = waiting()
    assert supervisor.handle(ev.ReloadWanted(), 20 * S) == REFUSED
    assert supervisor.handle(ev.ReloadWanted(confirm_s=5), 20 * S) == REFUSED
    assert supervisor.handle(ev.UpgradeWanted(), 20 * S) == [do.ReportUpgrade(accepted=False, reason=WAITS)]
    assert supervisor.next_deadline_ns() == 71 * S
    supervisor.handle(ev.TimePassed(), 71 * S)
    assert supervisor.handle(ev.ReloadWanted(), 71 * S) == REFUSED


def test_a_refused_reload_leaves_nothing_to_confirm() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(confirm_s=60), 10 * S)
    refused = [do.ReportReload(accepted=False), do.NotifySystemd(phase=Phase.REFUSED)]
    assert acts(supervisor.handle(ev.ConfigurationRefused(), 11 * S)) == refused
    assert supervisor.next_deadline_ns() is None
    supervisor.handle(ev.ReloadWanted(), 12 * S)
    assert acts(supervisor.handle(READY, 12 * S))[0] == do.AdoptConfiguration()
    applied(supervisor, 13 * S)
    assert supervisor.next_deadline_ns() is None


def test_the_death_of_the_control_process_moves_no_deadline_and_its_successor_is_told() -> None:
    supervisor = waiting()
    supervisor.handle(ev.ChildExited(name=CONTROL, status=-9), 20 * S)
    assert WAITING in supervisor.handle(ev.ChildReady(name=CONTROL), 20 * S)
    assert supervisor.next_deadline_ns() == 71 * S


def test_a_deadline_that_comes_while_children_still_answer_is_kept_right_after() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(confirm_s=1), 10 * S)
    supervisor.handle(READY, 10 * S)
    assert supervisor.next_deadline_ns() == 70 * S  # the answers'; else the loop would spin
    assert acts(supervisor.handle(ev.TimePassed(), 11 * S)) == []
    applied(supervisor, 12 * S)
    assert supervisor.next_deadline_ns() == 11 * S
    assert acts(supervisor.handle(ev.TimePassed(), 12 * S))[-1] == do.RenewPrevious()


def test_a_way_back_that_fails_is_tried_again_every_five_seconds() -> None:
    supervisor = waiting()
    supervisor.handle(ev.TimePassed(), 71 * S)
    supervisor.handle(ev.ConfigurationRefused(), 72 * S)
    assert supervisor.next_deadline_ns() == 77 * S
    assert supervisor.handle(ev.ReloadConfirmed(), 73 * S) == [GOING_BACK]
    effects = supervisor.handle(ev.TimePassed(), 77 * S)
    assert effects == [do.NotifySystemd(phase=Phase.RELOADING), do.RenewPrevious()]
    assert acts(supervisor.handle(READY, 78 * S))[0] == do.AdoptConfiguration()


def test_such_a_reload_is_not_remembered_while_another_runs() -> None:
    supervisor = started()
    supervisor.handle(ev.ReloadWanted(), 10 * S)
    reason = "the daemon starts, reloads or upgrades just now: ask again"
    assert supervisor.handle(ev.ReloadWanted(confirm_s=60), 10 * S) == [do.RefuseReload(reason=reason)]
    supervisor.handle(READY, 11 * S)
    applied(supervisor, 11 * S)
    supervisor.handle(ev.UpgradeWanted(), 12 * S)
    assert supervisor.handle(ev.ReloadWanted(confirm_s=60), 12 * S) == [do.RefuseReload(reason=reason)]


def test_a_stop_ends_the_waiting() -> None:
    supervisor = waiting()
    supervisor.handle(ev.StopWanted(), 20 * S)
    supervisor.handle(ev.ChildExited(name=VRRP, status=0), 20 * S)
    supervisor.handle(ev.ChildExited(name=CONTROL, status=0), 20 * S)
    assert supervisor.next_deadline_ns() is None

"""The supervisor: who runs, who is started again and when, who hangs, in which order all stop. Pure.

It starts control, ipvs, checker, vrrp in this order, so that who is listened to is there first; and stops vrrp first,
so that the addresses move to the other node while this one still balances; then checker and ipvs; control
last, so that an operator can watch. Each gets `child_wait_ns`, then SIGKILL; ipvs more while it works (core/child.py).

A child that dies is started again (core/restart.py). Only before the daemon was ready for the first time can a
child's exit status 1, 2 or 4 end the daemon (PROC-10): nothing serves yet, and an operator waits for an answer.
Afterwards no status of a child is a reason to stop the others: they may hold addresses and balance traffic.
"""

from __future__ import annotations

from typing import assert_never

from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.core import effects as do, events as ev, remarks
from pyhad.parent.core.child import NEVER_NS, PATIENCE_NS, RELEASE_PAUSE_NS, Child
from pyhad.parent.core.confirmation import WAITS, Confirmation
from pyhad.parent.core.effects import Effect, Phase
from pyhad.parent.core.events import Event
from pyhad.parent.core.order import START_ORDER, STOP_ORDER, Stage
from pyhad.parent.core.reload import APPLY_WAIT_NS, Reload, ReloadStage
from pyhad.parent.core.replacement import Replacement, hand_over
from pyhad.parent.core.restart import FATAL, PERMANENT, RestartPolicy
from pyhad.parent.core.settings import Settings


class Supervisor:
    """`handle(event, now_ns)` returns what to do; call it again at `next_deadline_ns()` with `TimePassed`."""

    def __init__(self, *, respawn: bool = True) -> None:
        self._respawn = respawn
        self._stage = Stage.STARTING
        self._children = {name: Child(name=name) for name in START_ORDER}
        self._settings: Settings | None = None
        self._reload = Reload()
        self._confirmation = Confirmation()
        self._is_trying = False
        self._replacement = Replacement()
        self._exit_code = 0
        self._effects: list[Effect] = []

    @property
    def _watchdog_ns(self) -> int:
        return self._settings.watchdog_ns if self._settings else PATIENCE_NS

    @property
    def _patience_ns(self) -> int:
        """Of the peers of VRRP; 0: there are none."""
        return self._settings.down_interval_ns if self._settings else 0

    @property
    def observe_every_ns(self) -> int:
        """How often the pulse page must be looked at."""
        return min(max(self._watchdog_ns // 10, 50_000_000), 500_000_000)

    def handle(self, event: Event, now_ns: int) -> list[Effect]:
        """Take one event. Once `Exit` was returned every further event is ignored."""
        self._effects = []
        if self._stage is Stage.ENDED:
            return self._effects
        match event:
            case ev.ConfigurationReady():
                self._configuration_ready(event.settings, now_ns)
            case ev.ConfigurationRefused():
                self._configuration_refused(now_ns)
            case ev.ReloadWanted():
                self._reload_wanted(event.confirm_s)
            case ev.ReloadConfirmed():
                self._effects += self._confirmation.confirmed()
            case ev.ChildrenFound():
                self._children_found(event.children)
            case ev.UpgradeWanted():
                self._upgrade_wanted()
            case ev.UpgradeTried():
                self._upgrade_tried(event.fits)
            case ev.StopWanted():
                self._stop(0, now_ns)
            case ev.ChildReady():
                self._child_ready(event.name, now_ns)
            case ev.ChildApplied():
                self._answered(event.name)
            case ev.ChildExited():
                self._child_exited(self._children[event.name], event.status, now_ns)
            case ev.HeldReleased():
                self._released(self._children[event.name], now_ns)
            case ev.PulsesObserved():
                self._pulses_observed(event.progress, now_ns)
            case ev.ChildStands():
                self._child_stands(event, now_ns)
            case ev.TimePassed():
                self._time_passed(now_ns)
            case _:
                assert_never(event)
        return self._effects

    def next_deadline_ns(self) -> int | None:
        """When `TimePassed` must be said, None when there is nothing to wait for."""
        is_idle = self._reload.stage is ReloadStage.IDLE
        deadlines = [self._reload.give_up_at_ns, self._confirmation.until_ns if is_idle else None]
        for child in self._children.values():
            deadlines += child.deadlines_ns
        return min((at_ns for at_ns in deadlines if at_ns is not None), default=None)

    # ------------------------------------------------------------------------------------ configuration

    def _configuration_ready(self, settings: Settings, now_ns: int) -> None:
        if self._stage is Stage.STOPPING:
            return
        is_first = self._settings is None
        self._settings = settings
        self._effects += self._confirmation.adopted(now_ns)
        if not is_first:
            self._reload.stage, self._reload.give_up_at_ns = ReloadStage.APPLYING, now_ns + APPLY_WAIT_NS
        for name in START_ORDER:
            self._apply(self._children[name], name in settings.needed, now_ns)
        self._note_ready()
        self._replace_next(now_ns)
        if not is_first:
            self._note_applied()
        elif self._reload.again:
            self._reload_over()

    def _apply(self, child: Child, wanted: bool, now_ns: int) -> None:
        child.wanted = wanted
        if wanted and child.name in self._replacement.waiting:
            return  # it may not understand the new document; its successor is born with it
        if child.state in (ProcessState.STARTING, ProcessState.RUNNING):
            if wanted:
                self._effects.append(do.SendDocument(name=child.name))
                self._reload.waiting.add(child.name)
            else:
                self._terminate(child, now_ns)
        elif child.state is ProcessState.BACKOFF and not wanted:
            child.start_at_ns = None
            self._show(child, ProcessState.ABSENT)
        elif child.state in (ProcessState.BACKOFF, ProcessState.ABSENT) and wanted:
            child.policy = RestartPolicy()  # the new configuration may be the cure
            self._start(child, now_ns)
            if self._reload.stage is ReloadStage.APPLYING:
                self._reload.waiting.add(child.name)

    def _configuration_refused(self, now_ns: int) -> None:
        if self._reload.stage is not ReloadStage.COMPILING:
            return
        self._confirmation.refused(now_ns)
        self._effects += [do.ReportReload(accepted=False), do.NotifySystemd(phase=Phase.REFUSED)]
        self._reload_over()

    def _reload_wanted(self, confirm_s: int = 0) -> None:
        if self._stage is Stage.STOPPING:
            return
        is_idle = self._settings is not None and self._is_idle()
        if refusal := self._confirmation.refusal(confirm_s, is_idle=is_idle and not self._is_trying):
            self._effects += refusal
        elif not is_idle:
            self._reload.again = True
        else:
            self._confirmation.asked_s = confirm_s
            self._reload_begins(do.CompileConfiguration())

    def _is_idle(self) -> bool:
        return self._reload.stage is ReloadStage.IDLE and not self._replacement.is_going_on

    def _reload_begins(self, how: do.CompileConfiguration | do.RenewPrevious) -> None:
        self._reload.stage = ReloadStage.COMPILING
        self._effects += [do.NotifySystemd(phase=Phase.RELOADING), how]

    def _answered(self, name: ProcessName) -> None:
        if self._reload.stage is ReloadStage.APPLYING:
            self._reload.waiting.discard(name)
            self._note_applied()

    def _note_applied(self) -> None:
        if self._reload.stage is ReloadStage.APPLYING and not self._reload.waiting:
            self._effects += [*self._confirmation.in_force(), do.NotifySystemd(phase=Phase.RELOADED)]
            self._reload_over()

    def _reload_over(self) -> None:
        again = self._reload.again
        self._reload = Reload()
        if again:
            self._reload_wanted()

    # ---------------------------------------------------------------------------------- life and death

    def _start(self, child: Child, now_ns: int) -> None:
        if child.is_releasing:
            child.starts_when_released(now_ns)
            self._show(child, ProcessState.BACKOFF)
            return
        child.begin(now_ns)
        self._effects.append(do.StartChild(name=child.name))
        self._show(child, ProcessState.STARTING)

    def _show(self, child: Child, state: ProcessState) -> None:
        child.state = state
        self._effects.append(do.ShowProcess(name=child.name, state=state, restarts=child.restarts))

    def _child_ready(self, name: ProcessName, now_ns: int) -> None:
        child = self._children[name]
        if child.state is not ProcessState.STARTING:
            return
        child.turns(now_ns)
        self._show(child, ProcessState.RUNNING)
        self._note_ready()
        if name is ProcessName.CONTROL and self._confirmation.is_open:
            self._effects += self._confirmation.shown()
        self._answered(name)  # it was forked with the document in force
        self._replaced(name, now_ns)

    def _note_ready(self) -> None:
        if self._stage is not Stage.STARTING:
            return
        if all(child.state is ProcessState.RUNNING for child in self._children.values() if child.wanted):
            self._stage = Stage.RUNNING
            self._effects.append(do.NotifySystemd(phase=Phase.READY))

    def _child_exited(self, child: Child, status: int, now_ns: int) -> None:
        was_asked = child.state is ProcessState.STOPPING
        if child.state is ProcessState.RUNNING:
            child.down_since_ns, child.released = now_ns, False
        child.kill_at_ns = None
        self._effects.append(remarks.ended(child, status, now_ns, was_asked=was_asked))
        if self._stage is Stage.STOPPING:
            self._show(child, ProcessState.STOPPED)
            self._stop_next(now_ns)
        elif not child.wanted:
            self._show(child, ProcessState.ABSENT)
        elif was_asked:
            self._start(child, now_ns)  # a second reload wants it again
        elif status in PERMANENT and self._stage is Stage.STARTING and not child.was_ready:
            self._fail("child_failed_for_good", child, status, now_ns)
        elif not self._respawn:
            self._fail("child_not_respawned", child, FATAL, now_ns)
        else:
            self._respawn_child(child, now_ns)
        self._answered(child.name)  # its successor has the document in force
        if not was_asked:
            self._replaced(child.name, now_ns)  # whatever runs next is of the new program

    def _fail(self, event: str, child: Child, code: int, now_ns: int) -> None:
        self._show(child, ProcessState.STOPPED)
        self._effects.append(remarks.warns(event, child=child.name, exit_code=code))
        self._stop(code, now_ns)

    def _respawn_child(self, child: Child, now_ns: int) -> None:
        delay_ns = child.policy.died(started_ns=child.started_ns, now_ns=now_ns)
        if child.is_missed(self._patience_ns, now_ns + delay_ns):
            self._effects.append(child.release(now_ns + delay_ns, now_ns))
            delay_ns = max(delay_ns, RELEASE_PAUSE_NS)
        if delay_ns == 0:
            self._start(child, now_ns)
            return
        child.start_at_ns = now_ns + delay_ns
        self._show(child, ProcessState.BACKOFF)
        self._effects.append(remarks.backs_off(child, delay_ns))

    def _released(self, child: Child, now_ns: int) -> None:
        child.may_start(now_ns)
        if self._stage is Stage.STOPPING:
            self._stop_next(now_ns)

    # ---------------------------------------------------------------------------------------- watchdog

    def _pulses_observed(self, progress: dict[ProcessName, int], now_ns: int) -> None:
        gap_max_ns, watchdog_ns = 2 * self.observe_every_ns, self._watchdog_ns
        for child in self._children.values():
            seen = progress.get(child.name, 0)
            if child.is_silent(seen, now_ns=now_ns, gap_max_ns=gap_max_ns, watchdog_ns=watchdog_ns):
                child.killed = True
                self._effects += [remarks.silent(child), do.KillChild(name=child.name)]

    def _child_stands(self, event: ev.ChildStands, now_ns: int) -> None:
        """While it takes a document its turn may be a long one: then only silence counts."""
        child = self._children[event.name]
        if child.name not in self._reload.waiting and child.is_to_be_dropped(event, now_ns):
            child.killed = True
            self._effects += [remarks.stands(event), do.DropChild(name=child.name)]

    def _time_passed(self, now_ns: int) -> None:
        for child in self._children.values():
            if child.kill_at_ns is not None and now_ns >= child.kill_at_ns:
                child.kill_at_ns = None
                self._effects.append(remarks.warns("child_failed_to_stop", child=child.name))
                self._effects.append(do.KillChild(name=child.name))
            if child.release_until_ns is not None and now_ns >= child.release_until_ns:
                self._released(child, now_ns)
            if child.start_at_ns is not None and now_ns >= child.start_at_ns:
                self._start(child, now_ns)
        if self._reload.give_up_at_ns is not None and now_ns >= self._reload.give_up_at_ns:
            missing = ",".join(sorted(self._reload.waiting))
            self._effects.append(remarks.warns("reload_unanswered", children=missing))
            self._replace_unanswering()
            self._reload.waiting.clear()
            self._note_applied()
        if self._confirmation.is_due(now_ns) and self._is_idle():
            self._effects += self._confirmation.go_back()
            self._reload_begins(do.RenewPrevious())

    def _replace_unanswering(self) -> None:
        """A running child that did not take its document: its successor is born with it."""
        for child in self._children.values():
            if child.name in self._reload.waiting and child.state is ProcessState.RUNNING and not child.killed:
                child.killed = True
                self._effects.append(do.KillChild(name=child.name))

    # ----------------------------------------------------------------------------------------- upgrade

    def _upgrade_wanted(self) -> None:
        is_free = self._is_idle() and not any(child.is_releasing for child in self._children.values())
        if self._stage is not Stage.RUNNING or not is_free or self._is_trying or self._confirmation.is_open:
            reason = WAITS if self._confirmation.is_open else "the daemon starts, stops, reloads or upgrades just now"
            self._effects.append(do.ReportUpgrade(accepted=False, reason=reason))
            return
        self._is_trying = True
        self._effects.append(do.TryProgram())

    def _upgrade_tried(self, fits: bool) -> None:
        self._is_trying = False
        if self._stage is not Stage.RUNNING:
            return
        self._effects.append(do.ReportUpgrade(accepted=fits))
        if fits:
            self._effects += [do.NotifySystemd(phase=Phase.RELOADING), do.Reexecute()]

    def _children_found(self, children: dict[ProcessName, ev.Adopted]) -> None:
        self._stage = Stage.RUNNING
        self._replacement.is_going_on = True
        for name in START_ORDER:
            if name in children:
                child, found = self._children[name], children[name]
                child.adopt(starts=found.restarts + 1, started_ns=found.started_ns)
                self._replacement.waiting.append(name)

    def _replace_next(self, now_ns: int) -> None:
        if not self._settings or not self._replacement.is_going_on or self._replacement.current is not None:
            return
        while self._replacement.waiting and self._replacement.current is None:
            child = self._children[self._replacement.waiting.pop(0)]
            if child.wanted and child.state is ProcessState.RUNNING:
                self._replacement.current = child.name
                child.kill_at_ns = now_ns + child.silence_allowed_ns(self._watchdog_ns)
                self._show(child, ProcessState.STOPPING)
                self._effects.append(hand_over(child.name, self._settings))
        if self._replacement.current is None:
            self._replacement = Replacement()
            self._effects += [do.Remark(event="upgrade_done", fields={}), do.NotifySystemd(phase=Phase.RELOADED)]
            self._reload_over()

    def _replaced(self, name: ProcessName, now_ns: int) -> None:
        if self._replacement.current is not name:
            return
        self._replacement.current = None
        if self._replacement.stop_wanted:
            self._stop(0, now_ns)
        elif self._children[name].state is ProcessState.RUNNING:
            self._replace_next(now_ns)
        else:  # its program is no good: the others go on with theirs
            self._replacement = Replacement()
            self._effects.append(remarks.warns("upgrade_stalled", child=name))
            self._reload_over()

    # -------------------------------------------------------------------------------------------- stop

    def _terminate(self, child: Child, now_ns: int) -> None:
        assert self._settings is not None
        child.ends(now_ns, self._settings.child_wait_ns)
        self._effects.append(do.TerminateChild(name=child.name))
        self._show(child, ProcessState.STOPPING)

    def _stop(self, code: int, now_ns: int) -> None:
        if self._stage is Stage.STOPPING:
            return
        if self._replacement.current is not None:  # nobody could let go of what a child between two programs holds
            self._replacement.stop_wanted = True
            return
        self._replacement = Replacement()
        self._stage, self._exit_code = Stage.STOPPING, code
        self._reload, self._confirmation = Reload(), Confirmation()
        self._effects.append(do.NotifySystemd(phase=Phase.STOPPING))
        for child in self._children.values():
            if child.state is ProcessState.BACKOFF:
                child.start_at_ns = None
                self._show(child, ProcessState.STOPPED)
                if child.is_missed(self._patience_ns, NEVER_NS):
                    self._effects.append(child.release(now_ns, now_ns))
        self._stop_next(now_ns)

    def _stop_next(self, now_ns: int) -> None:
        for group in STOP_ORDER:
            alive = [self._children[name] for name in START_ORDER if name in group and self._children[name].is_alive]
            for child in alive:
                if child.state in (ProcessState.STARTING, ProcessState.RUNNING):
                    self._terminate(child, now_ns)
            if alive:
                return
        self._stage = Stage.ENDED
        self._effects.append(do.Exit(code=self._exit_code))

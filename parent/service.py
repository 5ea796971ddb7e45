"""The parent's loop: signals, children, pulse page, timers, compiler on one side, the supervisor on the other."""

from __future__ import annotations

import collections
import functools
import os
import signal
import time
from collections.abc import Callable
from typing import assert_never

import pyhad
from pyhad.common import lifeline, privileges
from pyhad.common.codec import encode
from pyhad.common.config.model import ParentDocument
from pyhad.common.config.model.process import AroundScript, DaemonSettings
from pyhad.common.confirmation import ConfirmationNotice
from pyhad.common.log import ProcessLog
from pyhad.common.loop import Loop, Timer
from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.around import run_around
from pyhad.parent.children import Children
from pyhad.parent.compiler import Outcome
from pyhad.parent.core import effects as do, events as ev
from pyhad.parent.core.effects import Effect, Phase
from pyhad.parent.core.settings import Wish, settings_of
from pyhad.parent.core.supervisor import Supervisor
from pyhad.parent.dumping import NAMES, Dumper
from pyhad.parent.exits import INTERNAL_ERROR
from pyhad.parent.hang_watch import HangWatch
from pyhad.parent.leftovers import reap_leftovers
from pyhad.parent.options import DEFAULT_UMASK, UPGRADE
from pyhad.parent.pidfiles import PidFiles
from pyhad.parent.reload_clock import ReloadClock
from pyhad.parent.reloading import Configurations
from pyhad.parent.scheduling import Scheduler
from pyhad.parent.setup import Setup, daemon_key
from pyhad.parent.systemd import ServiceManager
from pyhad.parent.upgrade import Upgrade

NOT_FORKED = 71
"""Stands for the exit status of a child that could not be forked (sysexits' EX_OSERR)."""


class Service:
    """The running parent. `announce(code)` is called when the daemon is ready (0) or ends before that."""

    def __init__(self, setup: Setup, *, manager: ServiceManager, announce: Callable[[int], None]) -> None:
        options = setup.options
        self._options = options
        self._run_dir = setup.run_dir
        self._manager = manager
        self._announce = announce
        self._wish = Wish(no_checker=options.no_checker, no_vrrp=options.no_vrrp, all_children=options.all_children)
        self._setup = setup
        self._log = ProcessLog(ProcessName.PARENT, setup.log_of(ProcessName.PARENT))
        self._logger = self._log.logger
        self._loop = Loop()
        self._supervisor = Supervisor(respawn=options.respawn)
        self._pid_files = PidFiles(options)
        self._children = Children(self._loop, setup, on_word=self._child_said, on_exit=self._child_exited)
        self._scheduler = Scheduler(self._loop, self._logger, self._children.pid_of)
        self._configurations = Configurations(
            self._loop,
            setup,
            logger=self._logger,
            on_ready=self._configuration_ready,
            on_refused=lambda: self._handle(ev.ConfigurationRefused()),
        )
        self._upgrade = Upgrade(
            self._loop,
            setup,
            manager=manager,
            scheduler=self._scheduler,
            logger=self._logger,
            on_tried=lambda fits: self._handle(ev.UpgradeTried(fits=fits)),
        )
        self._left = setup.left
        self._dumper, self._clock = self._dumper_of(setup), self._clock_of(setup)
        self._queue: collections.deque[ev.Event] = collections.deque()
        self._is_handling = False
        self._deadline: Timer | None = None
        self._exit_code = INTERNAL_ERROR
        self._hang_watch = HangWatch(self._loop, self._children, self._handle)

    def _dumper_of(self, setup: Setup) -> Dumper:
        log, ask = setup.log_of(ProcessName.PARENT), functools.partial(self._children.say, ProcessName.CONTROL)
        return Dumper(self._loop, setup.run_dir.path, log, ask=ask, logger=self._logger)

    def _clock_of(self, setup: Setup) -> ReloadClock:
        log = setup.log_of(ProcessName.PARENT)
        due = functools.partial(self._want_reload, "reload_time_file")
        return ReloadClock(self._loop, log, setup.account, logger=self._logger, on_due=due)

    # -------------------------------------------------------------------------------------------- life

    def run(self, first: Outcome) -> int:
        """From the first configuration to the end; returns the exit code."""
        assert first.documents is not None
        try:
            self._begin(first)
            self._loop.run()
            return self._exit_code
        finally:
            self._end()

    def _begin(self, first: Outcome) -> None:
        started_ns = time.monotonic_ns()
        self._write_pid_file(ProcessName.PARENT, os.getpid())
        self._set_signals()
        self._children.pulse.write_process(
            ProcessName.PARENT, pid=os.getpid(), started_ns=started_ns, restarts=0, state=ProcessState.RUNNING
        )
        self._logger.info("daemon_started", run_dir=self._run_dir.path, config=self._options.config)
        if self._left is not None:
            self._logger.info("upgrade_took_over", old_version=self._left.version, new_version=pyhad.__version__)
            self._handle(ev.ChildrenFound(children=self._children.adopt(self._left)))
            reap_leftovers(self._loop, [child.pid for child in self._left.children])
        if self._options.without_effect:
            self._logger.warning("option_without_effect", options=" ".join(self._options.without_effect))
        if self._setup.log_files is not None:
            self._setup.log_files.serve(self._loop, lambda: self._logger.warning("log_writer_died"))
        self._loop.each_turn(self._end_of_turn)
        if self._manager.watchdog_ns:
            self._manager.back()
            self._loop.every(self._manager.watchdog_ns // 2, self._manager.beat)
        assert first.documents is not None
        settings = first.documents.parent.settings
        self._set_umask(settings.umask)
        if self._left is None:
            self._run_around(settings.startup, "startup_script", settings)
        self._configurations.take(first)
        self._observe()

    def _run_around(self, script: AroundScript | None, name: str, settings: DaemonSettings) -> None:
        self._log.flush()
        run_around(script, name, settings, logger=self._logger, beat=self._manager.beat)

    def _end(self) -> None:
        self._configurations.abandon()
        if self._configurations.is_in_force:
            settings = self._configurations.in_force.parent.settings
            self._run_around(settings.shutdown, "shutdown_script", settings)
        self._pid_files.remove_all()
        self._run_dir.close()
        self._announce(self._exit_code)
        self._logger.info("daemon_stopped", exit_code=self._exit_code)
        self._log.drain()

    def _end_of_turn(self) -> None:
        self._children.pulse.beat(ProcessName.PARENT, self._loop.lateness)
        self._log.flush()

    # ------------------------------------------------------------------------------------------ events

    def _handle(self, event: ev.Event) -> None:
        """One event at a time: what an effect brings about waits until all effects before it are performed."""
        self._queue.append(event)
        if self._is_handling:
            return
        self._is_handling = True
        while self._queue:
            for effect in self._supervisor.handle(self._queue.popleft(), self._loop.now_ns()):
                self._perform(effect)
        self._is_handling = False
        self._arm()

    def _arm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        at_ns = self._supervisor.next_deadline_ns()
        self._deadline = None if at_ns is None else self._loop.at(at_ns, lambda: self._handle(ev.TimePassed()))

    def _observe(self) -> None:
        self._handle(ev.PulsesObserved(progress=self._children.progress()))
        self._loop.after(self._supervisor.observe_every_ns, self._observe)

    def _child_said(self, name: ProcessName, word: bytes) -> None:
        if word == lifeline.READY:
            self._scheduler.ready(name)
            self._handle(ev.ChildReady(name=name))
        elif word == lifeline.APPLIED:
            self._handle(ev.ChildApplied(name=name))
        elif word == lifeline.UPGRADE and name is ProcessName.CONTROL:
            self._handle(ev.UpgradeWanted())
        elif word == lifeline.RELOAD and name is ProcessName.CONTROL:
            self._want_reload(str(name))
        elif name is ProcessName.CONTROL and (seconds := lifeline.seconds_of(word)):
            self._want_reload(str(name), confirm_s=seconds)
        elif word == lifeline.CONFIRM and name is ProcessName.CONTROL:
            self._handle(ev.ReloadConfirmed())
        else:
            self._logger.warning("word_not_understood", child=str(name), word=repr(word))

    def _want_reload(self, by: str, confirm_s: int = 0) -> None:
        self._logger.info("reload_wanted", by=by, **({"confirm_s": confirm_s} if confirm_s else {}))
        self._handle(ev.ReloadWanted(confirm_s=confirm_s))

    def _child_exited(self, name: ProcessName, status: int) -> None:
        self._pid_files.remove(name)
        self._handle(ev.ChildExited(name=name, status=status))

    def _set_signals(self) -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, UPGRADE, *NAMES, signal.SIGRTMAX):
            signal.signal(number, lambda _number, _frame: None)
        if self._options.ignore_sigint:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGXCPU, lambda _number, _frame: self._scheduler.rest())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._loop.watch(reader, lambda _events: self._signalled(os.read(reader, 256)))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _signalled(self, numbers: bytes) -> None:
        for number in dict.fromkeys(numbers):
            if number in (signal.SIGTERM, signal.SIGINT):
                self._logger.info("stop_wanted", signal=number)
                self._handle(ev.StopWanted())
            elif number == signal.SIGHUP:
                self._want_reload("signal")
            elif number == UPGRADE:
                self._logger.info("upgrade_wanted", by="signal")
                self._handle(ev.UpgradeWanted())
            elif number in NAMES:
                document = self._configurations.in_force.parent
                self._dumper.take(number, document.settings.dumps, daemon_key(self._options.namespace, document))
            elif number == signal.SIGXCPU:
                self._logger.error("realtime_withdrawn", remedy="a reload brings it back")
            else:
                self._logger.warning("signal_without_effect", signal=number)

    # ----------------------------------------------------------------------------------------- effects

    def _perform(self, effect: Effect) -> None:
        match effect:
            case do.StartChild():
                self._start_child(effect.name)
            case do.ReleaseHeld():
                self._release(effect.name)
            case do.TerminateChild():
                self._children.terminate(effect.name)
            case do.KillChild():
                self._children.kill(effect.name)
            case do.DropChild():
                self._children.drop(effect.name)
            case do.ShowProcess():
                self._children.show(effect.name, effect.state, effect.restarts)
            case do.CompileConfiguration():
                self._configurations.compile()
            case do.AdoptConfiguration():
                self._configurations.adopt(keep_previous=effect.keep_previous)
                self._follow(self._configurations.in_force.parent.settings)
                self._scheduler.follow(self._configurations.in_force.parent.processes)
            case do.SendDocument():
                self._children.say(effect.name, lifeline.DOCUMENT, self._configurations.in_force.fds[effect.name])
            case do.ReportReload():
                self._report_reload(effect.accepted)
            case do.RenewPrevious() | do.ForgetPrevious() | do.ShowConfirmation() | do.RefuseReload():
                self._perform_confirmation(effect)
            case do.HandOver() | do.TryProgram() | do.Reexecute() | do.ReportUpgrade():
                self._perform_upgrade(effect)
            case do.NotifySystemd():
                self._notify(effect.phase)
            case do.Remark():
                log = self._logger.warning if effect.warning else self._logger.info
                log(effect.event, **effect.fields)
            case do.Exit():
                self._exit_code = effect.code
                if effect.code:
                    self._manager.failed(effect.code)
                self._loop.stop()
            case _:
                assert_never(effect)

    def _start_child(self, name: ProcessName) -> None:
        self._log.flush()  # our lines stand before those of the child
        try:
            in_force = self._configurations.in_force
            title = in_force.parent.settings.process_names.get(name, "")
            pid = self._children.start(name, in_force.content(name), self._scheduler.settings_of(name), title)
        except OSError as error:
            self._logger.error("child_not_started", child=str(name), error=str(error))
            self._handle(ev.ChildExited(name=name, status=NOT_FORKED))
            return
        self._scheduler.started(name, pid)
        self._logger.info("child_started", child=str(name), child_pid=pid)
        self._write_pid_file(name, pid)

    def _release(self, name: ProcessName) -> None:
        def ended(took_too_long: bool) -> None:
            if took_too_long:
                self._logger.error("release_took_too_long", child=str(name))
            self._handle(ev.HeldReleased(name=name))

        try:
            pid = self._children.release(name, self._configurations.in_force.content(name), ended)
        except OSError as error:
            self._logger.error("release_not_started", child=str(name), error=str(error))
            self._handle(ev.HeldReleased(name=name))
        else:
            self._scheduler.started(name, pid)
            self._logger.warning("release_started", child=str(name), child_pid=pid)

    def _follow(self, settings: DaemonSettings) -> None:
        """What the configuration in force says of this process."""
        self._set_umask(settings.umask)
        privileges.set_process_name(settings.process_names.get(ProcessName.PARENT, "pyhad"))
        self._clock.configure(settings.reload_time_file, settings.reload_repeat)

    def _set_umask(self, named: int | None) -> None:
        """Of what is forked from now on: scripts, dumps (CLI-12)."""
        asked = self._options.umask
        os.umask(asked if asked is not None else DEFAULT_UMASK if named is None else named)

    def _write_pid_file(self, name: ProcessName, pid: int) -> None:
        try:
            self._pid_files.write(name, pid)
        except OSError as error:  # a missing PID file is no reason to serve nobody
            self._logger.warning("pid_file_not_written", of=str(name), error=str(error))

    def _notify(self, phase: Phase) -> None:
        match phase:
            case Phase.READY | Phase.RELOADED:
                self._manager.ready("serving", os.getpid())
                if phase is Phase.READY:
                    self._logger.info("daemon_ready")
                    self._announce(0)
            case Phase.RELOADING:
                self._manager.reloading()
            case Phase.REFUSED:
                self._manager.ready("serving; the last reload was refused", os.getpid())
            case Phase.STOPPING:
                self._manager.stopping()

    # ------------------------------------------------------------------------------------------ reload

    def _configuration_ready(self, document: ParentDocument) -> None:
        settings = settings_of(document, self._wish)
        self._logger.info(
            "configuration_compiled",
            generation=document.generation,
            warnings=document.warnings,
            children=",".join(sorted(settings.needed)),
            watchdog_ms=settings.watchdog_ns // 1_000_000,
        )
        if len(settings.needed) == 1:  # PROC-1
            self._logger.warning("nothing_configured")
        self._handle(ev.ConfigurationReady(settings=settings))
        self._hang_watch.follow(settings.limits)

    def _perform_upgrade(self, effect: do.HandOver | do.TryProgram | do.Reexecute | do.ReportUpgrade) -> None:
        match effect:
            case do.HandOver(name=name, at_once=at_once):
                (self._children.drop if at_once else self._children.hand_over)(name)
            case do.TryProgram():
                self._upgrade.try_program()
            case do.Reexecute():
                self._log.drain()
                self._upgrade.become(self._children, self._configurations.in_force)
            case do.ReportUpgrade():
                self._report_upgrade(effect)

    def _perform_confirmation(
        self, effect: do.RenewPrevious | do.ForgetPrevious | do.ShowConfirmation | do.RefuseReload
    ) -> None:
        match effect:
            case do.RenewPrevious():
                self._configurations.renew_previous()
            case do.ForgetPrevious():
                self._configurations.forget_previous()
            case do.ShowConfirmation():
                notice = ConfirmationNotice(state=effect.state, until_ns=effect.until_ns)
                self._tell_control(lifeline.CONFIRMATION, encode(notice))
            case do.RefuseReload():
                self._logger.warning("reload_not_done", reason=effect.reason)
                self._tell_control(lifeline.BUSY, effect.reason.encode())

    def _report_upgrade(self, told: do.ReportUpgrade) -> None:
        if told.accepted:
            self._children.say(ProcessName.CONTROL, lifeline.UPGRADING)
            return
        report = f"{told.reason}\n" if told.reason else self._upgrade.report
        self._logger.warning("upgrade_not_done", reason=told.reason or "see upgrade_refused")
        self._tell_control(lifeline.KEPT, report.encode("utf-8", "replace"))

    def _tell_control(self, word: bytes, content: bytes) -> None:
        fd = lifeline.write_memfd("pyhad_report", content)
        self._children.say(ProcessName.CONTROL, word, fd)
        os.close(fd)

    def _report_reload(self, accepted: bool) -> None:
        if accepted:
            self._logger.info("configuration_in_force", generation=self._configurations.in_force.parent.generation)
        word = lifeline.RELOADED if accepted else lifeline.REFUSED
        self._tell_control(word, self._configurations.report.encode("utf-8", "replace"))

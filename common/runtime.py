"""What the parent gives a child, and the frame in which every child runs.

`ChildContext` is made by the parent before the fork. `Runtime` turns it into a process: rights given up, log, loop,
pulse, lifeline, signals, ZeroMQ context. A room's `main(context)` builds a Runtime, its service, and calls `run()`.
"""

from __future__ import annotations

import collections
import gc
import os
import signal
import socket
from collections.abc import Callable

from pyhad.common import lifeline, privileges
from pyhad.common.blackbox import BlackBox
from pyhad.common.bus import Context
from pyhad.common.config.model.scheduling import ProcessSettings
from pyhad.common.log import FilteringBoundLogger, LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.common.memory import lock_memory, uncollected
from pyhad.common.pulse import PulsePage
from pyhad.common.records import dataclass, field
from pyhad.common.states import ProcessName
from pyhad.common.timerfd import TimerFd

TICK_NS = 200_000_000
"""Every loop turns at least this often, so that silence on the pulse page means trouble."""


@dataclass(slots=True, kw_only=True)
class ChildOptions:
    """Switches of the command line that change what children do."""

    keep_vips_at_exit: bool = False
    """`-V` (CLI-14): leave VIPs and send no priority 0."""
    keep_ipvs_at_exit: bool = False
    """`-I` (CLI-15)."""
    release_foreign_vips: bool = False
    """`-X` (CLI-13)."""
    log_addresses: bool = False
    """`-a` (CLI-20)."""


@dataclass(slots=True, kw_only=True)
class ChildContext:
    """All that a child inherits on purpose."""

    name: ProcessName
    parent_pid: int
    run_dir: str
    document: bytes
    """Its part of the configuration, encoded (see `common.config.model`)."""
    pulse: PulsePage
    box: BlackBox
    lifeline: socket.socket
    log: LogSettings
    account: tuple[str, int, int]
    """(name, uid, gid) for children without privilege."""
    options: ChildOptions
    listeners: dict[str, int]
    """Listening unix sockets by channel name, only those of this child."""
    settings: ProcessSettings = field(default_factory=lambda: ProcessSettings(name=""))
    """How it is to run."""
    icmp4: int = -1
    icmp6: int = -1
    """Raw ICMP sockets for the checker, -1 where there is none."""
    process_name: str = ""
    """What `ps` calls it; empty: `pyhad_` and its name."""
    home_namespace: int = -1
    """IPVS owner only: the network namespace that the daemon was started in."""
    overdue: int = -1
    """A timer that the parent hears when a turn of the loop does not come (`PulsePage.grace_ns`); -1: none."""


class Runtime:
    """A running child. Build it first thing in `main`; nothing before it may open files or sockets."""

    def __init__(
        self,
        context: ChildContext,
        *,
        as_root: bool,
        keep: frozenset[int],
        programs: frozenset[int] = frozenset(),
    ) -> None:
        """`keep` and `programs` as for `privileges.drop`."""
        self.context = context
        self.name = context.name
        self.on_stop: Callable[[], None] = self.finish
        """Runs once when an orderly stop is wanted; must end in `finish()`."""
        self.on_document: Callable[[bytes], None] = lambda document: None
        """Runs with a new configuration document (encoded); the parent hears APPLIED when it returns."""
        self.on_descriptor: Callable[[int], None] = lambda descriptor: None
        """Runs before `on_document` with the memfd itself, which stays ours: for who must see that it is genuine."""
        self.on_report: Callable[[bool, str], None] = lambda ok, report: None
        """Control only: a reload that was asked for is done."""
        self.on_upgrade: Callable[[bool, str], None] = lambda ok, report: None
        """Control only: an upgrade that was asked for begins, or was refused and why."""
        self.on_confirmation: Callable[[bytes, bytes], None] = lambda word, content: None
        """Control only: BUSY with its reason, or CONFIRMATION with its encoded `ConfirmationNotice`."""
        self.on_dump: Callable[[str, int], None] = lambda name, fd: os.close(fd)
        """Control only: a signal asks for the dump `name`; its texts go to the socket `fd`."""
        self.counters: collections.Counter[str] = collections.Counter()
        self.parent_is_gone = False
        """True when the stop was not ordered: the parent died, so nobody keeps the order among the children."""
        self._exit_code, self._stop_wanted = 0, False
        privileges.set_process_name(context.process_name or f"pyhad_{context.name}")
        _, uid, gid = ("root", os.geteuid(), os.getegid()) if as_root else context.account
        self.log = ProcessLog(context.name, context.log)
        self.logger: FilteringBoundLogger = self.log.logger
        self._lock_memory(context.settings)
        privileges.drop(uid=uid, gid=gid, keep=keep, programs=programs)
        privileges.die_with_parent(context.parent_pid)
        gc.freeze()
        self.loop, self.bus = Loop(), Context()
        self._begin_to_turn()

    def _begin_to_turn(self) -> None:
        self._overdue = TimerFd(self.context.overdue) if self.context.overdue >= 0 else None
        self._due_ns = 0
        self._set_signals()
        self.loop.watch(self.context.lifeline.fileno(), self._hear)
        self.loop.every(TICK_NS, self._tick)
        self.loop.each_turn(self._end_of_turn)

    def _lock_memory(self, settings: ProcessSettings) -> None:
        if settings.lock_memory and (why := lock_memory()):
            (self.logger.warning if settings.lock_wanted else self.logger.info)("memory_not_locked", error=why)

    def path(self, relative: str) -> str:
        """A path below the run directory."""
        return os.path.join(self.context.run_dir, relative)

    def ready(self) -> None:
        """Tell the parent that the work is being done."""
        lifeline.say(self.context.lifeline, lifeline.READY)
        self.logger.info("process_ready")

    def ask_reload(self, confirm_s: int = 0) -> bool:
        """Control only: ask the parent for a reload; `confirm_s` not 0: one to be confirmed within so many seconds."""
        word = lifeline.RELOAD_FOR + b"%d" % confirm_s if confirm_s else lifeline.RELOAD
        return lifeline.say(self.context.lifeline, word)

    def ask_confirm(self) -> bool:
        """Control only: tell the parent that the configuration of the last reload stays."""
        return lifeline.say(self.context.lifeline, lifeline.CONFIRM)

    def ask_upgrade(self) -> bool:
        """Control only: ask the parent to go on as the program that is installed now."""
        return lifeline.say(self.context.lifeline, lifeline.UPGRADE)

    def run(self) -> int:
        """Turn until `finish()`; returns the exit code."""
        self.loop.run()
        self.logger.info("process_stopped", exit_code=self._exit_code)
        self.log.drain()
        self.bus.close()
        return self._exit_code

    def finish(self, exit_code: int = 0) -> None:
        """End the loop at the end of this turn."""
        self._exit_code = exit_code
        self.loop.stop()

    def _tick(self) -> None:
        """Nothing to do: the turn itself is the sign of life."""

    def _step(self) -> None:
        self.context.pulse.step(self.name)

    def _end_of_turn(self) -> None:
        due_ns, pulse = self.loop.next_ns(), self.context.pulse
        pulse.beat(self.name, self.loop.lateness, due_ns)
        if self._overdue is not None and due_ns != self._due_ns:
            self._due_ns, grace_ns = due_ns, pulse.grace_ns(self.name)
            self.loop.each_action = self._step if grace_ns else None
            if grace_ns:
                self._overdue.move(due_ns + grace_ns)
        self.log.flush()

    def _set_signals(self) -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(ignored, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self.loop.watch(reader, lambda _events: self._signalled(reader))

    def _signalled(self, reader: int) -> None:
        """SIGTERM from a parent that died means stop. While it lives only its word counts, so that a signal to the
        whole process group (systemd, `timeout`, a container's stop) still ends the children in their order."""
        if signal.SIGTERM not in os.read(reader, 64):
            return
        if os.getppid() != self.context.parent_pid:
            self.parent_is_gone = True
            self._want_stop()
        else:
            self.logger.info("signal_left_to_parent", signal=int(signal.SIGTERM))

    def _hear(self, _events: int) -> None:
        while (heard := lifeline.hear(self.context.lifeline)) is not None:
            word, fd = heard
            if word.startswith(lifeline.DUMP) and fd >= 0:
                self.on_dump(word.removeprefix(lifeline.DUMP).decode("ascii", "replace"), fd)
                continue
            if word == lifeline.DOCUMENT and fd >= 0:
                self.on_descriptor(fd)
            content = lifeline.read_memfd(fd) if fd >= 0 else b""
            if word == lifeline.DOCUMENT:
                with uncollected():
                    self.on_document(content)
                lifeline.say(self.context.lifeline, lifeline.APPLIED)
            elif word in (lifeline.RELOADED, lifeline.REFUSED):
                self.on_report(word == lifeline.RELOADED, content.decode("utf-8", "replace"))
            elif word in (lifeline.UPGRADING, lifeline.KEPT):
                self.on_upgrade(word == lifeline.UPGRADING, content.decode("utf-8", "replace"))
            elif word in (lifeline.BUSY, lifeline.CONFIRMATION):
                self.on_confirmation(word, content)
            elif word == lifeline.HAND_OVER:
                self.finish()
            elif word == lifeline.STOP:
                self._want_stop()
            elif word == b"":
                self.loop.unwatch(self.context.lifeline.fileno())
                self.parent_is_gone = True  # its descriptors close a moment before we get another parent
                self._want_stop()
                return

    def _want_stop(self) -> None:
        if not self._stop_wanted:
            self._stop_wanted = True
            self.on_stop()

"""The children as processes: fork, lifeline, pidfd, pulse page, black boxes. Decides nothing."""

from __future__ import annotations

import dataclasses
import importlib
import os
import signal
import socket
import time
from collections.abc import Callable

from pyhad.common import lifeline
from pyhad.common.config.model.scheduling import ProcessSettings
from pyhad.common.loop import Loop
from pyhad.common.records import dataclass
from pyhad.common.runtime import ChildContext, ChildOptions
from pyhad.common.states import ProcessName, ProcessState
from pyhad.common.timerfd import TimerFd
from pyhad.parent.baton import Baton, LeftChild
from pyhad.parent.core.events import Adopted
from pyhad.parent.fork import fork_into, watch_of
from pyhad.parent.options import Options
from pyhad.parent.rooms import Room
from pyhad.parent.setup import Setup
from pyhad.parent.shared import Shared

RELEASE_PATIENCE_NS = 4_900_000_000
"""Less than the pause before the next start (core/child.py)."""
_SO_RCVBUFFORCE = 33
_ICMP_BUFFER_BYTES = 4 * 1024 * 1024
"""Replies to thousands of pings of one moment; what the kernel gives everybody holds some 300. Counted twice by it."""


@dataclass(slots=True, kw_only=True)
class _Process:
    """One running child."""

    pid: int
    pidfd: int
    lifeline: socket.socket
    started_ns: int


class Children:
    """All children of this daemon. `on_word(name, word)` and `on_exit(name, status)` run from the loop."""

    def __init__(
        self,
        loop: Loop,
        setup: Setup,
        *,
        on_word: Callable[[ProcessName, bytes], None],
        on_exit: Callable[[ProcessName, int], None],
    ) -> None:
        self.shared = Shared(setup.rooms, setup.left)
        self.pulse = self.shared.pulse
        self.overdue = TimerFd()
        """The VRRP child moves it on with each turn of its loop."""
        self._loop = loop
        self._setup = setup
        self._rooms = {room.name: room for room in setup.rooms}
        self._on_word = on_word
        self._on_exit = on_exit
        self._processes: dict[ProcessName, _Process] = {}
        self._icmp: dict[int, socket.socket] = {}

    def start(self, name: ProcessName, document: bytes, settings: ProcessSettings, process_name: str = "") -> int:
        """Fork the child; returns its pid. `process_name` is what `ps` calls it, if not the usual. Raises OSError."""
        room = self._rooms[name]
        parent_end, child_end = lifeline.pair()
        if name is ProcessName.CHECKER:
            self._open_icmp()
        made = self._context(room, document, child_end, process_name)
        context = dataclasses.replace(made, settings=settings)
        keep = [child_end.fileno(), *context.listeners.values(), context.icmp4, context.icmp6]
        keep += [context.home_namespace, context.overdue]

        def work() -> int:
            result: int = importlib.import_module(room.module).main(context)
            return result

        started_ns = time.monotonic_ns()
        try:
            pid = fork_into(work, keep=keep, name=name, log=context.log)
            pidfd = watch_of(pid)
        except OSError:
            parent_end.close()
            raise
        finally:
            child_end.close()
        self._watch(name, _Process(pid=pid, pidfd=pidfd, lifeline=parent_end, started_ns=started_ns))
        return pid

    def adopt(self, left: Baton) -> dict[ProcessName, Adopted]:
        """Children of the program before this one are ours now; the dead ones among them are heard of as usual."""
        for family, fd in left.icmp.items():
            self._icmp[int(family)] = socket.socket(fileno=fd)
        found: dict[ProcessName, Adopted] = {}
        for child in left.children:
            if child.name not in self._rooms:  # this version has no such process
                os.kill(child.pid, signal.SIGTERM)
                continue
            name, pidfd = ProcessName(child.name), os.pidfd_open(child.pid)
            end = socket.socket(fileno=child.lifeline)
            self._watch(name, _Process(pid=child.pid, pidfd=pidfd, lifeline=end, started_ns=child.started_ns))
            found[name] = Adopted(started_ns=child.started_ns, restarts=child.restarts)
            self.show(name, ProcessState.RUNNING, child.restarts)
        return found

    def left(self) -> tuple[LeftChild, ...]:
        """The running children, for the baton."""
        return tuple(
            LeftChild(
                name=name,
                pid=process.pid,
                lifeline=process.lifeline.fileno(),
                started_ns=process.started_ns,
                restarts=self.pulse.read(name).restarts,
            )
            for name, process in self._processes.items()
        )

    def left_icmp(self) -> dict[str, int]:
        """Raw ICMP sockets, for the baton."""
        return {str(int(family)): made.fileno() for family, made in self._icmp.items()}

    def _watch(self, name: ProcessName, process: _Process) -> None:
        self._processes[name] = process
        self._loop.watch(process.lifeline.fileno(), lambda _events: self._hear(name, process))
        self._loop.watch(process.pidfd, lambda _events: self._reap(name, process))

    def release(self, name: ProcessName, document: bytes, on_end: Callable[[bool], None]) -> int:
        """Fork the last resort of a dead child; returns its pid, 0 if it has none. Raises OSError.

        `on_end(took_too_long)` runs when it is gone.
        """
        room = self._rooms[name]
        if not room.last_resort:
            return 0
        parent_end, child_end = lifeline.pair()
        context = self._context(room, document, child_end)

        def work() -> int:
            result: int = importlib.import_module(room.last_resort).main(context)
            return result

        try:
            pid = fork_into(work, keep=[], name=name, log=context.log)
            pidfd = watch_of(pid)
        finally:
            parent_end.close()
            child_end.close()
        late = self._loop.after(RELEASE_PATIENCE_NS, lambda: signal.pidfd_send_signal(pidfd, signal.SIGKILL))

        def reap(_events: int) -> None:
            took_too_long = late.action is None
            late.cancel()
            self._loop.unwatch(pidfd)
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
            os.close(pidfd)
            on_end(took_too_long)

        self._loop.watch(pidfd, reap)
        return pid

    def say(self, name: ProcessName, word: bytes, fd: int = -1) -> bool:
        """One word to a child; False when it does not take it."""
        process = self._processes.get(name)
        return process is not None and lifeline.say(process.lifeline, word, fd)

    def terminate(self, name: ProcessName) -> None:
        """Ask for an orderly stop. A child that does not hear is killed when its time is over."""
        self.say(name, lifeline.STOP)

    def hand_over(self, name: ProcessName) -> None:
        """Ask it to end at once and leave everything as it is."""
        self.say(name, lifeline.HAND_OVER)

    def kill(self, name: ProcessName) -> None:
        """SIGKILL."""
        self._signal(name, signal.SIGKILL)

    def drop(self, name: ProcessName) -> None:
        """SIGKILL, and it counts as gone: its threads may take long to end, but none of them runs our code any more."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        signal.pidfd_send_signal(process.pidfd, signal.SIGKILL)
        self._loop.unwatch(process.lifeline.fileno())
        process.lifeline.close()

        def reap(_events: int) -> None:
            self._loop.unwatch(process.pidfd)
            os.waitid(os.P_PIDFD, process.pidfd, os.WEXITED)
            os.close(process.pidfd)

        self._loop.watch(process.pidfd, reap)
        self._on_exit(name, -signal.SIGKILL)

    def show(self, name: ProcessName, state: ProcessState, restarts: int) -> None:
        """Write the parent's half of the pulse page."""
        process = self._processes.get(name)
        self.pulse.write_process(
            name,
            pid=process.pid if process else 0,
            started_ns=process.started_ns if process else 0,
            restarts=restarts,
            state=state,
        )

    def pid_of(self, name: ProcessName) -> int:
        """0 while there is none."""
        process = self._processes.get(name)
        return process.pid if process else 0

    def progress(self) -> dict[ProcessName, int]:
        """The progress counters as they are now."""
        return {name: self.pulse.read(name).progress for name in self._processes}

    def _context(self, room: Room, document: bytes, child_end: socket.socket, process_name: str = "") -> ChildContext:
        setup = self._setup
        return ChildContext(
            name=room.name,
            parent_pid=os.getpid(),
            run_dir=setup.run_dir.path,
            document=document,
            pulse=self.pulse,
            box=self.shared.box_for_successor(room.name),
            lifeline=child_end,
            log=setup.log_of(room.name),
            process_name=process_name,
            home_namespace=setup.home_namespace if room.name is ProcessName.IPVS else -1,
            overdue=self.overdue.fd if room.name is ProcessName.VRRP else -1,
            account=setup.account,
            options=_child_options(setup.options),
            listeners=setup.run_dir.listeners_of(room.name),
            icmp4=self._icmp_fd(room.name, socket.AF_INET),
            icmp6=self._icmp_fd(room.name, socket.AF_INET6),
        )

    def _open_icmp(self) -> None:
        for family, protocol in ((socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET6, socket.IPPROTO_ICMPV6)):
            if family not in self._icmp:
                try:
                    self._icmp[family] = socket.socket(
                        family, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, protocol
                    )
                    self._icmp[family].setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ICMP_BUFFER_BYTES)
                except OSError:  # not permitted or no IPv6 here: the checker says so when it needs it
                    pass

    def _icmp_fd(self, name: ProcessName, family: int) -> int:
        if name is not ProcessName.CHECKER or family not in self._icmp:
            return -1
        return self._icmp[family].fileno()

    def _signal(self, name: ProcessName, number: int) -> None:
        process = self._processes.get(name)
        if process is not None:
            try:
                signal.pidfd_send_signal(process.pidfd, number)
            except ProcessLookupError:  # gone already: the pidfd will say so
                pass

    def _hear(self, name: ProcessName, process: _Process) -> None:
        while (heard := lifeline.hear(process.lifeline)) is not None:
            word, fd = heard
            if fd >= 0:  # children send none
                os.close(fd)
            if word == b"":
                self._loop.unwatch(process.lifeline.fileno())
                return
            self._on_word(name, word)

    def _reap(self, name: ProcessName, process: _Process) -> None:
        self._hear(name, process)  # what it said before it died
        ended = os.waitid(os.P_PIDFD, process.pidfd, os.WEXITED | os.WNOHANG)
        if ended is None:
            return
        self._loop.unwatch(process.lifeline.fileno())
        self._loop.unwatch(process.pidfd)
        process.lifeline.close()
        os.close(process.pidfd)
        del self._processes[name]
        status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        self._on_exit(name, status)


def _child_options(options: Options) -> ChildOptions:
    return ChildOptions(
        keep_vips_at_exit=options.keep_vips_at_exit,
        keep_ipvs_at_exit=options.keep_ipvs_at_exit,
        release_foreign_vips=options.release_foreign_vips,
        log_addresses=options.log_addresses,
    )

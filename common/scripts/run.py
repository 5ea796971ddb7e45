"""One program on its way, in a session of its own, watched by its pidfd, with a deadline. Decides no order.

At the deadline the whole process group gets TERM, and KILL two seconds later (TRK-13); what a program told to go left
behind goes with it. Only for the script helper: starting a program waits for its exec.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Callable

from pyhad.common.config.model.tracking import Program
from pyhad.common.loop import Loop, Timer
from pyhad.common.records import dataclass
from pyhad.common.scripts import path as script_path
from pyhad.common.scripts.orders import Rules

KILL_AFTER_NS = 2_000_000_000
NOT_RUN = 127
_LEFT_OUT = ("IFS", "LD_PRELOAD", "LD_LIBRARY_PATH")
_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: exit status, or minus the signal. `detail` is set when it was not run at all."""

    status: int
    timed_out: bool = False
    detail: str = ""


class Run:
    """A program that runs."""

    def __init__(
        self, runner: Runner, process: subprocess.Popen[bytes], timeout_ns: int, on_end: Callable[[Outcome], None]
    ) -> None:
        self.on_timeout: Callable[[], None] = lambda: None
        """Runs at the deadline, for the program may stay for longer than it is asked to."""
        self._runner = runner
        self._process = process
        self._on_end = on_end
        self._timed_out = False
        self._told_to_go = False
        self._timers: list[Timer] = []
        self._pidfd = os.pidfd_open(process.pid)
        runner.loop.watch(self._pidfd, self._ended)
        if timeout_ns:
            self._timers.append(runner.loop.after(timeout_ns, self._expire))

    def terminate(self) -> None:
        """TERM to the group now, KILL in two seconds."""
        if not self._told_to_go:
            self._told_to_go = True
            self._signal(signal.SIGTERM)
            self._timers.append(self._runner.loop.after(KILL_AFTER_NS, lambda: self._signal(signal.SIGKILL)))

    def _expire(self) -> None:
        self._timed_out = True
        self.terminate()
        self.on_timeout()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass

    def _ended(self, _events: int) -> None:
        if self._told_to_go:  # so is what it left behind, while the number is still ours
            self._signal(signal.SIGKILL)
        status = self._process.wait()
        for timer in self._timers:
            timer.cancel()
        self._runner.loop.unwatch(self._pidfd)
        os.close(self._pidfd)
        self._runner.running.discard(self)
        self._on_end(Outcome(status=status, timed_out=self._timed_out))


class Runner:
    """Starts programs as their users, after a look at their path. `warn(event, path, detail)` tells what is unsafe."""

    def __init__(self, loop: Loop, warn: Callable[[str, str, str], None]) -> None:
        self.loop = loop
        self.rules = Rules(script_security=False, keep_links=False)
        self.running: set[Run] = set()
        self._warn = warn
        self._warned: set[str] = set()

    def start(self, program: Program, timeout_ns: int, on_end: Callable[[Outcome], None]) -> Run | None:
        """None when it cannot be run: `on_end` has been told then. `timeout_ns` 0: it may run for ever."""
        try:
            process = self._spawn(program)
        except script_path.Unfit as unfit:
            on_end(Outcome(status=NOT_RUN, detail=str(unfit)))
            return None
        except (OSError, subprocess.SubprocessError) as error:
            on_end(Outcome(status=NOT_RUN, detail=str(error)))
            return None
        run = Run(self, process, timeout_ns, on_end)
        self.running.add(run)
        return run

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        path = script_path.find(program.argv[0], keep_links=self.rules.keep_links)
        if program.uid == 0:
            self._look_at(path)
        argv = [path, *program.argv[1:]]
        try:
            return _popen(argv, program)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        return _popen([_SHELL, *argv], program)  # no #! and no magic (NTF-4)

    def _look_at(self, path: str) -> None:
        try:
            if self.rules.keep_links:
                script_path.require_safe_links(path)
            else:
                script_path.require_safe(path)
        except script_path.Unfit as unfit:
            if self.rules.script_security:
                raise
            if path not in self._warned:
                self._warned.add(path)
                self._warn("script_insecure", path, f"{unfit}; it runs, for enable_script_security is off")


def _popen(argv: list[str], program: Program) -> subprocess.Popen[bytes]:
    ours = (os.geteuid(), os.getegid(), tuple(os.getgroups()))
    own = os.geteuid() != 0 or ours == (program.uid, program.gid, program.groups)  # no fork of all our pages then
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name not in _LEFT_OUT},
        cwd="/",
        start_new_session=True,
        user=None if own else program.uid,
        group=None if own else program.gid,
        extra_groups=None if own else program.groups,
    )

"""MISC_CHECK: one program per probe, in its own session, watched by its pidfd (CHK-60 to CHK-63).

A program that takes too long gets TERM to its whole group, KILL two seconds later. The check hears of the failure at
the deadline; as long as the old program is not gone, its next probe fails instead of starting a second one.
"""

from __future__ import annotations

import errno
import os
import signal

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.deadlines import Deadlines
from pyhad.checker_proc.probe import Owner
from pyhad.common.config.model import MiscCheck
from pyhad.common.loop import Loop

KILL_AFTER_NS = 2_000_000_000
_WEIGHT_OFFSET = 2
_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
_TO_NULL = [
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]
_OUR_OWN = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


class MiscProbe:
    """One program on its way. It holds one descriptor (the pidfd) until the program is gone."""

    __slots__ = ("_dynamic", "_is_told", "_loop", "_pidfd", "_programs", "_started_ns", "expires_ns",
                 "is_done", "owner", "pid")  # fmt: skip

    def __init__(self, programs: Programs, loop: Loop, check: MiscCheck, owner: Owner, pid: int, now_ns: int) -> None:
        self._programs = programs
        self._loop = loop
        self.owner = owner
        self._dynamic = check.dynamic
        self._started_ns = now_ns
        self._is_told = False
        self.pid = pid
        self.expires_ns = 0
        self.is_done = False
        self._pidfd = os.pidfd_open(pid)
        loop.watch(self._pidfd, self._ended)

    def expire(self) -> None:
        """It took too long: TERM now, KILL in two seconds."""
        if self._is_told:
            return
        self.terminate()
        self._tell(ProbeFailed(reason=Reason.TIMEOUT, latency_ns=self._loop.now_ns() - self._started_ns))

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if not self.is_done:
            self._is_told = True
            self.terminate()

    def terminate(self) -> None:
        """TERM to the group; KILL follows."""
        self._signal(signal.SIGTERM)
        self._loop.after(KILL_AFTER_NS, self.kill)

    def kill(self) -> None:
        """KILL to the group. Harmless when it is gone."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.is_done:  # reaped: the number may be somebody else's by now
            return
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):  # not yet a group of its own, or it changed its user
            pass

    def _ended(self, _events: int) -> None:
        if self._is_told:  # was told to go: so are those it left behind, while its number is still ours
            self._signal(signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.is_done = True
        self._loop.unwatch(self._pidfd)
        os.close(self._pidfd)
        self._programs.gone(self)
        self._tell(self._result_of(os.waitstatus_to_exitcode(status)))

    def _result_of(self, code: int) -> Result:
        """CHK-60, CHK-61. A negative code is the signal that ended it."""
        latency_ns = self._loop.now_ns() - self._started_ns
        if code == 0:
            return ProbeSucceeded(latency_ns=latency_ns)
        if code >= _WEIGHT_OFFSET and self._dynamic:
            return ProbeSucceeded(latency_ns=latency_ns, weight=code - _WEIGHT_OFFSET)
        reason = Reason.EXIT_STATUS if code > 0 else Reason.KILLED_BY_SIGNAL
        return ProbeFailed(reason=reason, latency_ns=latency_ns)

    def _tell(self, result: Result) -> None:
        if not self._is_told:
            self._is_told = True
            self.owner.take(result)


class Programs:
    """All programs that run for checks, never two for the same check at once."""

    def __init__(self, loop: Loop, deadlines: Deadlines) -> None:
        self._loop = loop
        self._deadlines = deadlines
        self._running: dict[Owner, MiscProbe] = {}

    def start(self, check: MiscCheck, owner: Owner, now_ns: int) -> MiscProbe | ProbeFailed | ProbeImpossible:
        """Run the program once. A result instead of a probe is the end."""
        if owner in self._running:
            return ProbeFailed(reason=Reason.PREVIOUS_RUN_LINGERS)
        try:
            pid = os.posix_spawn(
                check.argv[0], check.argv, os.environ, file_actions=_TO_NULL, setsid=True, setsigmask=(),
                setsigdef=_SIGNALS,
            )  # fmt: skip
        except OSError as error:
            if error.errno in _OUR_OWN:
                return ProbeImpossible(reason=Reason.NO_RESOURCES)
            return ProbeFailed(reason=Reason.CANNOT_RUN)
        try:
            probe = MiscProbe(self, self._loop, check, owner, pid, now_ns)
        except OSError:  # no descriptor left for the pidfd
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return ProbeImpossible(reason=Reason.NO_RESOURCES)
        self._running[owner] = probe
        self._deadlines.add(probe, check.timeout_ns, now_ns)
        return probe

    def gone(self, probe: MiscProbe) -> None:
        """The program ended and was reaped."""
        del self._running[probe.owner]

    @property
    def count(self) -> int:
        """Programs that run now."""
        return len(self._running)

    def end_all(self) -> None:
        """TERM to all, for an orderly stop."""
        for probe in list(self._running.values()):
            probe.cancel()

    def kill_all(self) -> None:
        """KILL to all that still run."""
        for probe in list(self._running.values()):
            probe.kill()

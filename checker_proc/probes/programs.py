"""MISC_CHECK: one program per probe, run by the script helper as its user (CHK-60 to CHK-64). Starts none itself.

A program that takes too long gets TERM to its whole group, KILL two seconds later. The check hears of the failure at
the deadline; as long as the old program is not gone, its next probe fails instead of starting a second one. What a
reload gave up is ended too, and the probe after the reload begins when it is gone. Should this process die, the helper
ends what it started, and our successor waits for that.
"""

from __future__ import annotations

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.probe import Owner
from pyhad.common.config.model import MiscCheck
from pyhad.common.loop import Loop
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import Cancel, Check, Ended, TimedOut
from pyhad.common.scripts.run import KILL_AFTER_NS

SILENCE_NS = 5_000_000_000
"""So long after the deadline an answer of the helper counts as lost."""
_WEIGHT_OFFSET = 2


class MiscProbe:
    """One program on its way."""

    __slots__ = (
        "_is_told", "_loop", "_programs", "_started_ns", "check", "expires_ns", "is_done", "owner", "ticket",
    )  # fmt: skip

    def __init__(self, programs: Programs, loop: Loop, check: MiscCheck, owner: Owner, ticket: int) -> None:
        self._programs = programs
        self._loop = loop
        self._started_ns = loop.now_ns()
        self._is_told = False
        self.check = check
        self.owner = owner
        self.ticket = ticket
        self.expires_ns = 0
        self.is_done = False

    def expire(self) -> None:
        """Nothing was heard of its end: it was never begun, it cannot be killed, or the helper's word was lost."""
        if self._programs.withdraw(self):
            self._tell(ProbeFailed(reason=Reason.PREVIOUS_RUN_LINGERS))
        else:
            self.time_out()
            self._programs.ask_again(self)

    def time_out(self) -> None:
        """It takes too long; it is being ended."""
        self._tell(ProbeFailed(reason=Reason.TIMEOUT, latency_ns=self._latency_ns))

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if not self.is_done:
            self._is_told = True
            self._programs.cancel(self)

    def begin(self) -> None:
        """The program starts now."""
        self._started_ns = self._loop.now_ns()

    def end(self, answer: Ended) -> None:
        """The program is gone."""
        self._tell(self._result_of(answer))

    @property
    def _latency_ns(self) -> int:
        return self._loop.now_ns() - self._started_ns

    def _result_of(self, answer: Ended) -> Result:
        """CHK-60, CHK-61. A negative status is the signal that ended it."""
        if answer.detail:
            return ProbeImpossible(reason=Reason.CANNOT_RUN, detail=answer.detail)
        if answer.status == 0:
            return ProbeSucceeded(latency_ns=self._latency_ns)
        if answer.status >= _WEIGHT_OFFSET and self.check.dynamic:
            return ProbeSucceeded(latency_ns=self._latency_ns, weight=answer.status - _WEIGHT_OFFSET)
        reason = Reason.EXIT_STATUS if answer.status > 0 else Reason.KILLED_BY_SIGNAL
        return ProbeFailed(reason=reason, latency_ns=self._latency_ns, detail=str(abs(answer.status)))

    def _tell(self, result: Result) -> None:
        if not self._is_told:
            self._is_told = True
            self.owner.take(result)


class Programs:
    """All of this process. The helper's answers are about tickets."""

    def __init__(self, scripts: Scripts, loop: Loop, deadlines: Deadlines) -> None:
        self._scripts = scripts
        self._loop = loop
        self._deadlines = deadlines
        self._running: dict[Owner, MiscProbe] = {}
        self._by_ticket: dict[int, MiscProbe] = {}
        self._given_up: set[MiscProbe] = set()
        """Those whose programs are being ended and are not gone yet."""
        self._waiting: list[MiscProbe] = []
        """Those to begin when no run of their program is left that was given up."""
        self._free_ns = 0
        self._last_ticket = 0
        scripts.on_ended = self._ended
        scripts.on_timed_out = self._timed_out

    def succeed(self) -> None:
        """There was a process before this one: whatever it ran, its helper is ending now."""
        self._free_ns = self._loop.now_ns() + KILL_AFTER_NS
        self._loop.at(self._free_ns, self._go_on)

    def start(self, check: MiscCheck, owner: Owner, now_ns: int) -> MiscProbe | ProbeFailed | ProbeImpossible:
        """Run the program once. A result instead of a probe is the end."""
        if self._scripts.is_lost:
            return ProbeImpossible(reason=Reason.NO_SCRIPT_HELPER)
        if owner in self._running:
            return ProbeFailed(reason=Reason.PREVIOUS_RUN_LINGERS)
        self._last_ticket += 1
        probe = MiscProbe(self, self._loop, check, owner, self._last_ticket)
        self._running[owner] = self._by_ticket[probe.ticket] = probe
        self._deadlines.add(probe, KILL_AFTER_NS + check.timeout_ns + SILENCE_NS, now_ns)
        self._waiting.append(probe)
        self._go_on()
        return probe

    def _go_on(self) -> None:
        """Begin what has to wait for nothing any more."""
        if self._loop.now_ns() < self._free_ns:
            return
        ending = {probe.check.program for probe in self._given_up}
        ready = [probe for probe in self._waiting if probe.check.program not in ending]
        self._waiting = [probe for probe in self._waiting if probe.check.program in ending]
        for probe in ready:
            probe.begin()
            check = probe.check
            self._scripts.send(Check(ticket=probe.ticket, program=check.program, timeout_ns=check.timeout_ns))

    def cancel(self, probe: MiscProbe) -> None:
        """End it."""
        if not self.withdraw(probe):
            self._given_up.add(probe)
            self._scripts.send(Cancel(ticket=probe.ticket))

    def withdraw(self, probe: MiscProbe) -> bool:
        """It shall not begin any more. False when it has."""
        if probe not in self._waiting:
            return False
        self._waiting.remove(probe)
        self._gone(probe)
        return True

    def ask_again(self, probe: MiscProbe) -> None:
        """The helper answers when the program is gone, or at once if it knows of none."""
        self._scripts.send(Cancel(ticket=probe.ticket))
        self._deadlines.add(probe, SILENCE_NS, self._loop.now_ns())

    def _gone(self, probe: MiscProbe) -> None:
        probe.is_done = True
        del self._running[probe.owner]
        del self._by_ticket[probe.ticket]
        self._given_up.discard(probe)

    def _ended(self, answer: Ended) -> None:
        probe = self._by_ticket.get(answer.ticket)
        if probe is not None:
            self._gone(probe)
            probe.end(answer)
            self._go_on()

    def _timed_out(self, answer: TimedOut) -> None:
        probe = self._by_ticket.get(answer.ticket)
        if probe is not None:
            probe.time_out()

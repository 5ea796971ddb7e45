"""MISC_CHECK: one program per probe, run by the script helper as its user (CHK-60 to CHK-64). Starts none itself.

A program that takes too long gets TERM to its whole group, KILL two seconds later. The check hears of the failure at
the deadline; as long as the old program is not gone, its next probe fails instead of starting a second one. Should this
process die, the helper ends what it started.
"""

from __future__ import annotations

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.deadlines import Deadlines
from pyhad.checker_proc.probe import Owner
from pyhad.common.config.model import MiscCheck
from pyhad.common.loop import Loop
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import Cancel, Check, Ended, TimedOut

SILENCE_NS = 5_000_000_000
"""So long after the deadline an answer of the helper counts as lost."""
_WEIGHT_OFFSET = 2


class MiscProbe:
    """One program on its way."""

    __slots__ = (
        "_dynamic",
        "_is_told",
        "_loop",
        "_programs",
        "_started_ns",
        "expires_ns",
        "is_done",
        "owner",
        "ticket",
    )

    def __init__(self, programs: Programs, loop: Loop, check: MiscCheck, owner: Owner, ticket: int) -> None:
        self._programs = programs
        self._loop = loop
        self._dynamic = check.dynamic
        self._started_ns = loop.now_ns()
        self._is_told = False
        self.owner = owner
        self.ticket = ticket
        self.expires_ns = 0
        self.is_done = False

    def expire(self) -> None:
        """The helper said nothing at all, not even that it takes too long."""
        self.time_out()
        self.end(None)

    def time_out(self) -> None:
        """It takes too long; it is being ended."""
        self._tell(ProbeFailed(reason=Reason.TIMEOUT, latency_ns=self._latency_ns))

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if not self.is_done:
            self._is_told = True
            self._programs.cancel(self)

    def end(self, answer: Ended | None) -> None:
        """The program is gone."""
        if self.is_done:
            return
        self.is_done = True
        self._programs.gone(self)
        if answer is not None:
            self._tell(self._result_of(answer))

    @property
    def _latency_ns(self) -> int:
        return self._loop.now_ns() - self._started_ns

    def _result_of(self, answer: Ended) -> Result:
        """CHK-60, CHK-61. A negative status is the signal that ended it."""
        if answer.detail:
            return ProbeFailed(reason=Reason.CANNOT_RUN)
        if answer.status == 0:
            return ProbeSucceeded(latency_ns=self._latency_ns)
        if answer.status >= _WEIGHT_OFFSET and self._dynamic:
            return ProbeSucceeded(latency_ns=self._latency_ns, weight=answer.status - _WEIGHT_OFFSET)
        reason = Reason.EXIT_STATUS if answer.status > 0 else Reason.KILLED_BY_SIGNAL
        return ProbeFailed(reason=reason, latency_ns=self._latency_ns)

    def _tell(self, result: Result) -> None:
        if not self._is_told:
            self._is_told = True
            self.owner.take(result)


class Programs:
    """All programs that run for checks, never two for the same check at once."""

    def __init__(self, scripts: Scripts, loop: Loop, deadlines: Deadlines) -> None:
        self._scripts = scripts
        self._loop = loop
        self._deadlines = deadlines
        self._running: dict[Owner, MiscProbe] = {}
        self._by_ticket: dict[int, MiscProbe] = {}
        self._last_ticket = 0
        scripts.on_ended = self._ended
        scripts.on_timed_out = self._timed_out

    def start(self, check: MiscCheck, owner: Owner, now_ns: int) -> MiscProbe | ProbeFailed | ProbeImpossible:
        """Run the program once. A result instead of a probe is the end."""
        if self._scripts.is_lost:
            return ProbeImpossible(reason=Reason.NO_SCRIPT_HELPER)
        if owner in self._running:
            return ProbeFailed(reason=Reason.PREVIOUS_RUN_LINGERS)
        self._last_ticket += 1
        probe = MiscProbe(self, self._loop, check, owner, self._last_ticket)
        self._running[owner] = self._by_ticket[probe.ticket] = probe
        self._scripts.send(Check(ticket=probe.ticket, program=check.program, timeout_ns=check.timeout_ns))
        self._deadlines.add(probe, check.timeout_ns + SILENCE_NS, now_ns)
        return probe

    def cancel(self, probe: MiscProbe) -> None:
        """End it."""
        self._scripts.send(Cancel(ticket=probe.ticket))

    def gone(self, probe: MiscProbe) -> None:
        """The program ended."""
        del self._running[probe.owner]
        del self._by_ticket[probe.ticket]

    def _ended(self, answer: Ended) -> None:
        probe = self._by_ticket.get(answer.ticket)
        if probe is not None:
            probe.end(answer)

    def _timed_out(self, answer: TimedOut) -> None:
        probe = self._by_ticket.get(answer.ticket)
        if probe is not None:
            probe.time_out()

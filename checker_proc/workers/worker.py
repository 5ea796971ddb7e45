"""A worker of the checker: runs the checks that it is given, says what became of them. Knows no servers, no verdicts.

It holds no right and no descriptor but its end of one socket. When that ends, so does the worker.
"""

from __future__ import annotations

import gc
import os
import resource
import socket
import sys
from typing import assert_never

from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible
from pyhad.checker_proc.core.events import Restored
from pyhad.checker_proc.probes.prober import Prober, raise_descriptor_limit
from pyhad.checker_proc.running import Listener, RunningCheck
from pyhad.checker_proc.settling import settle_memory
from pyhad.checker_proc.timetable import Timetable
from pyhad.checker_proc.workers.worker_line import Line
from pyhad.checker_proc.workers.worker_words import (
    REASONS,
    TALLIES_AT_ONCE,
    TALLY,
    TO_WORKER,
    Begin,
    Changed,
    Crashed,
    Forget,
    Material,
    NotMade,
    Remarked,
    Suspend,
    Tally,
    ToWorker,
    TryFailed,
    Warns,
)
from pyhad.common.codec import encode
from pyhad.common.config.model import Check
from pyhad.common.loop import Loop
from pyhad.common.tls import client_context

TALLY_NS = 1_000_000_000
_REASON_INDEX: dict[str, int] = {reason: index for index, reason in enumerate(REASONS)}


def work(end: socket.socket) -> None:
    """Until the checker is gone."""
    gc.freeze()
    end.setblocking(False)
    is_done = False
    try:
        Worker(Loop(), end).run()
        is_done = True
    finally:
        if not is_done and sys.exc_info()[1] is not None:
            end.send(encode(Crashed(error=repr(sys.exc_info()[1]))))


class GivenCheck(RunningCheck):
    """One that the checker knows by a number."""

    __slots__ = ("number", "told")

    def __init__(
        self, number: int, check: Check, loop: Loop, timetable: Timetable, prober: Prober, listener: Listener
    ) -> None:
        super().__init__(check, loop, timetable, prober, listener)
        self.number = number
        self.told = 0
        """Runs of it as the checker knows them."""


class Worker:
    """Implements `running.Listener`."""

    def __init__(self, loop: Loop, end: socket.socket) -> None:
        self._loop = loop
        self._timetable = Timetable(loop)
        self._prober = Prober(loop, None, max_descriptors=raise_descriptor_limit())
        self.checks: dict[int, GivenCheck] = {}
        self._turn = 0
        self._tries_failed = 0
        """So many changed nothing, since the last tally."""
        self._has_news = False
        """Checks were begun since the last tally."""
        self._line = Line(loop, end, TO_WORKER, self._hear, loop.stop)
        self.tell_tally()
        loop.every(TALLY_NS, self.tell_tally)

    def run(self) -> None:
        """Until the checker is gone."""
        self._loop.run()

    def _hear(self, message: ToWorker) -> None:
        match message:
            case Material():
                self._prober.tls = client_context(message.tls_client)
                self._prober.tls_http2 = client_context(message.tls_client, http2=True)
            case Begin():
                self._begin(message)
            case Suspend():
                self.checks[message.number].suspend(message.is_suspended)
            case Forget():
                self._forget(message.number)
            case _:
                assert_never(message)

    def _begin(self, begin: Begin) -> None:
        known = Restored(is_up=begin.is_up, weight=begin.weight, reason=begin.reason) if begin.is_tested else None
        running = GivenCheck(begin.number, begin.check, self._loop, self._timetable, self._prober, self)
        running.warnings = begin.warnings
        running.suspend(begin.is_suspended)
        self.checks[begin.number] = running
        self._has_news = True
        running.begin(known, self._loop.now_ns())

    def _forget(self, number: int) -> None:
        self.checks.pop(number).cancel()

    # ------------------------------------------------------------------------------- what checks tell us

    def check_changed(self, running: GivenCheck, change: ReportChange) -> None:
        """As the state is now."""
        machine = running.machine
        self._line.send(
            Changed(
                number=running.number, is_up=machine.is_up, is_tested=machine.is_tested,
                weight=machine.weight, reason=str(machine.reason), went_up=change.went_up, went_down=change.went_down,
                is_confirmed=change.is_confirmed, detail=machine.detail,
            )
        )  # fmt: skip

    def probe_failed(self, running: GivenCheck, failure: ReportFailure) -> None:
        """Said on where it is to be logged. Of thousands of dead servers it would cost as much as asking them."""
        self._tries_failed += 1
        if not running.machine.check.timing.log_all_failures:
            return
        number, reason = running.number, str(failure.reason)
        self._line.send(TryFailed(number=number, reason=reason, tries_left=failure.tries_left, detail=failure.detail))

    def probe_impossible(self, running: GivenCheck, problem: ReportImpossible) -> None:
        """Said on."""
        self._line.send(NotMade(number=running.number, reason=str(problem.reason)))

    def probe_remarked(self, running: GivenCheck, remark: str) -> None:
        """Said on."""
        self._line.send(Remarked(number=running.number, remark=remark))

    def check_warns(self, running: GivenCheck) -> None:
        """Said on."""
        number, latency_ns = running.number, running.machine.latency_ns
        self._line.send(Warns(number=number, warnings=running.warnings, latency_ns=latency_ns))

    # --------------------------------------------------------------------------------------------- tally

    def tell_tally(self) -> None:
        """Of the checks whose turn it is, those that ran since they were told of."""
        if self._has_news:
            self._has_news = False
            settle_memory()
        records: list[bytes] = []
        turns = 1 + len(self.checks) // TALLIES_AT_ONCE
        self._turn = (self._turn + 1) % turns
        for number, running in self.checks.items():
            machine = running.machine
            if number % turns == self._turn and running.told != machine.runs:
                running.told = machine.runs
                reason = _REASON_INDEX[machine.last_reason]
                counts = (machine.runs, machine.failures, machine.last_ns, machine.latency_ns)
                records.append(TALLY.pack(number, *counts, machine.certificate_until_s, reason))
        for at in range(0, max(1, len(records)), TALLIES_AT_ONCE):
            self._send_tally(b"".join(records[at : at + TALLIES_AT_ONCE]))

    def _send_tally(self, records: bytes) -> None:
        used, late = resource.getrusage(resource.RUSAGE_SELF), self._loop.lateness.last()
        self._line.send(
            Tally(
                pid=os.getpid(), in_flight=self._prober.in_flight, late_p99_ns=late.p99_ns, late_max_ns=late.max_ns,
                cpu_ns=int((used.ru_utime + used.ru_stime) * 1_000_000_000), records=records,
                tries_failed=self._tries_failed,
            )
        )  # fmt: skip
        self._tries_failed = 0

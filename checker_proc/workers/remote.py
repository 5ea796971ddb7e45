"""A check that a worker runs, as the checker sees it: the same machine, which follows what the worker says."""

from __future__ import annotations

from typing import Protocol

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible
from pyhad.checker_proc.core.events import Restored, Startup
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.checker_proc.core.warnings import Warn
from pyhad.checker_proc.running import Listener
from pyhad.checker_proc.workers.worker_words import (
    REASONS,
    Begin,
    Changed,
    Forget,
    NotMade,
    Remarked,
    Suspend,
    ToWorker,
    TryFailed,
    Warns,
)
from pyhad.common.config.model import Check


class Sender(Protocol):
    """The worker that runs it, whichever process that is."""

    def send(self, message: ToWorker) -> None:
        """Now or soon; not at all while there is no such process: its successor begins with what is known here."""

    def take_on(self, remote: RemoteCheck) -> None:
        """It has this check from now on."""

    def drop(self, remote: RemoteCheck) -> None:
        """It has it no more."""


class RemoteCheck:
    """As `RunningCheck` to the service. Its state is what the worker said last, also when that is dead."""

    __slots__ = (
        "_has_begun",
        "_is_suspended",
        "_listener",
        "_worker",
        "judges",
        "kind",
        "machine",
        "number",
        "warnings",
    )

    def __init__(self, number: int, check: Check, worker: Sender, listener: Listener) -> None:
        self.number = number
        self.machine = CheckMachine(check)
        self.kind = self.machine.kind
        self.judges: list[ServerJudge] = []
        self.warnings: tuple[Warn, ...] = ()
        self._has_begun = False
        self._is_suspended = False
        self._worker = worker
        self._listener = listener

    def suspend(self, suspended: bool) -> bool:
        """As `AtWork.suspend`."""
        is_news = suspended is not self._is_suspended
        self._is_suspended = suspended
        if is_news and self._has_begun:
            self._worker.send(Suspend(number=self.number, is_suspended=suspended))
        return is_news

    def begin(self, restored: Restored | None, now_ns: int) -> None:
        """Have it run."""
        self._has_begun = True
        self.machine.handle(Startup(spread_ns=0, restored=restored), now_ns)
        self._worker.take_on(self)
        self._worker.send(self.beginning())

    def beginning(self) -> Begin:
        """All that a worker needs to run it from here on."""
        machine = self.machine
        return Begin(
            number=self.number, check=machine.check, is_suspended=self._is_suspended, is_tested=machine.is_tested,
            is_up=machine.is_up, weight=machine.weight, reason=str(machine.reason),
            warnings=self.warnings,
        )  # fmt: skip

    def hurry(self) -> None:
        """Nothing that a worker asks has news of its own."""

    def cancel(self) -> None:
        """Nobody wants this check any more."""
        self._worker.drop(self)
        self._worker.send(Forget(number=self.number))

    def take(self, said: Changed | TryFailed | NotMade | Remarked | Warns) -> None:
        """What its worker said."""
        match said:
            case Changed():
                machine = self.machine
                machine.is_up, machine.is_tested, machine.weight = said.is_up, said.is_tested, said.weight
                machine.reason, machine.detail = said.reason, said.detail
                change = ReportChange(went_up=said.went_up, went_down=said.went_down, is_confirmed=said.is_confirmed)
                self._listener.check_changed(self, change)
            case TryFailed():
                failure = ReportFailure(reason=Reason(said.reason), tries_left=said.tries_left, detail=said.detail)
                self._listener.probe_failed(self, failure)
            case NotMade():
                self._listener.probe_impossible(self, ReportImpossible(reason=Reason(said.reason)))
            case Remarked():
                self._listener.probe_remarked(self, said.remark)
            case Warns():
                self.warnings, self.machine.latency_ns = said.warnings, said.latency_ns
                self._listener.check_warns(self)

    def count(self, runs: int, failures: int, last_ns: int, latency_ns: int, certificate_s: int, reason: int) -> None:
        """How often it ran so far."""
        machine = self.machine
        machine.runs, machine.failures, machine.certificate_until_s = runs, failures, certificate_s
        machine.last_ns, machine.latency_ns, machine.last_reason = last_ns, latency_ns, REASONS[reason]

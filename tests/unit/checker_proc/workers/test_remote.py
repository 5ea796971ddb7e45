"""What the checker says to a worker about one check, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible
from pyhad.checker_proc.core.events import Restored
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.warnings import Warn
from pyhad.checker_proc.workers.remote import RemoteCheck
from pyhad.checker_proc.workers.worker_words import (
    REASONS,
    Begin,
    Changed,
    Forget,
    NotMade,
    Suspend,
    ToWorker,
    TryFailed,
    Warns,
)
from pyhad.common.config.model import Target, TcpCheck, Timing

CHECK = TcpCheck(target=Target(address="10.0.0.11", port=80), timing=Timing(), alpha=False)


class Place:
    """A worker that notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[ToWorker] = []
        self.checks: list[RemoteCheck] = []

    def send(self, message: ToWorker) -> None:
        self.heard.append(message)

    def take_on(self, remote: RemoteCheck) -> None:
        self.checks.append(remote)

    def drop(self, remote: RemoteCheck) -> None:
        self.checks.remove(remote)


class Notes:
    """A listener that notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def check_changed(self, running: Any, change: ReportChange) -> None:
        self.heard.append((running.machine.is_up, running.machine.reason, change))

    def probe_failed(self, running: Any, failure: ReportFailure) -> None:
        self.heard.append(failure)

    def probe_impossible(self, running: Any, problem: ReportImpossible) -> None:
        self.heard.append(problem)

    def probe_remarked(self, running: Any, remark: str) -> None:
        self.heard.append(remark)

    def check_warns(self, running: Any) -> None:
        self.heard.append((running.warnings, running.machine.latency_ns))


def begin(*, is_suspended: bool = False, is_tested: bool = False, is_up: bool = True, reason: str) -> Begin:
    return Begin(
        number=7, check=CHECK, is_suspended=is_suspended, is_tested=is_tested, is_up=is_up, weight=None, reason=reason
    )


def test_a_worker_hears_of_a_check_once_it_begins_and_until_it_ends() -> None:
    place = Place()
    remote = RemoteCheck(7, CHECK, place, Notes())
    assert remote.suspend(True)
    assert not remote.suspend(True)
    remote.begin(None, 5)
    assert remote.suspend(False)
    remote.cancel()
    assert place.heard == [
        begin(is_suspended=True, reason="not_checked_yet"),
        Suspend(number=7, is_suspended=False),
        Forget(number=7),
    ]
    assert place.checks == []


def test_what_is_known_goes_along_to_the_first_worker_and_what_became_of_it_to_the_next() -> None:
    place, notes = Place(), Notes()
    remote = RemoteCheck(7, CHECK, place, notes)
    remote.begin(Restored(is_up=False, weight=None, reason="timeout"), 5)
    assert place.heard == [begin(is_tested=True, is_up=False, reason="timeout")]
    change = ReportChange(went_up=True, went_down=False)
    remote.take(
        Changed(
            number=7, is_up=True, is_tested=True, weight=None, reason="check_succeeded", went_up=True, went_down=False,
            is_confirmed=False,
        )
    )  # fmt: skip
    assert notes.heard == [(True, "check_succeeded", change)]
    assert remote.beginning() == begin(is_tested=True, reason="check_succeeded")


def test_failures_that_change_nothing_are_told_and_counts_are_kept() -> None:
    notes = Notes()
    remote = RemoteCheck(7, CHECK, Place(), notes)
    remote.take(TryFailed(number=7, reason="timeout", tries_left=2))
    remote.take(NotMade(number=7, reason="bind_failed"))
    assert notes.heard == [
        ReportFailure(reason=Reason.TIMEOUT, tries_left=2),
        ReportImpossible(reason=Reason.BIND_FAILED),
    ]
    remote.count(90, 4, 123, 456, 2_000_000_000, REASONS.index(Reason.TIMEOUT))
    machine = remote.machine
    assert (machine.runs, machine.failures, machine.last_ns, machine.latency_ns) == (90, 4, 123, 456)
    assert (machine.last_reason, machine.certificate_until_s) == ("timeout", 2_000_000_000)
    assert machine.is_up


def test_warnings_are_those_that_the_worker_told_last() -> None:
    notes = Notes()
    remote = RemoteCheck(7, CHECK, Place(), notes)
    remote.take(Warns(number=7, warnings=(Warn.SLOW,), latency_ns=900))
    remote.take(Warns(number=7, warnings=(), latency_ns=100))
    assert notes.heard == [((Warn.SLOW,), 900), ((), 100)]


def test_the_next_worker_knows_what_the_last_one_warned_of() -> None:
    """Else it would not say that it is over."""
    remote = RemoteCheck(7, CHECK, Place(), Notes())
    remote.take(Warns(number=7, warnings=(Warn.SLOW,), latency_ns=900))
    assert remote.beginning().warnings == (Warn.SLOW,)

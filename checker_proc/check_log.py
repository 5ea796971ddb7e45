"""What the log says of checks and of the servers that they decide about. Decides nothing."""

from __future__ import annotations

from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.checker_proc.running import AtWork
from pyhad.common.config.model import MiscCheck
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.messages import Verdict


class CheckLog:
    """One line for each server that uses a check."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger

    def changed(self, running: AtWork, judge: ServerJudge, change: ReportChange) -> None:
        """It went up or down."""
        if change.went_down:
            fields, machine = _fields(running, judge), running.machine
            self._logger.warning("check_failed", **fields, reason=machine.reason, **_more(machine.detail))
        elif change.went_up:
            self._logger.info("check_succeeded", **_fields(running, judge))

    def tried(self, running: AtWork, failure: ReportFailure) -> None:
        """A try failed and changed nothing (CHK-8)."""
        for judge in running.judges:
            fields, more = _fields(running, judge), _more(failure.detail)
            reason, tries_left = str(failure.reason), failure.tries_left
            self._logger.info("probe_failed", **fields, reason=reason, **more, tries_left=tries_left)

    def impossible(self, running: AtWork, problem: ReportImpossible) -> None:
        """We could not ask."""
        for judge in running.judges:
            fields, more = _fields(running, judge), _more(problem.detail)
            self._logger.error("probe_impossible", **fields, reason=str(problem.reason), **more)

    def odd(self, running: AtWork, remark: str) -> None:
        """CHK-25."""
        for judge in running.judges:
            self._logger.info("response_odd", **_fields(running, judge), remark=remark)

    def warns(self, running: AtWork) -> None:
        """Said when it begins, and when it is over."""
        for judge in running.judges:
            fields, latency_ms = _fields(running, judge), running.machine.latency_ns // 1_000_000
            if running.warnings:
                self._logger.warning("check_warns", **fields, about=" ".join(running.warnings), latency_ms=latency_ms)
            else:
                self._logger.info("check_warns_no_more", **fields, latency_ms=latency_ms)

    def verdict(self, verdict: Verdict) -> None:
        """A server is up, or down."""
        say = self._logger.info if verdict.up else self._logger.warning
        event = "server_up" if verdict.up else "server_down"
        say(event, service=verdict.service, server=verdict.server, reason=verdict.reason, weight=verdict.weight)

    def moved(self, verdict: Verdict, before: str) -> None:
        """A server given by name has another address now."""
        self._logger.info(
            "server_moved", service=verdict.service, server=verdict.server, address=verdict.address, before=before,
            up=verdict.up,
        )  # fmt: skip


def _fields(running: AtWork, judge: ServerJudge) -> dict[str, str]:
    check = running.machine.check
    fields = {"service": judge.server.service, "server": judge.server.server, "check": running.kind}
    if judge.server.name:
        fields["address"] = judge.server.address
    if isinstance(check, MiscCheck):
        fields["program"] = check.program.argv[0]
    return fields


def _more(detail: str) -> dict[str, str]:
    return {"detail": detail} if detail else {}

"""From the checks of one real server to its verdict: up when all are up, weights added as differences. Pure."""

from __future__ import annotations

from dataclasses import replace

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import CheckedServer, FileCheck
from pyhad.common.messages import Verdict

MAX_WEIGHT = 2_147_483_647
"""LVS-8."""


class ServerJudge:
    """One real server of one service with the checks that decide about it. `verdict` is the last one given."""

    __slots__ = ("_was_down", "_was_settled", "machines", "server", "verdict")

    def __init__(
        self, server: CheckedServer, machines: tuple[CheckMachine, ...], now_ns: int, *, was_down: bool = False
    ) -> None:
        """`was_down`: as far as is known, so it is not taken for up before its checks have said so (REL-33)."""
        self.server = server
        self.machines = machines
        self._was_down = was_down
        self._was_settled = self._is_settled()
        self.verdict = self._build(now_ns)

    def judge(self, now_ns: int) -> Verdict | None:
        """The new verdict when up, weight, "tested at all" or why it is down changed since the last one, else None."""
        was, settled = self.verdict, self._is_settled()
        is_up, weight = self._is_up(), self._weight()
        is_same_cause = is_up or self._reason() == was.reason
        if is_up == was.up and weight == was.weight and settled == self._was_settled and is_same_cause:
            return None
        self._was_settled = settled
        self.verdict = self._build(now_ns if is_up != was.up else was.since_ns)
        return self.verdict

    def restore(self, since_ns: int, reason: str) -> None:
        """Take over since when from a predecessor that said the same, and why unless the checks of now know better."""
        was = self.verdict
        why = reason if was.reason == Reason.NOT_CHECKED_YET else was.reason
        self.verdict = replace(was, since_ns=since_ns, reason=why)

    def _build(self, since_ns: int) -> Verdict:
        return Verdict(
            service=self.server.service,
            server=self.server.server,
            up=self._is_up(),
            weight=self._weight(),
            since_ns=since_ns,
            reason=self._reason(),
            address=self.server.address if self.server.name else "",
        )

    def _is_up(self) -> bool:
        """CHK-5; CHK-6 lies in how a machine starts. Whose name was not looked up yet is assumed to be like others."""
        if not self._has_address():
            return not (self.server.is_unresolved or self.server.alpha or self._was_down)
        return all(machine.is_up for machine in self.machines) and not (self._was_down and not self._is_settled())

    @property
    def is_proved(self) -> bool:
        """Every check of it succeeded."""
        return self._is_up() and self._is_settled()

    def _has_address(self) -> bool:
        return bool(self.server.address) or not self.server.name

    def _is_settled(self) -> bool:
        """The verdict rests on probes: all were made, or one of them says down."""
        if any(machine.is_tested and not machine.is_up for machine in self.machines):
            return True
        return all(machine.is_tested for machine in self.machines)

    def _weight(self) -> int:
        """CHK-61: each check asks for a difference to the configured weight; a down server has the configured one."""
        configured = self.server.weight
        if not self._is_up():
            return configured
        change = 0
        for machine in self.machines:
            if machine.weight is not None:  # a file names the difference itself (CHK-90)
                change += machine.weight - (0 if isinstance(machine.check, FileCheck) else configured)
        return min(max(configured + change, 0), MAX_WEIGHT)

    def _reason(self) -> str:
        if not self._has_address():
            return Reason.NAME_NOT_RESOLVED if self.server.is_unresolved else Reason.NOT_CHECKED_YET
        if not self.machines:
            return Reason.NO_CHECKS
        down = [machine for machine in self.machines if not machine.is_up]
        if down:
            return next((machine.reason for machine in down if machine.is_tested), down[0].reason)
        return Reason.CHECK_SUCCEEDED if self._is_settled() else Reason.NOT_CHECKED_YET

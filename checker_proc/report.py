"""What the status says of servers and their checks. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.checker_proc.running import AtWork
from pyhad.common.messages import CheckStatus, ServerHealth

ServerKey = tuple[str, str]


def health_of(
    judges: Mapping[ServerKey, ServerJudge], moves: Mapping[ServerKey, ServerJudge], checks: Iterable[AtWork]
) -> tuple[ServerHealth, ...]:
    """Every server with its checks. `moves`: those that are to have another address, as they would be there."""
    statuses = {id(running.machine): _status_of(running) for running in checks}
    return tuple(
        ServerHealth(
            verdict=judge.verdict,
            checks=tuple(statuses[id(machine)] for machine in judge.machines),
            moving_to=moves[key].server.address if key in moves else "",
        )
        for key, judge in judges.items()
    )


def _status_of(running: AtWork) -> CheckStatus:
    machine: CheckMachine = running.machine
    return CheckStatus(
        kind=running.kind,
        up=machine.is_up,
        reason=machine.last_reason,
        runs=machine.runs,
        failures=machine.failures,
        last_ns=machine.last_ns,
        latency_ns=machine.latency_ns,
        certificate_until_s=machine.certificate_until_s,
        warnings=tuple(str(warning) for warning in running.warnings),
    )

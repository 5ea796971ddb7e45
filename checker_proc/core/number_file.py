"""What the number in a tracked file means for a server (CHK-90). Pure: the script helper reads the file."""

from __future__ import annotations

from pyhad.checker_proc.core.events import ProbeFailed, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import FileCheck

LEAST = -2_147_483_648
MOST = 2_147_483_647


def judge_number(check: FileCheck, value: int) -> Result:
    """What it says. `weight` of a success is the difference to the configured weight."""
    if check.weight == 0:
        return ProbeFailed(reason=Reason.FILE_SAYS_DOWN) if value else ProbeSucceeded(latency_ns=0, weight=0)
    change = value * check.weight
    if change <= LEAST:
        return ProbeFailed(reason=Reason.FILE_SAYS_DOWN)
    return ProbeSucceeded(latency_ns=0, weight=min(MOST, change))

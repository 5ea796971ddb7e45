"""What the number in a tracked file means for a server (CHK-90, TRK-21). Pure: the shell reads the file."""

from __future__ import annotations

import re

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import FileCheck

CONTENT_MAX = 128
LEAST = -2_147_483_648
MOST = 2_147_483_647
_NUMBER = re.compile(rb"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))\s*")


def parse_number(content: bytes) -> int | None:
    """The number in C notation (`0x..`, octal); 0 for an empty file; None for anything else."""
    if not content.strip():
        return 0
    match = _NUMBER.fullmatch(content) if len(content) <= CONTENT_MAX else None
    if match is None:
        return None
    sign, hexadecimal, octal, decimal = match.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    return max(LEAST, min(MOST, -value if sign == b"-" else value))


def judge_content(check: FileCheck, content: bytes) -> Result:
    """What the content says. `weight` of a success is the difference to the configured weight."""
    value = parse_number(content)
    if value is None:  # the old value stays
        return ProbeImpossible(reason=Reason.FILE_NOT_A_NUMBER)
    if check.weight == 0:
        return ProbeFailed(reason=Reason.FILE_SAYS_DOWN) if value else ProbeSucceeded(latency_ns=0, weight=0)
    change = value * check.weight
    if change <= LEAST:
        return ProbeFailed(reason=Reason.FILE_SAYS_DOWN)
    return ProbeSucceeded(latency_ns=0, weight=min(MOST, change))

"""What the number in a tracked file means for a server."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.events import TIME_PASSED, ProbeFailed, ProbeSucceeded, Result, Startup
from pyhad.checker_proc.core.journal import ServerRecord, inherit, record_of
from pyhad.checker_proc.core.number_file import judge_number
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.common.config.model import CheckedServer, FileCheck, Timing
from pyhad.common.config.model.tracking import TrackFile

PACE = Timing(delay_loop_ns=1_000_000_000, retry=0)


def check(weight: int) -> FileCheck:
    return FileCheck(file=TrackFile(name="load", path="/run/load"), weight=weight, timing=PACE)


def server(*checks: FileCheck, weight: int) -> CheckedServer:
    return CheckedServer(
        service="s", server="r", address="10.0.0.1", port=80, weight=weight, alpha=False, checks=checks
    )


@pytest.mark.behaviour("CHK-90")
@pytest.mark.parametrize(
    ("weight", "value", "result"),
    [
        (1, 5, ProbeSucceeded(latency_ns=0, weight=5)),
        (-2, 5, ProbeSucceeded(latency_ns=0, weight=-10)),
        (0, 0, ProbeSucceeded(latency_ns=0, weight=0)),
        (0, 1, ProbeFailed(reason=Reason.FILE_SAYS_DOWN)),
        (1, -2147483648, ProbeFailed(reason=Reason.FILE_SAYS_DOWN)),
        (2, -1073741824, ProbeFailed(reason=Reason.FILE_SAYS_DOWN)),
        (2, -1073741823, ProbeSucceeded(latency_ns=0, weight=-2_147_483_646)),
        (2, 2147483647, ProbeSucceeded(latency_ns=0, weight=2_147_483_647)),
    ],
)
def test_the_product_is_the_change_of_the_weight(weight: int, value: int, result: Result) -> None:
    assert judge_number(check(weight), value) == result


@given(st.integers(-2_147_483_647, 2_147_483_647), st.integers(-2_147_483_647, 2_147_483_647))
def test_any_number_is_judged(value: int, weight: int) -> None:
    assert isinstance(judge_number(check(weight), value), (ProbeSucceeded, ProbeFailed))


@pytest.mark.behaviour("CHK-90")
def test_the_state_is_known_at_once_and_changes_add_up() -> None:
    machines = (CheckMachine(check(1)), CheckMachine(check(-2)))
    for machine, change in zip(machines, (7, -4), strict=True):
        machine.handle(Startup(spread_ns=5_000_000_000), 1000)
        assert machine.next_deadline_ns() == 1000
        machine.handle(TIME_PASSED, 1000)
        machine.handle(ProbeSucceeded(latency_ns=0, weight=change), 1000)
    judge = ServerJudge(server(check(1), check(-2), weight=10), machines, 1000)
    assert (judge.verdict.up, judge.verdict.weight) == (True, 13)
    assert record_of(judge).checks == {}
    assert inherit(check(1), [record_of(judge)]) is None


def test_a_file_is_read_anew_whatever_was_known_of_its_server() -> None:
    down = ServerRecord(up=False, since_ns=1, reason=Reason.TIMEOUT, checks={}, is_whole=True)
    assert inherit(check(1), [down]) is None

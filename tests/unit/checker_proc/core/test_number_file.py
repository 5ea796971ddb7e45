"""The number in a tracked file, and what it means for a server."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.events import TIME_PASSED, ProbeFailed, ProbeImpossible, ProbeSucceeded, Result, Startup
from pyhad.checker_proc.core.journal import ServerRecord, inherit, record_of
from pyhad.checker_proc.core.number_file import judge_content, parse_number
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.common.config.model import CheckedServer, FileCheck, Timing

PACE = Timing(delay_loop_ns=1_000_000_000, retry=0)


def check(weight: int) -> FileCheck:
    return FileCheck(path="/run/load", weight=weight, timing=PACE)


def server(*checks: FileCheck, weight: int) -> CheckedServer:
    return CheckedServer(
        service="s", server="r", address="10.0.0.1", port=80, weight=weight, alpha=False, checks=checks
    )


@pytest.mark.behaviour("TRK-21")
@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"", 0), (b"\n", 0), (b"7\n", 7), (b"-3", -3), (b"+4 ", 4), (b"0x1F", 31), (b"010", 8), (b"0", 0), (b"-0", 0),
        (b"99999999999999", 2_147_483_647), (b"-99999999999999", -2_147_483_648), (b"1 2", None), (b"x", None),
        (b"08", None), (b"0x", None), (b"1.5", None), (b"\xff\xfe", None), (b"1" * 200, None),
    ],
)  # fmt: skip
def test_numbers_are_in_c_notation(content: bytes, value: int | None) -> None:
    assert parse_number(content) == value


@pytest.mark.behaviour("CHK-90")
@pytest.mark.parametrize(
    ("weight", "content", "result"),
    [
        (1, b"5", ProbeSucceeded(latency_ns=0, weight=5)),
        (-2, b"5", ProbeSucceeded(latency_ns=0, weight=-10)),
        (0, b"0", ProbeSucceeded(latency_ns=0, weight=0)),
        (0, b"1", ProbeFailed(reason=Reason.FILE_SAYS_DOWN)),
        (1, b"-2147483648", ProbeFailed(reason=Reason.FILE_SAYS_DOWN)),
        (2, b"-1073741824", ProbeFailed(reason=Reason.FILE_SAYS_DOWN)),
        (2, b"-1073741823", ProbeSucceeded(latency_ns=0, weight=-2_147_483_646)),
        (2, b"2147483647", ProbeSucceeded(latency_ns=0, weight=2_147_483_647)),
        (1, b"nonsense", ProbeImpossible(reason=Reason.FILE_NOT_A_NUMBER)),
    ],
)
def test_the_product_is_the_change_of_the_weight(weight: int, content: bytes, result: Result) -> None:
    assert judge_content(check(weight), content) == result


@given(st.binary(max_size=200), st.integers(-2_147_483_647, 2_147_483_647))
def test_any_content_is_judged(content: bytes, weight: int) -> None:
    assert isinstance(judge_content(check(weight), content), (ProbeSucceeded, ProbeFailed, ProbeImpossible))


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

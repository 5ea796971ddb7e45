"""One tracked script: when it runs and when its results count."""

from __future__ import annotations

import pytest

from pyhad.common.config.model.tracking import Program, TrackScript
from pyhad.vrrp_proc.core.script_check import ScriptCheck, Step

SECOND_NS = 1_000_000_000


def config(rise: int = 1, fall: int = 1, *, init_fail: bool = False, interval_ns: int = SECOND_NS) -> TrackScript:
    program = Program(argv=("/bin/true",))
    return TrackScript(
        name="chk", program=program, interval_ns=interval_ns, timeout_ns=interval_ns, rise=rise, fall=fall,
        init_fail=init_fail,
    )  # fmt: skip


def results(check: ScriptCheck, text: str) -> list[bool | None]:
    """`is_good` after each result: + good, - bad."""
    seen = []
    for sign in text:
        check.end(sign == "+")
        seen.append(check.is_good)
    return seen


@pytest.mark.behaviour("TRK-11")
def test_the_first_result_decides_and_later_ones_need_their_number() -> None:
    assert results(ScriptCheck(config(rise=3, fall=2), 0), "+-+--") == [True, True, True, True, False]
    assert results(ScriptCheck(config(rise=3, fall=2), 0), "-++-+++") == [False] * 6 + [True]


@pytest.mark.behaviour("TRK-10")
def test_init_fail_is_bad_until_one_success() -> None:
    check = ScriptCheck(config(rise=3, init_fail=True), 0)
    assert check.is_good is False
    assert results(check, "+") == [True]


def test_a_successor_goes_on_with_what_was_known() -> None:
    check = ScriptCheck(config(fall=2), 0, known=True)
    assert check.is_good is True
    assert results(check, "--") == [True, False]


@pytest.mark.behaviour("TRK-12")
def test_it_runs_each_interval_from_the_start_and_never_twice_at_once() -> None:
    check = ScriptCheck(config(), 0)
    assert check.wake(0) is Step.RUN
    assert check.wake(999_999_999) is Step.WAIT
    assert check.wake(SECOND_NS) is Step.WAIT
    check.end(good=True)
    assert check.wake(SECOND_NS + 1) is Step.WAIT
    assert check.wake(2 * SECOND_NS) is Step.RUN


@pytest.mark.behaviour("TRK-13")
def test_a_timeout_counts_at_once_and_its_end_no_more() -> None:
    check = ScriptCheck(config(fall=2), 0, known=True)
    check.wake(0)
    assert check.time_out() is False
    assert check.wake(SECOND_NS) is Step.FAIL
    assert check.take_result(good=False) is True
    assert check.end(good=True) is False
    assert check.is_good is False
    assert check.wake(2 * SECOND_NS) is Step.RUN


@pytest.mark.behaviour("REL-17")
def test_the_same_script_with_other_times_keeps_its_result() -> None:
    check = ScriptCheck(config(), 0)
    check.wake(0)
    check.end(good=True)
    other = config(rise=2, interval_ns=SECOND_NS // 2)
    assert check.is_same_as(other)
    check.reconfigure(other)
    assert (check.is_good, check.due_ns) == (True, SECOND_NS // 2)


@pytest.mark.behaviour("REL-17")
@pytest.mark.parametrize(("presumed", "result"), [(True, True), (True, False), (False, True)])
def test_what_another_program_had_found_counts_until_the_first_run_has_ended(presumed: bool, result: bool) -> None:
    check = ScriptCheck(config(rise=3, fall=3), 0, presumed=presumed)
    assert check.is_good is presumed
    assert check.wake(0) is Step.RUN
    assert check.end(good=result) is (result is not presumed)
    assert check.is_good is result


def test_a_presumption_stands_above_init_fail_and_a_finding_above_both() -> None:
    assert ScriptCheck(config(init_fail=True), 0).is_good is False
    assert ScriptCheck(config(init_fail=True), 0, presumed=True).is_good is True
    assert ScriptCheck(config(), 0, known=False, presumed=True).is_good is False

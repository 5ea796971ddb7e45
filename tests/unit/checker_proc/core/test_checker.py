"""The machine of one check: every rule of its schedule and of what its results mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible, StartProbe
from pyhad.checker_proc.core.events import (
    TIME_PASSED,
    ProbeFailed,
    ProbeImpossible,
    ProbeSucceeded,
    Restored,
    Startup,
)
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import HttpCheck, HttpUrl, Target, TcpCheck, Timing

S = 1_000_000_000
MS = 1_000_000
TARGET = Target(address="10.0.0.11", port=80)
GOOD = ProbeSucceeded(latency_ns=1)
REFUSED = ProbeFailed(reason=Reason.CONNECT_REFUSED)
WENT_UP = (ReportChange(went_up=True, went_down=False),)
CONFIRMED = (ReportChange(went_up=True, went_down=False, is_confirmed=True),)
WENT_DOWN = (ReportChange(went_up=False, went_down=True),)
CONFIRMED_DOWN = (ReportChange(went_up=False, went_down=True, is_confirmed=True),)
START = (StartProbe(url=0),)


def tcp(*, retry: int = 1, alpha: bool = False, delay_s: int = 10, before_retry_s: int = 1) -> CheckMachine:
    timing = Timing(delay_loop_ns=delay_s * S, retry=retry, delay_before_retry_ns=before_retry_s * S)
    return CheckMachine(TcpCheck(target=TARGET, timing=timing, alpha=alpha))


def http(urls: int, *, retry: int = 1, fast_recovery: bool = False, before_retry_s: int = 3) -> CheckMachine:
    timing = Timing(delay_loop_ns=10 * S, retry=retry, delay_before_retry_ns=before_retry_s * S)
    paths = tuple(HttpUrl(path=f"/{index}") for index in range(urls))
    return CheckMachine(HttpCheck(target=TARGET, timing=timing, alpha=False, urls=paths, fast_recovery=fast_recovery))


def begun(machine: CheckMachine) -> CheckMachine:
    """Started at 0 with no spread, so that the first probe is due at 1 s."""
    assert machine.handle(Startup(spread_ns=0), 0) == ()
    return machine


def run(machine: CheckMachine, at_ns: int, result: ProbeSucceeded | ProbeFailed | ProbeImpossible) -> object:
    """One probe that starts at `at_ns` and ends 5 ms later."""
    started = machine.handle(TIME_PASSED, at_ns)
    assert len(started) == 1
    assert isinstance(started[0], StartProbe)
    return machine.handle(result, at_ns + 5 * MS)


def settled(machine: CheckMachine) -> CheckMachine:
    """Up after one good probe at 1 s."""
    assert run(begun(machine), 1 * S, GOOD) == CONFIRMED
    return machine


@pytest.mark.behaviour("CHK-2")
def test_the_first_probe_is_due_one_second_and_the_spread_after_the_start() -> None:
    machine = tcp()
    machine.handle(Startup(spread_ns=230 * MS), 7 * S)
    assert machine.next_deadline_ns() == 8_230 * MS
    assert machine.handle(TIME_PASSED, 8_229 * MS) == ()
    assert machine.handle(TIME_PASSED, 8_230 * MS) == START


@pytest.mark.behaviour("CHK-6")
def test_a_check_counts_as_up_before_its_first_probe_and_an_alpha_one_does_not() -> None:
    assert begun(tcp()).is_up
    assert not begun(tcp(alpha=True)).is_up


@pytest.mark.behaviour("CHK-3")
def test_the_first_failure_takes_it_down_whatever_retry_says() -> None:
    machine = begun(tcp(retry=5))
    assert run(machine, 1 * S, REFUSED) == WENT_DOWN
    assert not machine.is_up
    assert machine.reason == "connect_refused"


@pytest.mark.behaviour("CHK-6")
def test_the_first_failure_of_an_alpha_check_confirms_what_it_was_taken_as() -> None:
    machine = begun(tcp(alpha=True, retry=0))
    assert run(machine, 1 * S, REFUSED) == CONFIRMED_DOWN
    assert run(machine, 11 * S, GOOD) == WENT_UP
    assert run(machine, 21 * S, REFUSED) == WENT_DOWN


@pytest.mark.behaviour("CHK-8")
@pytest.mark.behaviour("CHK-4")
def test_a_settled_check_has_retry_more_tries_each_after_delay_before_retry() -> None:
    machine = settled(tcp(retry=2))
    assert run(machine, 11 * S, REFUSED) == (ReportFailure(reason=Reason.CONNECT_REFUSED, tries_left=2),)
    assert machine.next_deadline_ns() == 12_005 * MS
    assert run(machine, 12_005 * MS, REFUSED) == (ReportFailure(reason=Reason.CONNECT_REFUSED, tries_left=1),)
    assert machine.is_up
    assert run(machine, 13_010 * MS, REFUSED) == WENT_DOWN
    assert machine.next_deadline_ns() == 23_010 * MS


@pytest.mark.behaviour("CHK-4")
def test_a_success_between_failures_gives_all_tries_back() -> None:
    machine = settled(tcp(retry=1))
    run(machine, 11 * S, REFUSED)
    assert run(machine, 12_005 * MS, GOOD) == ()
    assert run(machine, 23 * S, REFUSED) == (ReportFailure(reason=Reason.CONNECT_REFUSED, tries_left=1),)


@pytest.mark.behaviour("CHK-4")
def test_one_success_brings_it_up_again() -> None:
    machine = begun(tcp())
    run(machine, 1 * S, REFUSED)
    assert run(machine, 11 * S, GOOD) == WENT_UP
    assert machine.is_up


def test_a_down_check_that_fails_again_reports_a_failure_and_no_change() -> None:
    machine = begun(tcp())
    run(machine, 1 * S, REFUSED)
    late = ProbeFailed(reason=Reason.TIMEOUT)
    assert run(machine, 11 * S, late) == (ReportFailure(reason=Reason.TIMEOUT, tries_left=0),)
    assert (machine.reason, machine.last_reason) == ("connect_refused", "timeout")


def test_a_check_that_begins_down_gives_its_own_reason_once() -> None:
    """As after a reload that put it in the place of another."""
    machine = tcp()
    machine.handle(Startup(spread_ns=0, restored=Restored(is_up=False, weight=None, reason="timeout")), 0)
    failed = ReportFailure(reason=Reason.CONNECT_REFUSED, tries_left=0)
    assert run(machine, 0, REFUSED) == (failed, ReportChange(went_up=False, went_down=False))
    assert (machine.is_up, machine.reason) == (False, "connect_refused")
    late = ProbeFailed(reason=Reason.TIMEOUT)
    assert run(machine, 10 * S, late) == (ReportFailure(reason=Reason.TIMEOUT, tries_left=0),)
    assert machine.reason == "connect_refused"


def test_probes_keep_their_phase_however_long_each_takes() -> None:
    machine = begun(tcp())
    machine.handle(TIME_PASSED, 1_002 * MS)
    machine.handle(GOOD, 1_900 * MS)
    assert machine.next_deadline_ns() == 11 * S


def test_a_probe_never_overlaps_itself_and_missed_turns_are_not_made_up() -> None:
    machine = begun(tcp(delay_s=1))
    assert machine.handle(TIME_PASSED, 1 * S) == START
    assert machine.next_deadline_ns() is None
    assert machine.handle(TIME_PASSED, 2 * S) == ()
    machine.handle(REFUSED, 4_500 * MS)
    assert machine.next_deadline_ns() == 5 * S


def test_a_result_that_nobody_waits_for_changes_nothing() -> None:
    machine = settled(tcp(retry=0))
    assert machine.handle(REFUSED, 2 * S) == ()
    assert (machine.is_up, machine.runs, machine.next_deadline_ns()) == (True, 1, 11 * S)


def test_a_probe_that_could_not_be_made_says_nothing_about_the_server() -> None:
    machine = begun(tcp(retry=0))
    ours = ProbeImpossible(reason=Reason.NO_RESOURCES)
    assert run(machine, 1 * S, ours) == (ReportImpossible(reason=Reason.NO_RESOURCES),)
    assert (machine.is_up, machine.is_tested, machine.next_deadline_ns()) == (True, False, 11 * S)


def test_a_restored_check_keeps_its_state_and_its_tries() -> None:
    machine = tcp(retry=1)
    machine.handle(Startup(spread_ns=3 * S, restored=Restored(is_up=True, weight=7, reason="check_succeeded")), 0)
    assert (machine.is_up, machine.is_tested, machine.weight) == (True, True, 7)
    assert machine.next_deadline_ns() == 3 * S
    assert run(machine, 3 * S, REFUSED) == (ReportFailure(reason=Reason.CONNECT_REFUSED, tries_left=1),)


def test_a_restored_down_check_stays_down_until_it_succeeds() -> None:
    machine = tcp()
    machine.handle(Startup(spread_ns=0, restored=Restored(is_up=False, weight=None, reason="timeout")), 0)
    assert (machine.is_up, machine.reason) == (False, "timeout")
    assert run(machine, 0, GOOD) == WENT_UP


@pytest.mark.behaviour("CHK-61")
def test_a_weight_is_reported_when_it_changes_and_forgotten_when_it_goes_down() -> None:
    machine = begun(tcp(retry=0))
    assert run(machine, 1 * S, ProbeSucceeded(latency_ns=1, weight=10)) == CONFIRMED
    assert run(machine, 11 * S, ProbeSucceeded(latency_ns=1, weight=10)) == ()
    assert run(machine, 21 * S, ProbeSucceeded(latency_ns=1, weight=4)) == (
        ReportChange(went_up=False, went_down=False),
    )
    assert machine.weight == 4
    run(machine, 31 * S, REFUSED)
    assert machine.weight is None


@pytest.mark.behaviour("CHK-22")
def test_urls_take_turns_and_a_whole_round_makes_one_success() -> None:
    machine = begun(http(2))
    assert run(machine, 1 * S, GOOD) == ()
    assert machine.next_deadline_ns() == 11 * S
    assert machine.handle(TIME_PASSED, 11 * S) == (StartProbe(url=1),)
    assert machine.handle(GOOD, 11 * S) == CONFIRMED
    assert machine.handle(TIME_PASSED, 21 * S) == START


@pytest.mark.behaviour("CHK-24")
def test_a_down_http_check_asks_the_failed_url_only_then_all_from_the_first() -> None:
    machine = begun(http(3, retry=0))
    for at_s in (1, 11, 21):
        run(machine, at_s * S, GOOD)
    run(machine, 31 * S, GOOD)
    assert machine.handle(TIME_PASSED, 41 * S) == (StartProbe(url=1),)
    assert machine.handle(REFUSED, 41 * S) == WENT_DOWN
    assert machine.handle(TIME_PASSED, 51 * S) == (StartProbe(url=1),)
    assert machine.handle(GOOD, 51 * S) == ()
    for at_s, url in ((61, 0), (71, 1), (81, 2)):
        assert not machine.is_up
        assert machine.handle(TIME_PASSED, at_s * S) == (StartProbe(url=url),)
        said = machine.handle(GOOD, at_s * S)
    assert said == WENT_UP


@pytest.mark.behaviour("CHK-24")
def test_a_failure_in_the_recovery_round_makes_that_url_the_failed_one() -> None:
    machine = begun(http(2, retry=3))
    run(machine, 1 * S, REFUSED)
    run(machine, 11 * S, GOOD)
    run(machine, 21 * S, GOOD)
    assert machine.handle(TIME_PASSED, 31 * S) == (StartProbe(url=1),)
    assert machine.handle(REFUSED, 31 * S) == (ReportFailure(reason=Reason.CONNECT_REFUSED, tries_left=0),)
    assert machine.handle(TIME_PASSED, 41 * S) == (StartProbe(url=1),)


@pytest.mark.behaviour("CHK-24")
def test_a_down_http_check_waits_for_the_longer_of_its_two_delays() -> None:
    machine = begun(http(1, before_retry_s=25))
    run(machine, 1 * S, REFUSED)
    assert machine.next_deadline_ns() == 26 * S


@pytest.mark.behaviour("CHK-24")
def test_fast_recovery_does_not_wait_between_urls_before_it_is_up_and_waits_after() -> None:
    machine = begun(http(2, retry=0, fast_recovery=True))
    run(machine, 1 * S, GOOD)
    assert machine.next_deadline_ns() == 1_005 * MS
    assert run(machine, 1_005 * MS, GOOD) == CONFIRMED
    run(machine, 11_005 * MS, GOOD)
    assert machine.next_deadline_ns() == 21_005 * MS
    assert run(machine, 21_005 * MS, REFUSED) == WENT_DOWN
    run(machine, 31_005 * MS, GOOD)
    assert machine.next_deadline_ns() == 31_010 * MS


def test_an_answer_that_takes_longer_than_it_may_is_a_failure_like_any_other() -> None:
    timing = Timing(delay_loop_ns=10 * S, retry=1, max_latency_ns=100 * MS)
    machine = settled(CheckMachine(TcpCheck(target=TARGET, timing=timing, alpha=False)))
    slow = ProbeSucceeded(latency_ns=100 * MS + 1)
    assert run(machine, 11 * S, ProbeSucceeded(latency_ns=100 * MS)) == ()
    assert run(machine, 21 * S, slow) == (ReportFailure(reason=Reason.TOO_SLOW, tries_left=1, detail="100.0 ms"),)
    assert run(machine, 22_005 * MS, slow) == WENT_DOWN
    assert (machine.reason, machine.latency_ns) == (Reason.TOO_SLOW, 100_000_001)


def test_it_knows_the_end_of_the_certificate_that_was_shown_last() -> None:
    machine = settled(tcp())
    assert machine.certificate_until_s == 0
    run(machine, 11 * S, ProbeSucceeded(latency_ns=1, certificate_until_s=1_893_553_445))
    run(machine, 21 * S, REFUSED)
    assert machine.certificate_until_s == 1_893_553_445


def test_it_counts_its_runs_and_failures_and_knows_the_last() -> None:
    machine = settled(tcp())
    run(machine, 11 * S, ProbeFailed(reason=Reason.TIMEOUT, latency_ns=500 * MS))
    assert (machine.runs, machine.failures, machine.last_ns, machine.latency_ns) == (2, 1, 11_005 * MS, 500 * MS)


RESULTS = st.sampled_from([GOOD, GOOD, REFUSED, ProbeFailed(reason=Reason.TIMEOUT),
                           ProbeImpossible(reason=Reason.NO_RESOURCES)])  # fmt: skip
STEPS = st.lists(st.tuples(RESULTS, st.integers(0, 40 * S)), max_size=60)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.integers(0, 3), st.integers(1, 3), st.booleans())
def test_whatever_happens_it_probes_again_later_and_says_every_change_once(
    steps: list[tuple[ProbeSucceeded | ProbeFailed | ProbeImpossible, int]], retry: int, urls: int, fast: bool
) -> None:
    machine = begun(http(urls, retry=retry, fast_recovery=fast))
    said_up, failures_in_a_row = True, 0
    for result, took_ns in steps:
        due_ns = machine.next_deadline_ns()
        assert due_ns is not None
        assert len(machine.handle(TIME_PASSED, due_ns)) == 1
        assert machine.next_deadline_ns() is None
        was_settled = machine.is_up and machine.is_tested
        effects = machine.handle(result, due_ns + took_ns)
        assert (machine.next_deadline_ns() or 0) >= due_ns + took_ns
        failures_in_a_row = failures_in_a_row + 1 if isinstance(result, ProbeFailed) else (
            0 if isinstance(result, ProbeSucceeded) else failures_in_a_row
        )  # fmt: skip
        changes = [effect for effect in effects if isinstance(effect, ReportChange)]
        if changes:
            assert changes[0].went_up != changes[0].went_down
            said_up = changes[0].went_up
            assert said_up or not was_settled or failures_in_a_row == retry + 1
        assert machine.is_up == said_up

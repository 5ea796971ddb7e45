"""From checks to the verdict of a server."""

from __future__ import annotations

import pytest

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.events import TIME_PASSED, ProbeFailed, ProbeSucceeded, Restored, Startup
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.common.config.model import CheckedServer, Target, TcpCheck, Timing
from pyhad.common.messages import Verdict

S = 1_000_000_000


def machine(port: int, *, alpha: bool = False) -> CheckMachine:
    timing = Timing(delay_loop_ns=S, retry=0)
    made = CheckMachine(TcpCheck(target=Target(address="10.0.0.11", port=port), timing=timing, alpha=alpha))
    made.handle(Startup(spread_ns=0), 0)
    return made


def server(weight: int = 5) -> CheckedServer:
    return CheckedServer(
        service="10.0.0.1:80/tcp", server="10.0.0.11:80", address="10.0.0.11", port=80, weight=weight, alpha=False,
        checks=(),
    )  # fmt: skip


def judged(*machines: CheckMachine, weight: int = 5) -> ServerJudge:
    return ServerJudge(server(weight), machines, 100)


def succeed(one: CheckMachine, weight: int | None = None) -> None:
    at_ns = one.next_deadline_ns() or 0
    one.handle(TIME_PASSED, at_ns)
    one.handle(ProbeSucceeded(latency_ns=1, weight=weight), at_ns)


def fail(one: CheckMachine, reason: Reason = Reason.TIMEOUT) -> None:
    at_ns = one.next_deadline_ns() or 0
    one.handle(TIME_PASSED, at_ns)
    one.handle(ProbeFailed(reason=reason), at_ns)


@pytest.mark.behaviour("CHK-5")
def test_a_server_without_checks_is_up() -> None:
    assert judged().verdict == Verdict(
        service="10.0.0.1:80/tcp", server="10.0.0.11:80", up=True, weight=5, since_ns=100, reason="no_checks"
    )


@pytest.mark.behaviour("CHK-5")
def test_one_check_down_is_the_server_down_and_all_up_is_up() -> None:
    one, two = machine(1), machine(2)
    judge = judged(one, two)
    assert (judge.verdict.up, judge.verdict.reason) == (True, "not_checked_yet")
    fail(two, Reason.CONNECT_REFUSED)
    said = judge.judge(200)
    assert said is not None
    assert (said.up, said.reason, said.since_ns) == (False, "connect_refused", 200)
    succeed(one)
    assert judge.judge(300) is None
    succeed(two)
    said = judge.judge(400)
    assert said is not None
    assert (said.up, said.reason, said.since_ns) == (True, "check_succeeded", 400)


@pytest.mark.behaviour("CHK-6")
def test_an_alpha_check_keeps_the_server_down_until_it_succeeds() -> None:
    one, two = machine(1, alpha=True), machine(2)
    judge = judged(one, two)
    assert (judge.verdict.up, judge.verdict.reason) == (False, "not_checked_yet")
    succeed(one)
    said = judge.judge(200)
    assert said is not None
    assert (said.up, said.reason) == (True, "not_checked_yet")


def test_the_first_success_is_said_once_without_a_new_since() -> None:
    one = machine(1)
    judge = judged(one)
    succeed(one)
    said = judge.judge(200)
    assert said is not None
    assert (said.up, said.reason, said.since_ns) == (True, "check_succeeded", 100)
    assert judge.judge(300) is None


@pytest.mark.behaviour("CHK-61")
def test_wanted_weights_add_up_as_differences_to_the_configured_one() -> None:
    one, two, three = machine(1), machine(2), machine(3)
    judge = judged(one, two, three, weight=5)
    succeed(one, weight=10)
    succeed(two, weight=3)
    succeed(three)
    said = judge.judge(200)
    assert said is not None
    assert (said.weight, said.since_ns) == (8, 100)


@pytest.mark.behaviour("CHK-61")
def test_a_weight_never_falls_below_zero() -> None:
    one, two = machine(1), machine(2)
    judge = judged(one, two, weight=10)
    succeed(one, weight=0)
    succeed(two, weight=0)
    said = judge.judge(200)
    assert said is not None
    assert (said.up, said.weight) == (True, 0)


@pytest.mark.behaviour("CHK-61")
def test_a_down_server_has_its_configured_weight() -> None:
    one, two = machine(1), machine(2)
    judge = judged(one, two, weight=5)
    succeed(one, weight=10)
    assert judge.judge(200) is not None
    fail(two)
    said = judge.judge(300)
    assert said is not None
    assert (said.up, said.weight) == (False, 5)


def test_restored_words_do_not_change_what_is_said() -> None:
    judge = judged(machine(1))
    judge.restore(42, "check_succeeded")
    assert (judge.verdict.up, judge.verdict.since_ns, judge.verdict.reason) == (True, 42, "check_succeeded")


def named(address: str, *, alpha: bool = False, is_unresolved: bool = False) -> CheckedServer:
    return CheckedServer(
        service="10.0.0.1:80/tcp", server="web:80", address=address, port=80, weight=5, alpha=alpha, checks=(),
        name="web", is_unresolved=is_unresolved,
    )  # fmt: skip


def test_who_waits_for_an_address_is_assumed_up_unless_alpha_or_asked_for_in_vain() -> None:
    said = [
        ServerJudge(one, (), 100).verdict
        for one in (named(""), named("", alpha=True), named("", is_unresolved=True), named("10.0.0.11"))
    ]
    assert [(one.up, one.reason, one.address) for one in said] == [
        (True, "not_checked_yet", ""),
        (False, "not_checked_yet", ""),
        (False, "name_not_resolved", ""),
        (True, "no_checks", "10.0.0.11"),
    ]


def test_who_was_down_is_not_up_before_every_check_has_succeeded() -> None:
    one, two = machine(1), machine(2)
    judge = ServerJudge(named("10.0.0.12"), (one, two), 100, was_down=True)
    assert (judge.verdict.up, judge.is_proved) == (False, False)
    succeed(one)
    assert judge.judge(200) is None
    succeed(two)
    said = judge.judge(300)
    assert said is not None
    assert (said.up, said.since_ns, judge.is_proved) == (True, 300, True)


def test_an_assumption_proves_nothing() -> None:
    one = machine(1)
    judge = ServerJudge(named("10.0.0.12"), (one,), 100)
    assert (judge.verdict.up, judge.is_proved) == (True, False)


def test_the_reason_of_a_gone_check_gives_way_to_that_of_the_checks_of_now() -> None:
    down = machine(1)
    down.handle(Startup(spread_ns=0, restored=Restored(is_up=False, weight=None, reason="timeout")), 0)
    judge = judged(down)
    judge.restore(42, "exit_status")
    assert (judge.verdict.up, judge.verdict.since_ns, judge.verdict.reason) == (False, 42, "timeout")
    fail(down, Reason.CONNECT_REFUSED)
    said = judge.judge(200)
    assert said is not None
    assert (said.up, said.since_ns, said.reason) == (False, 42, "connect_refused")
    assert judge.judge(300) is None

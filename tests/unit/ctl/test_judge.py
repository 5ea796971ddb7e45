"""What may be believed, what is wrong, and the exit codes that follow."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pyhad.common.states import ProcessName, ProcessState, RouterState
from pyhad.ctl.judge import Part, condition, exit_code, is_master, problems, trust_of

S = 1_000_000_000
VRRP = ProcessName.VRRP


def test_a_daemon_in_good_health_has_no_problem(replies: Any) -> None:
    assert problems(replies.good(), replies.now_ns) == ()
    assert exit_code(()) == 0


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "running"),
        ({"state": ProcessState.STARTING}, "starting"),
        ({"silent": True}, "silent"),
        ({"pid": 0, "silent": True, "state": ProcessState.BACKOFF}, "dead"),
        ({"pid": 0, "silent": True}, "dead"),
        ({"pid": 0, "state": ProcessState.STOPPED}, "stopped"),
        ({"pid": 0, "state": ProcessState.ABSENT}, "not needed"),
    ],
)
def test_the_condition_of_a_process_is_one_plain_word(replies: Any, changes: dict[str, Any], word: str) -> None:
    assert condition(replies.process(VRRP, **changes)) == word


def test_a_fresh_report_of_a_lively_process_is_trusted(replies: Any) -> None:
    trust = trust_of(replies.good(), VRRP, replies.now_ns)
    assert (trust.needed, trust.trusted, trust.caution, trust.age_ns) == (True, True, "", 2_000_000)


def test_a_report_of_a_silent_process_is_not_trusted(replies: Any) -> None:
    trust = trust_of(replies.silent_vrrp(), VRRP, replies.now_ns)
    assert (trust.trusted, trust.caution) == (False, "as of 4.2 s ago, the vrrp process is silent")


def test_even_a_fresh_report_of_a_dead_process_is_not_trusted(replies: Any) -> None:
    reply = replies.with_process(replies.good(), VRRP, pid=0, silent=True, state=ProcessState.BACKOFF)
    trust = trust_of(reply, VRRP, replies.now_ns)
    assert (trust.trusted, trust.caution) == (False, "as of 0.0 s ago, the vrrp process is dead")


def test_a_report_of_a_predecessor_is_not_trusted(replies: Any) -> None:
    reply = replies.with_process(replies.good(), VRRP, uptime_ns=1_000_000)
    trust = trust_of(reply, VRRP, replies.now_ns)
    assert (trust.trusted, trust.caution) == (False, "as of 0.0 s ago, before the vrrp process was replaced")


def test_a_report_older_than_a_second_is_not_trusted_though_the_process_turns(replies: Any) -> None:
    reply = replies.good()
    old = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, taken_ns=replies.now_ns - S))
    assert trust_of(old, VRRP, replies.now_ns).trusted
    older = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, taken_ns=replies.now_ns - S - 1))
    trust = trust_of(older, VRRP, replies.now_ns)
    assert (trust.trusted, trust.caution) == (False, "as of 1.0 s ago, the vrrp process does not answer")


def test_a_report_is_as_old_as_it_was_when_it_was_asked_for(replies: Any) -> None:
    """The checker answered at once, and the owner of 40,000 servers three seconds later."""
    reply = dataclasses.replace(replies.good(), asked_ns=replies.now_ns - 3 * S)
    at_once = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, taken_ns=replies.now_ns - 3 * S))
    trust = trust_of(at_once, VRRP, replies.now_ns)
    assert (trust.trusted, trust.age_ns) == (True, 3 * S)
    silent = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, taken_ns=replies.now_ns - 4 * S - 1))
    assert trust_of(silent, VRRP, replies.now_ns).caution == "as of 4.0 s ago, the vrrp process does not answer"


def test_no_report_at_all_is_not_trusted(replies: Any) -> None:
    trust = trust_of(dataclasses.replace(replies.good(), vrrp=None), VRRP, replies.now_ns)
    assert (trust.trusted, trust.age_ns) == (False, -1)
    assert trust.caution == "nothing known: the vrrp process has not reported yet"


def test_what_is_not_needed_needs_no_trust(replies: Any) -> None:
    reply = replies.nothing_needed()
    trust = trust_of(reply, VRRP, replies.now_ns)
    assert (trust.needed, trust.trusted) == (False, True)
    assert problems(reply, replies.now_ns) == ()


def test_a_silent_process_is_one_problem_not_two_and_means_unknown(replies: Any) -> None:
    found = problems(replies.silent_vrrp(), replies.now_ns)
    assert [problem.kind for problem in found] == ["process_silent"]
    assert exit_code(found) == 3


def test_a_part_asked_alone_says_that_its_source_cannot_be_trusted(replies: Any) -> None:
    reply = replies.silent_vrrp()
    found = problems(reply, replies.now_ns, (Part.VRRP,))
    assert [(problem.kind, problem.subject) for problem in found] == [("report_untrusted", "vrrp")]
    assert problems(reply, replies.now_ns, (Part.SERVICES,)) == ()


def test_a_fault_is_a_problem_that_is_known(replies: Any) -> None:
    reply = replies.good()
    router = replies.router("VI_1", 51, RouterState.FAULT, reason="interface_down")
    reply = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, routers=(router,)))
    found = problems(reply, replies.now_ns)
    assert [(problem.kind, problem.text) for problem in found] == [
        ("router_fault", "VI_1 is in FAULT (interface_down)")
    ]
    assert exit_code(found) == 1


def test_a_router_that_is_held_back_is_no_problem_unless_nobody_is_master(replies: Any) -> None:
    reply = replies.good()
    router = replies.router("VI_1", 51, RouterState.BACKUP, admin="standby", master_address="192.0.2.3")
    held = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, routers=(router,)))
    assert problems(held, replies.now_ns) == ()
    alone = dataclasses.replace(router, master_address="")
    held = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, routers=(alone,)))
    [found] = problems(held, replies.now_ns)
    assert (found.kind, found.subject) == ("standby_alone", "VI_1")
    assert exit_code((found,)) == 1


def test_a_fault_that_a_silent_process_reported_is_not_called_known(replies: Any) -> None:
    reply = replies.silent_vrrp()
    router = replies.router("VI_1", 51, RouterState.FAULT)
    reply = dataclasses.replace(reply, vrrp=dataclasses.replace(reply.vrrp, routers=(router,)))
    assert [problem.kind for problem in problems(reply, replies.now_ns)] == ["process_silent"]


def test_a_quorum_that_a_silent_process_reported_is_not_called_known(replies: Any) -> None:
    reply = replies.with_process(replies.good(), ProcessName.IPVS, silent=True)
    service = dataclasses.replace(reply.ipvs.services[0], quorum_up=False)
    reply = dataclasses.replace(reply, ipvs=dataclasses.replace(reply.ipvs, services=(service,)))
    assert [problem.kind for problem in problems(reply, replies.now_ns)] == ["process_silent"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"quorum_up": False}, "quorum_lost"),
        ({"problem": "refused"}, "service_refused"),
        ({"installed": False}, "service_missing"),
        ({"kept_in": 1}, "panic"),
    ],
)
def test_a_service_that_does_not_serve_is_a_problem(replies: Any, changes: dict[str, Any], kind: str) -> None:
    reply = replies.good()
    service = dataclasses.replace(reply.ipvs.services[0], **changes)
    reply = dataclasses.replace(reply, ipvs=dataclasses.replace(reply.ipvs, services=(service,)))
    assert [problem.kind for problem in problems(reply, replies.now_ns)] == [kind]


def test_settings_of_ipvs_that_the_kernel_refused_are_a_problem(replies: Any) -> None:
    good = replies.good()
    ipvs = dataclasses.replace(good.ipvs, problem="start the sync daemon on eth9: ENODEV")
    [found] = problems(dataclasses.replace(good, ipvs=ipvs), replies.now_ns)
    assert (found.kind, found.text) == (
        "settings_refused",
        "the kernel refused: start the sync daemon on eth9: ENODEV",
    )


def test_a_refused_reload_is_a_problem(replies: Any) -> None:
    reply = dataclasses.replace(replies.good(), last_reload_ok=False, last_reload_error="x")
    assert [problem.kind for problem in problems(reply, replies.now_ns)] == ["reload_failed"]


def test_is_master_says_0_for_master_1_for_not_and_3_for_not_known(replies: Any) -> None:
    assert is_master(replies.good(), "VI_WEB", replies.now_ns) == (0, "VI_WEB is MASTER")
    assert is_master(replies.good(), "VI_MAIL", replies.now_ns) == (1, "VI_MAIL is BACKUP")
    code, text = is_master(replies.good(), "VI_X", replies.now_ns)
    assert (code, text) == (3, "no virtual router is called VI_X; there is VI_MAIL, VI_WEB")


def test_is_master_never_says_0_for_a_silent_process(replies: Any) -> None:
    code, text = is_master(replies.silent_vrrp(), "VI_WEB", replies.now_ns)
    assert (code, text) == (3, "not known: VI_WEB was MASTER as of 4.2 s ago, the vrrp process is silent")
    assert is_master(replies.nothing_needed(), "VI_WEB", replies.now_ns)[0] == 3


def test_a_server_that_is_up_may_warn(replies: Any) -> None:
    reply = replies.good()
    health = reply.checker.servers[0]
    warnings = ("slow", "certificate_ends")
    check = dataclasses.replace(
        health.checks[0], kind="SSL_GET", warnings=warnings, latency_ns=310_000_000, certificate_until_s=1_893_553_445
    )
    servers = (dataclasses.replace(health, checks=(check,)), *reply.checker.servers[1:])
    warned = dataclasses.replace(reply, checker=dataclasses.replace(reply.checker, servers=servers))
    server = f"{health.verdict.server} of 192.0.2.100:80/tcp"
    assert [(one.kind, one.text) for one in problems(warned, replies.now_ns)] == [
        ("check_slow", f"{server} answers slower than it should (SSL_GET: 310 ms)"),
        ("check_certificate_ends", f"{server} shows a certificate that ends soon (SSL_GET: 2030-01-02 03:04 UTC)"),
    ]

"""What a successor, or the next configuration, inherits."""

from __future__ import annotations

import random

import pytest

from pyhad.checker_proc.core.checker import CheckMachine
from pyhad.checker_proc.core.events import TIME_PASSED, ProbeFailed, ProbeSucceeded, Restored, Startup
from pyhad.checker_proc.core.journal import (
    RECORD_BYTES,
    ServerRecord,
    fitting,
    inherit,
    is_up_at,
    pack,
    record_of,
    unpack,
)
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.common.config.model import CheckedServer, Target, TcpCheck, Timing

S = 1_000_000_000
DOWN = ServerRecord(up=False, since_ns=5, reason="timeout", checks={}, is_whole=True)
UP = ServerRecord(up=True, since_ns=5, reason="check_succeeded", checks={}, is_whole=True)
KEY = ("s", "web.example:80")


def tcp(port: int) -> TcpCheck:
    return TcpCheck(target=Target(address="10.0.0.11", port=port), timing=Timing(), alpha=False)


def named(address: str) -> CheckedServer:
    return CheckedServer(
        service=KEY[0], server=KEY[1], address=address, port=80, weight=1, alpha=False, checks=(), name="web.example"
    )


def judge_with(*results: ProbeSucceeded | ProbeFailed | None, server: CheckedServer | None = None) -> ServerJudge:
    """A server with a check on port 1, 2, ... for each result; None: not tested yet."""
    machines = []
    for port, result in enumerate(results, 1):
        machine = CheckMachine(tcp(port))
        machine.handle(Startup(spread_ns=0), 0)
        if result is not None:
            machine.handle(TIME_PASSED, S)
            machine.handle(result, S)
        machines.append(machine)
    literal = CheckedServer(
        service="s", server="10.0.0.11:80", address="10.0.0.11", port=80, weight=1, alpha=False, checks=()
    )
    return ServerJudge(server or literal, tuple(machines), 77)


GOOD = ProbeSucceeded(latency_ns=1)
HEAVY = ProbeSucceeded(latency_ns=1, weight=9)
REFUSED = ProbeFailed(reason=Reason.CONNECT_REFUSED)


def test_a_record_comes_back_from_its_bytes() -> None:
    record = record_of(judge_with(GOOD, REFUSED, None, HEAVY))
    again = unpack(pack(record))
    assert again == record
    assert again is not None
    assert (again.up, again.since_ns, again.reason, len(again.checks)) == (False, 77, "connect_refused", 3)


def test_each_check_inherits_its_own_result() -> None:
    record = record_of(judge_with(GOOD, REFUSED, None, HEAVY))
    assert inherit(tcp(1), [record]) == Restored(is_up=True, weight=None, reason="check_succeeded")
    assert inherit(tcp(2), [record]) == Restored(is_up=False, weight=None, reason="connect_refused")
    assert inherit(tcp(4), [None, record]) == Restored(is_up=True, weight=9, reason="check_succeeded")


def test_a_check_of_a_new_server_inherits_nothing() -> None:
    assert inherit(tcp(1), [None]) is None


@pytest.mark.behaviour("REL-33")
def test_a_new_check_of_a_server_that_was_out_waits_for_its_success() -> None:
    assert inherit(tcp(9), [DOWN]) == Restored(is_up=False, weight=None, reason="timeout")


def test_a_new_check_takes_nobody_down_who_was_up_or_new() -> None:
    assert inherit(tcp(9), [UP]) is None
    assert inherit(tcp(9), [DOWN, UP]) is None
    assert inherit(tcp(9), [DOWN, None]) is None


def test_a_record_with_many_checks_keeps_the_bad_ones_and_stays_small() -> None:
    record = record_of(judge_with(*[GOOD] * 10, REFUSED))
    payload = pack(record)
    assert len(payload) <= RECORD_BYTES
    again = unpack(payload)
    assert again is not None
    assert not again.is_whole
    assert Restored(is_up=False, weight=None, reason="connect_refused") in again.checks.values()
    assert inherit(tcp(11), [again]) == Restored(is_up=False, weight=None, reason="connect_refused")


def test_a_check_left_out_of_a_good_servers_record_was_good() -> None:
    again = unpack(pack(record_of(judge_with(*[GOOD] * 11))))
    assert again is not None
    assert inherit(tcp(11), [again]) == Restored(is_up=True, weight=None, reason="check_succeeded")


def test_the_record_of_a_named_server_says_of_which_address_it_is() -> None:
    record = record_of(judge_with(*[GOOD] * 11, server=named("10.0.0.7")))
    payload = pack(record)
    assert len(payload) == RECORD_BYTES
    again = unpack(payload)
    assert again is not None
    assert (is_up_at(again, "10.0.0.7"), is_up_at(again, "10.0.0.8"), is_up_at(None, "")) == (True, False, False)
    assert fitting([named("10.0.0.7")], {KEY: again}) == {KEY: again}
    assert fitting([named("10.0.0.8")], {KEY: again}) == {}
    assert unpack(payload[:-2]) is None


def test_a_record_that_says_no_address_counts_at_each() -> None:
    known = unpack(pack(record_of(judge_with(GOOD))))
    assert known is not None
    assert is_up_at(known, "10.0.0.8")
    assert fitting([named("10.0.0.8")], {KEY: known}) == {KEY: known}


def test_who_was_down_at_one_address_is_not_assumed_up_at_another() -> None:
    known = unpack(pack(record_of(judge_with(REFUSED, server=named("10.0.0.7")))))
    assert known is not None
    assert not is_up_at(known, "10.0.0.7")
    assert fitting([named("10.0.0.8")], {KEY: known}) == {KEY: known}


def test_bytes_that_are_no_record_are_refused() -> None:
    seed = 20261122
    print("seed", seed)
    source = random.Random(seed)
    good = pack(record_of(judge_with(GOOD)))
    assert unpack(good[:-1]) is None
    assert unpack(b"\x09" + good[1:]) is None
    assert unpack(good[:10] + b"\xff" + good[11:]) is None
    for _ in range(2000):
        assert isinstance(unpack(source.randbytes(source.randrange(64))), (ServerRecord, type(None)))

"""Identity, spread and grid."""

from __future__ import annotations

import dataclasses

import pytest

from pyhad.checker_proc.core.schedule import fingerprint, grid_slot, identity_of, next_turn_ns, spread_ns
from pyhad.common.config.model import HttpCheck, HttpUrl, MiscCheck, PingCheck, Target, TcpCheck, Timing
from pyhad.common.config.model.tracking import Program

MS = 1_000_000
TARGET = Target(address="10.0.0.11", port=80)
TCP = TcpCheck(target=TARGET, timing=Timing(), alpha=False)
HTTP = HttpCheck(target=TARGET, timing=Timing(), alpha=False, urls=(HttpUrl(path="/"),))
MISC = MiscCheck(program=Program(argv=("/bin/true",)), timeout_ns=1, dynamic=False, timing=Timing(), alpha=False)


@pytest.mark.behaviour("REL-37")
def test_pace_timeout_and_alpha_are_no_part_of_what_a_check_is() -> None:
    slower = dataclasses.replace(
        TCP, timing=Timing(delay_loop_ns=1), alpha=True, target=dataclasses.replace(TARGET, connect_timeout_ns=1)
    )
    assert identity_of(slower) == identity_of(TCP)
    assert identity_of(dataclasses.replace(MISC, timeout_ns=2)) == identity_of(MISC)


@pytest.mark.behaviour("REL-37")
@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(TCP, target=dataclasses.replace(TARGET, port=81)),
        dataclasses.replace(TCP, target=dataclasses.replace(TARGET, bind_address="10.0.0.1")),
        HTTP,
        dataclasses.replace(HTTP, urls=(HttpUrl(path="/other"),)),
        MISC,
        dataclasses.replace(MISC, dynamic=True),
        dataclasses.replace(MISC, program=Program(argv=("/bin/false",))),
        PingCheck(target=TARGET, timing=Timing(), alpha=False),
    ],
)
def test_whom_it_asks_what_is(other: TcpCheck | HttpCheck | MiscCheck | PingCheck) -> None:
    assert identity_of(other) != identity_of(TCP)
    assert identity_of(other) == identity_of(dataclasses.replace(other))


def test_a_ping_has_no_port() -> None:
    ping = PingCheck(target=TARGET, timing=Timing(), alpha=False)
    assert identity_of(ping) == identity_of(dataclasses.replace(ping, target=dataclasses.replace(TARGET, port=9)))


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    # printf "('TCP_CHECK', '10.0.0.11', 80)" | b2sum -l 64
    assert fingerprint(("TCP_CHECK", "10.0.0.11", 80)) == 0x6B24DB6100EFE86A


def test_spread_lies_on_the_grid_within_its_span() -> None:
    places = {spread_ns(fingerprint(("check", number)), 1_000 * MS) for number in range(2000)}
    assert all(0 <= place < 1_000 * MS and place % (20 * MS) == 0 for place in places)
    assert len(places) == 50


def test_without_a_span_there_is_no_spread() -> None:
    assert spread_ns(1, 0) == 0


def test_a_slot_is_never_early() -> None:
    assert [grid_slot(at) for at in (0, 1, 20 * MS, 20 * MS + 1)] == [0, 20 * MS, 20 * MS, 40 * MS]


@pytest.mark.parametrize(
    ("turn", "period", "now", "expected"),
    [(100, 50 * MS, 200, 100 + 50 * MS), (0, 50 * MS, 50 * MS, 100 * MS), (0, 50 * MS, 170 * MS, 200 * MS),
     (0, 0, 5, 20 * MS)],
)  # fmt: skip
def test_the_next_turn_keeps_the_phase_and_is_in_the_future(turn: int, period: int, now: int, expected: int) -> None:
    assert next_turn_ns(turn, period, now) == expected

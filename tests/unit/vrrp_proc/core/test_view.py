"""What a router shows to status and to the black box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import Reason
from pyhad.vrrp_proc.core.events import FaultCause
from pyhad.vrrp_proc.core.states import Counters, Snapshot

MakeBench = Callable[..., Any]
S = 1_000_000_000


def test_an_active_router_shows_itself_as_master(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    b.pass_time(4_609_375_000)
    assert b.router.snapshot() == Snapshot(
        state=RouterState.MASTER,
        since_ns=3_609_375_000,
        reason=Reason.ACTIVE_DOWN_TIMER,
        effective_priority=100,
        master_address="10.0.0.2",
        master_priority=100,
        active_adver_interval_cs=100,
        active_down_at_ns=0,
        last_sent_ns=4_609_375_000,
        faults=frozenset(),
    )
    assert b.router.counters == Counters(become_master=1, advert_sent=2)


def test_a_backup_shows_whom_it_waits_for_and_until_when(bench: MakeBench) -> None:
    b = bench()
    b.start()
    b.hear(1 * S, 150)
    shown = b.router.snapshot()
    assert (shown.state, shown.master_address, shown.master_priority) == (RouterState.BACKUP, "10.0.0.1", 150)
    assert shown.active_down_at_ns == 4_609_375_000
    assert shown.last_sent_ns == 0


def test_a_router_in_fault_shows_why(bench: MakeBench) -> None:
    b = bench()
    b.start(faults=frozenset({FaultCause.NO_SOURCE_ADDRESS}))
    shown = b.router.snapshot()
    assert (shown.state, shown.faults) == (RouterState.FAULT, {FaultCause.NO_SOURCE_ADDRESS})
    assert shown.master_address == ""

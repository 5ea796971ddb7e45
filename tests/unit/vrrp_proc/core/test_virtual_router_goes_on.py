"""How a router goes on over a restart of its process and over a reload. Effects as words, see conftest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.events import ConfigurationChanged

MakeBench = Callable[..., Any]
S = 1_000_000_000


# ------------------------------------------------------------------------------------------------- restart


def test_the_successor_of_an_active_router_goes_on_at_once(bench: MakeBench) -> None:
    b = bench()
    came = b.start(restored_active=True, last_sent_ns=-3 * S, restored_since_ns=-99 * S)
    assert came == ["adv 100", "install 10.1.1.1", "announce x1 10.1.1.1", "INIT->MASTER resumed_after_restart"]
    assert b.router.snapshot().since_ns == -99 * S
    assert b.pass_time(1 * S) == ["adv 100"]
    assert [b.pass_time(at_s * S) for at_s in range(2, 7)] == [["adv 100"]] * 5  # no second burst


def test_the_successor_that_comes_too_late_listens_first(bench: MakeBench) -> None:
    came = bench().start(restored_active=True, last_sent_ns=-3_007_812_500)
    assert came == ["remove 10.1.1.1", "INIT->BACKUP startup too_late_to_resume"]


def test_the_successor_of_a_backup_waits_on(bench: MakeBench) -> None:
    b = bench()
    came = b.start(restored_backup_of="10.0.0.9", restored_master_priority=200, restored_down_at_ns=3 * S)
    assert came == ["remove 10.1.1.1", "INIT->BACKUP resumed_after_restart 10.0.0.9"]
    assert b.router.next_deadline_ns() == 3 * S


# -------------------------------------------------------------------------------------------------- reload


def _with(make_config: Callable[..., VrrpInstance], *addresses: str, **changes: Any) -> ConfigurationChanged:
    virtual = tuple(VirtualAddress(address=text, prefix_len=32, interface="eth0") for text in addresses)
    return ConfigurationChanged(config=make_config(addresses=virtual, **changes))


@pytest.mark.behaviour("REL-10", "REL-12", "REL-13")
def test_a_reload_of_an_active_router_touches_only_the_difference(
    bench: MakeBench, make_config: Callable[..., VrrpInstance]
) -> None:
    b = bench()
    b.become_active()
    came = b.at(5 * S, _with(make_config, "10.1.1.1", "10.1.1.2"))
    assert came == ["adv 100", "install 10.1.1.2", "announce x5 10.1.1.2"]
    assert b.at(6 * S, _with(make_config, "10.1.1.2")) == ["adv 100", "remove 10.1.1.1"]
    assert b.at(7 * S, _with(make_config, "10.1.1.2")) == ["adv 100"]


@pytest.mark.behaviour("REL-16")
def test_a_new_priority_and_interval_hold_at_once(bench: MakeBench, make_config: Callable[..., VrrpInstance]) -> None:
    b = bench()
    b.become_active()
    came = b.at(5 * S, _with(make_config, "10.1.1.1", base_priority=50, advertisement_interval_cs=200))
    assert came == ["adv 50"]
    assert b.router.next_deadline_ns() == 7 * S


@pytest.mark.behaviour("REL-16")
def test_a_new_priority_moves_the_deadline_of_a_backup(
    bench: MakeBench, make_config: Callable[..., VrrpInstance]
) -> None:
    b = bench()
    b.start()
    b.hear(1 * S, 150)  # until 4.609375 s
    assert b.at(2 * S, _with(make_config, "10.1.1.1", base_priority=228)) == []
    assert b.router.next_deadline_ns() == 4_109_375_000  # the skew is 28/256 s now

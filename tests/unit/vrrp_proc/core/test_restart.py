"""What a successor may take over. Version 2, 1 s: peers wait 3.0078125 s at least."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.events import Startup
from pyhad.vrrp_proc.core.restart import may_resume_active, resumed_backup

S = 1_000_000_000


def _startup(**restored: Any) -> Startup:
    return Startup(faults=frozenset(), source_address="10.0.0.2", **restored)


@pytest.mark.parametrize(
    ("now_ns", "expected"),
    [(10 * S, True), (13_007_812_499, True), (13_007_812_500, False), (10 * S - 1, False)],
)
def test_an_active_router_is_resumed_while_no_peer_can_have_noticed(
    make_config: Callable[..., VrrpInstance], now_ns: int, expected: bool
) -> None:
    startup = _startup(restored_active=True, last_sent_ns=10 * S)
    assert may_resume_active(make_config(), startup, now_ns) is expected


def test_who_was_not_active_is_not_resumed_as_such(make_config: Callable[..., VrrpInstance]) -> None:
    assert not may_resume_active(make_config(), _startup(last_sent_ns=10 * S), 10 * S)


@pytest.mark.parametrize(
    ("down_at_ns", "expected_ns"),
    [
        (12 * S, 12 * S),  # 2 s remain
        (10 * S + 1, 11_609_375_000),  # an interval and the skew at least: nobody listened meanwhile
        (2 * S, 11_609_375_000),
        (99 * S, 13_609_375_000),  # never more than the whole interval
    ],
)
def test_a_backup_waits_on_for_the_same_master(
    make_config: Callable[..., VrrpInstance], down_at_ns: int, expected_ns: int
) -> None:
    startup = _startup(restored_backup_of="10.0.0.1", restored_master_priority=150, restored_down_at_ns=down_at_ns)
    backup = resumed_backup(make_config(), 100, startup, 10 * S)
    assert backup.active_down_at_ns == expected_ns
    assert (backup.master_address, backup.master_priority) == ("10.0.0.1", 150)


def test_version_3_keeps_the_interval_of_its_master(make_config: Callable[..., VrrpInstance]) -> None:
    startup = _startup(restored_backup_of="10.0.0.1", restored_master_interval_cs=50, restored_down_at_ns=1)
    backup = resumed_backup(make_config(version=3), 100, startup, 10 * S)
    assert backup.active_adver_interval_cs == 50
    assert backup.active_down_at_ns == 10_804_687_500  # 0.5 s + 156/256 of it

"""`garp_group`, the global intervals, `garp_extra_if`, start delays and `timer_expired_backup` in the documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model.garp import AnnounceLimit

Compile = Callable[..., Any]
MS = 1_000_000
INSTANCE = """
vrrp_instance A {{
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {{ 192.0.2.1 }}
    {0}
}}
"""


def document(result: Any) -> Any:
    assert result.errors == []
    return result.result.configuration.vrrp


@pytest.mark.behaviour("NET-25")
def test_limits_of_interfaces_of_groups_and_of_all_others(compiled: Compile) -> None:
    text = """
global_defs {
    vrrp_garp_interval 0.001
    vrrp_gna_interval 0.000002
}
garp_group {
    garp_interval 0.02
    gna_interval 0.03
    interface eth0
    interface eth1
}
garp_group {
    garp_interval 0.5
    interfaces {
        eth2
        eth3
    }
}
"""
    assert document(compiled(text + INSTANCE.format(""))).announce_limits == (
        AnnounceLimit(garp_interval_ns=MS, gna_interval_ns=2000),
        AnnounceLimit(interfaces=("eth0",), garp_interval_ns=20 * MS, gna_interval_ns=30 * MS),
        AnnounceLimit(interfaces=("eth1",), garp_interval_ns=20 * MS, gna_interval_ns=30 * MS),
        AnnounceLimit(interfaces=("eth2", "eth3"), garp_interval_ns=500 * MS, gna_interval_ns=2000),
    )


@pytest.mark.behaviour("NET-25")
def test_an_interface_is_in_one_group_only(compiled: Compile) -> None:
    text = "garp_group {\n garp_interval 1\n interface eth0\n}\n" * 2
    result = compiled(text + INSTANCE.format(""))
    assert len(document(result).announce_limits) == 1
    assert any("eth0 is ignored: it is in a garp_group already" in warning for warning in result.warnings)
    assert any("limits nothing" in warning for warning in result.warnings)


def test_without_limits_there_are_none(compiled: Compile) -> None:
    assert document(compiled(INSTANCE.format(""))).announce_limits == ()


@pytest.mark.behaviour("NET-26")
def test_extra_interfaces_by_the_instance_or_for_all(compiled: Compile) -> None:
    text = "global_defs {\n vrrp_garp_extra_if all 60\n}\n"
    found = document(compiled(text + INSTANCE.format("garp_extra_if 30"))).instances[0].announcement
    assert (found.extra_ns, found.extra_all) == (30_000 * MS, False)
    found = document(compiled(text + INSTANCE.format(""))).instances[0].announcement
    assert (found.extra_ns, found.extra_all) == (60_000 * MS, True)
    found = document(compiled(text + INSTANCE.format("garp_extra_if 0"))).instances[0].announcement
    assert found.extra_ns == 0


@pytest.mark.behaviour("FSM-50", "FIX-22")
def test_timer_expired_backup_names_the_highest_of_the_others_where_nobody_preempts(compiled: Compile) -> None:
    def highest(words: str) -> int:
        return int(document(compiled(INSTANCE.format(words))).instances[0].highest_other_priority)

    assert highest("state BACKUP\n nopreempt\n timer_expired_backup 150") == 150
    assert highest("state BACKUP\n nopreempt\n timer_expired_backup") == 254
    result = compiled(INSTANCE.format("timer_expired_backup 150"))
    assert document(result).instances[0].highest_other_priority == 254
    assert any("has no nopreempt" in warning for warning in result.warnings)


@pytest.mark.behaviour("FSM-13")
def test_delays_after_the_start_and_after_the_boot(compiled: Compile) -> None:
    text = "global_defs {\n vrrp_startup_delay 1.5\n vrrp_delay_after_boot 90\n}\n"
    found = document(compiled(text + INSTANCE.format("")))
    assert (found.startup_delay_ns, found.delay_after_boot_ns) == (1500 * MS, 90_000 * MS)


def test_the_buffer_of_the_netlink_monitor(compiled: Compile) -> None:
    text = "global_defs {\n vrrp_netlink_monitor_rcv_bufs 5000000\n vrrp_netlink_monitor_rcv_bufs_force\n}\n"
    found = document(compiled(text + INSTANCE.format(""))).monitor_buffer
    assert (found.size_bytes, found.beyond_limit) == (5000000, True)

"""Polled links, strangers and membership reports in the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model.lookout import NO_LOOKOUT, Lookout, PollMethod

Compile = Callable[..., Any]
TWO = """
vrrp_instance A {{
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {{ 192.0.2.1 }}
    track_interface {{ eth2 weight 5 }}
    {}
}}
vrrp_instance B {{
    interface eth1
    virtual_router_id 1
    virtual_ipaddress {{ 192.0.2.2 }}
}}
"""


def polls(result: Any) -> list[tuple[str, PollMethod]]:
    lookout: Lookout = result.result.configuration.vrrp.lookout
    return [(poll.interface, poll.method) for poll in lookout.link_polls]


def test_nothing_of_it_is_on_by_itself(compiled: Compile) -> None:
    assert compiled(TWO.format("")).result.configuration.vrrp.lookout == NO_LOOKOUT


@pytest.mark.behaviour("FSM-49")
def test_interfaces_are_polled_by_the_method_that_is_named(compiled: Compile) -> None:
    text = "linkbeat_interfaces {\n eth0\n eth1 ETHTOOL\n eth3 MII\n eth4 IOCTL\n eth0 MII\n}\n"
    assert polls(compiled(text + TWO.format(""))) == [
        ("eth0", PollMethod.MII), ("eth1", PollMethod.ETHTOOL), ("eth3", PollMethod.MII), ("eth4", PollMethod.IOCTL),
    ]  # fmt: skip


@pytest.mark.behaviour("FSM-49")
def test_polling_of_one_instance_is_of_its_interface_and_polling_of_all_of_all_they_follow(compiled: Compile) -> None:
    assert polls(compiled(TWO.format("linkbeat_use_polling"))) == [("eth0", PollMethod.ANY)]
    text = "linkbeat_use_polling\nlinkbeat_interfaces {\n eth1 IOCTL\n}\n"
    assert polls(compiled(text + TWO.format(""))) == [
        ("eth1", PollMethod.IOCTL), ("eth0", PollMethod.ANY), ("eth2", PollMethod.ANY),
    ]  # fmt: skip


def test_strangers_and_membership_reports(compiled: Compile) -> None:
    text = "global_defs {\n log_unknown_vrids\n disable_local_igmp\n}\n"
    found = compiled(text + TWO.format("")).result.configuration.vrrp.lookout
    assert (found.unknown_vrids, found.local_igmp) == (True, False)

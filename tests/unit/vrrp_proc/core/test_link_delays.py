"""Links that count as up or down only when they stayed so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.tracking import InterfaceDelay
from pyhad.vrrp_proc.core.link_delays import LinkDelays

SECOND_NS = 1_000_000_000


def delays(down_s: int, up_s: int, *instances: VrrpInstance) -> LinkDelays:
    made = LinkDelays()
    delay = InterfaceDelay(interface="eth0", down_ns=down_s * SECOND_NS, up_ns=up_s * SECOND_NS)
    made.configure({"eth0": delay}, instances)
    return made


@pytest.mark.behaviour("FSM-46")
def test_a_short_loss_does_not_count_and_a_long_one_does_when_its_delay_is_over() -> None:
    links = delays(2, 3)
    assert links.counts_up("eth0", True, 0)
    assert links.counts_up("eth0", False, SECOND_NS)
    assert links.next_deadline_ns() == 3 * SECOND_NS
    assert links.counts_up("eth0", True, 2 * SECOND_NS)
    assert links.next_deadline_ns() is None
    assert links.counts_up("eth0", False, 4 * SECOND_NS)
    assert links.due(6 * SECOND_NS - 1) == set()
    assert links.due(6 * SECOND_NS) == {"eth0"}
    assert not links.counts_up("eth0", False, 6 * SECOND_NS)
    assert not links.counts_up("eth0", True, 7 * SECOND_NS)
    assert links.counts_up("eth0", True, 10 * SECOND_NS)


@pytest.mark.behaviour("FSM-46")
def test_the_first_time_up_counts_at_once() -> None:
    links = delays(2, 3)
    assert not links.counts_up("eth0", False, 0)
    assert links.counts_up("eth0", True, 1)


def test_interfaces_without_delays_count_as_they_are() -> None:
    links = delays(2, 3)
    assert links.counts_up("eth1", True, 0)
    assert not links.counts_up("eth1", False, 0)


@pytest.mark.behaviour("FSM-46")
def test_a_delay_is_cut_to_what_the_peers_bear(make_config: Callable[..., VrrpInstance]) -> None:
    links = delays(9, 9, make_config(), make_config(vrid=52, down_timer_adverts=5))
    links.counts_up("eth0", True, 0)
    links.counts_up("eth0", False, 0)
    assert links.next_deadline_ns() == 1_996_093_750  # 2 intervals less 1/256
    alone = delays(9, 9, make_config(down_timer_adverts=1))
    assert alone.counts_up("eth0", True, 0)
    assert not alone.counts_up("eth0", False, 0)

"""What an Active router announces besides its bursts: interfaces that are new to their neighbours, and further ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import Announcement, VirtualAddress
from pyhad.common.config.model.vmac import Vmac
from pyhad.vrrp_proc.core.events import ConfigurationChanged, InterfaceRenewed

from .conftest import Bench

S = 1_000_000_000
QUIET = {"master_delay_ns": 0, "master_repeat": 3}
ADDRESSES = tuple(
    VirtualAddress(address=address, prefix_len=32, interface=interface)
    for address, interface in (("10.1.1.1", "eth0"), ("10.1.2.1", "eth1"), ("10.1.2.2", "eth1"), ("10.1.3.1", "eth2"))
)


def test_a_new_hardware_address_is_told_by_whoever_is_active_and_only_where_it_is(bench: Callable[..., Any]) -> None:
    b = bench(addresses=ADDRESSES, announcement=Announcement(**QUIET))
    b.start()
    assert b.at(1 * S, InterfaceRenewed(interface="eth1")) == []
    b.become_active()
    assert b.at(4 * S, InterfaceRenewed(interface="eth1")) == ["announce x3 10.1.2.1 10.1.2.2"]
    assert b.at(4 * S, InterfaceRenewed(interface="eth9")) == []


def announced(b: Bench, until_ns: int) -> list[tuple[int, str]]:
    found = []
    while (due_ns := b.router.next_deadline_ns()) is not None and due_ns <= until_ns:
        found += [(due_ns // S, word) for word in b.pass_time(due_ns) if word.startswith("announce")]
    return found


@pytest.mark.behaviour("NET-26")
def test_one_address_of_each_further_interface_is_announced_again_and_again(bench: Callable[..., Any]) -> None:
    b = bench(addresses=ADDRESSES, announcement=Announcement(**QUIET, extra_ns=10 * S, extra_all=True))
    b.become_active()  # at 3.6 s
    assert announced(b, 30 * S) == [(13, "announce x1 10.1.2.1 10.1.3.1"), (23, "announce x1 10.1.2.1 10.1.3.1")]


@pytest.mark.behaviour("NET-26")
def test_without_all_only_further_virtual_macs_are(bench: Callable[..., Any]) -> None:
    further = (Vmac(name="eth2", base="eth9", family=4, mac="00:00:5e:00:01:33"),)
    announcement = Announcement(**QUIET, extra_ns=10 * S)
    b = bench(addresses=ADDRESSES, announcement=announcement, address_vmacs=further)
    b.become_active()
    assert announced(b, 20 * S) == [(13, "announce x1 10.1.3.1")]


@pytest.mark.behaviour("NET-26", "NET-23")
def test_a_reload_begins_and_ends_what_is_done_again_and_again(bench: Callable[..., Any], make_config: Any) -> None:
    b = bench(announcement=Announcement(**QUIET))
    b.become_active()
    assert announced(b, 30 * S) == []
    both = Announcement(**QUIET, extra_ns=4 * S, extra_all=True, refresh_ns=7 * S)
    b.at(31 * S, ConfigurationChanged(config=make_config(addresses=ADDRESSES, announcement=both)))
    words = [word.split()[2:] for _, word in announced(b, 39 * S)]
    everything = [address.address for address in ADDRESSES]
    assert words == [["10.1.2.1", "10.1.3.1"], everything, ["10.1.2.1", "10.1.3.1"]]  # at 35, 38 and 39
    b.at(40 * S, ConfigurationChanged(config=make_config(addresses=ADDRESSES, announcement=Announcement(**QUIET))))
    assert announced(b, 60 * S) == []


@pytest.mark.behaviour("FSM-50")
def test_a_lower_highest_priority_of_the_others_makes_a_longer_silence_bearable(bench: Callable[..., Any]) -> None:
    """Version 2, 1 s: 254 waits for 3 s and 2/256; 128 for 3.5 s."""
    for highest, silence_ns, frozen in (
        (254, 3_007_812_499, False),
        (254, 3_007_812_500, True),
        (128, 3_499_999_999, False),
        (128, 3_500_000_000, True),
    ):
        b = bench(preempt_mode=False, highest_other_priority=highest)
        sent_ns = b.become_active()
        words = b.pass_time(sent_ns + silence_ns)
        assert ("MASTER->BACKUP frozen" in " ".join(words)) is frozen, (highest, silence_ns)

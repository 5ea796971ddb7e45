"""What an Active router does of itself. It became Active at 3.609375 s (priority 100, 1 s)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import Announcement, VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.events import (
    AddressesLost,
    AddressesSettled,
    ConfigurationChanged,
    InterfaceRenewed,
    PathsSettled,
    TimePassed,
)

MakeBench = Callable[..., Any]
S = 1_000_000_000
ACTIVE_AT_NS = 3_609_375_000


@pytest.mark.behaviour("FSM-31")
def test_advertisements_keep_to_the_grid_when_we_are_a_little_late(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.pass_time(ACTIVE_AT_NS + S + 300_000_000) == ["adv 100"]
    assert b.router.next_deadline_ns() == ACTIVE_AT_NS + 2 * S


@pytest.mark.behaviour("FSM-31")
def test_who_is_late_by_more_than_an_interval_sends_one_and_starts_anew(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    late_ns = ACTIVE_AT_NS + 2 * S + 1
    assert b.pass_time(late_ns) == ["adv 100"]
    assert b.router.next_deadline_ns() == late_ns + S


def test_an_early_call_does_nothing(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    assert b.pass_time(ACTIVE_AT_NS + S - 1) == []


@pytest.mark.behaviour("NET-22")
def test_the_second_burst_comes_five_seconds_after_the_first(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    for second in range(1, 5):
        assert b.pass_time(ACTIVE_AT_NS + second * S) == ["adv 100"]
    assert b.pass_time(ACTIVE_AT_NS + 5 * S) == ["adv 100", "announce x5 10.1.1.1"]
    assert b.pass_time(ACTIVE_AT_NS + 6 * S) == ["adv 100"]


@pytest.mark.behaviour("NET-22")
def test_no_second_burst_when_the_delay_is_zero(bench: MakeBench) -> None:
    b = bench(announcement=Announcement(master_delay_ns=0))
    b.become_active()
    assert [b.pass_time(ACTIVE_AT_NS + second * S) for second in range(1, 8)] == [["adv 100"]] * 7


@pytest.mark.behaviour("NET-23")
def test_addresses_are_announced_again_at_each_refresh(bench: MakeBench) -> None:
    b = bench(announcement=Announcement(master_delay_ns=0, refresh_ns=2 * S, refresh_repeat=3))
    b.become_active()
    said = [b.pass_time(ACTIVE_AT_NS + second * S)[1:] for second in range(1, 5)]
    assert said == [[], ["announce x3 10.1.1.1"], [], ["announce x3 10.1.1.1"]]


def test_leaving_active_forgets_the_second_burst(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    b.hear(4 * S, 200)
    b.pass_time(4_050_000_000)  # the addresses are handed over
    assert b.router.next_deadline_ns() == 7_609_375_000
    b.hear(5 * S, 0)
    b.pass_time(5_609_375_000)  # Active again
    b.pass_time(5_709_375_000)  # and once more announced, after a release
    assert b.pass_time(8_609_375_000) == ["adv 100"]  # where the first one's second burst would have been


@pytest.mark.behaviour("FSM-37")
def test_a_lost_address_is_put_back_and_we_stay_active(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    lost = AddressesLost(addresses=(("eth0", "10.1.1.1"), ("eth0", "192.0.2.1")))
    expected = ["install 10.1.1.1", "announce x1 10.1.1.1"]
    assert b.at(4 * S, lost) == expected
    settled = AddressesSettled(added=(("eth0", "10.1.1.1"),), mending=True)
    assert b.at(4 * S, settled) == ["remark lost_addresses_put_back"]
    assert b.at(4 * S + 1, lost) == []
    assert b.router.next_deadline_ns() == ACTIVE_AT_NS + S
    b.pass_time(ACTIVE_AT_NS + S)
    assert b.router.next_deadline_ns() == 5 * S
    assert b.at(5 * S, TimePassed()) == expected


def test_what_the_kernel_refuses_is_tried_again_and_said_when_it_succeeds(bench: MakeBench) -> None:
    b = bench(announcement=Announcement(master_delay_ns=0, master_repeat=2))
    b.become_active()
    assert b.at(ACTIVE_AT_NS, AddressesSettled(refused=(("eth0", "10.1.1.1"),), mending=True)) == []
    for second in range(1, 5):
        b.pass_time(ACTIVE_AT_NS + second * S)
    assert b.pass_time(ACTIVE_AT_NS + 5 * S) == ["adv 100", "install 10.1.1.1"]
    assert b.at(9 * S, AddressesSettled(refused=(("eth0", "10.1.1.1"),))) == []
    for second in range(6, 10):
        b.pass_time(ACTIVE_AT_NS + second * S)
    b.pass_time(13_700_000_000)
    assert b.at(14 * S, TimePassed()) == ["install 10.1.1.1"]
    settled = AddressesSettled(added=(("eth0", "10.1.1.1"),))
    assert b.at(14 * S, settled) == ["announce x2 10.1.1.1", "remark refused_addresses_installed"]
    assert b.at(14 * S, settled) == []
    for second in range(11, 16):
        assert b.pass_time(ACTIVE_AT_NS + second * S) == ["adv 100"]


def test_what_is_refused_anew_does_not_keep_the_rest_from_its_turn(bench: MakeBench) -> None:
    b = bench(announcement=Announcement(master_delay_ns=0))
    b.become_active()
    b.at(4 * S, AddressesSettled(refused=(("eth0", "10.1.1.1"),)))
    for second in range(5, 9):
        b.at(second * S, AddressesSettled(added=(("eth1", "10.9.9.9"),), mending=True))
        b.at(second * S, PathsSettled(mending=True))
        b.at(second * S, AddressesSettled(refused=(("eth0", "10.1.1.1"),)))
    b.pass_time(ACTIVE_AT_NS + 5 * S)
    assert b.at(9 * S, TimePassed()) == ["install 10.1.1.1"]


def test_the_same_address_on_two_interfaces_is_two(bench: MakeBench) -> None:
    two = tuple(VirtualAddress(address="fe80::1", prefix_len=64, interface=name) for name in ("eth0", "eth1"))
    b = bench(addresses=two, announcement=Announcement(master_delay_ns=0, master_repeat=1))
    b.become_active()
    settled = AddressesSettled(present=(("eth0", "fe80::1"),), refused=(("eth1", "fe80::1"),))
    assert b.at(4 * S, settled) == []
    assert b.router.refused_addresses == (two[1],)
    assert b.at(4 * S, settled) == []
    assert b.at(4 * S, AddressesLost(addresses=(("eth0", "fe80::1"),))) == ["install fe80::1", "announce x1 fe80::1"]
    assert b.at(4 * S, AddressesSettled(added=(("eth1", "fe80::1"),))) == [
        "announce x1 fe80::1", "remark refused_addresses_installed",
    ]  # fmt: skip


def test_an_address_that_was_there_was_not_put_back(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    b.at(4 * S, AddressesLost(addresses=(("eth0", "10.1.1.1"),)))
    assert b.at(4 * S, AddressesSettled(present=(("eth0", "10.1.1.1"),), mending=True)) == []


def test_an_untracked_address_that_went_with_its_interface_comes_back_with_it(bench: MakeBench) -> None:
    extra = VirtualAddress(address="10.2.2.2", prefix_len=32, interface="eth1", tracked=False)
    b = bench(excluded_addresses=(extra,), announcement=Announcement(master_delay_ns=0, master_repeat=1))
    b.become_active()
    assert b.at(4 * S, AddressesLost(addresses=(("eth1", "10.2.2.2"),))) == []  # somebody's wish
    assert b.at(4 * S, InterfaceRenewed(interface="eth1")) == ["announce x1 10.2.2.2"]
    assert b.at(4 * S, AddressesLost(addresses=(("eth1", "10.2.2.2"),), with_interface=True)) == []
    assert b.at(4 * S + 1, InterfaceRenewed(interface="eth1")) == ["install 10.2.2.2", "announce x1 10.2.2.2"]


def test_a_backup_does_not_mind_the_loss_of_addresses(bench: MakeBench) -> None:
    b = bench()
    b.start()
    assert b.at(1, AddressesLost(addresses=(("eth0", "10.1.1.1"),))) == []


def test_the_pause_between_losses_is_forgotten_with_the_active_state(bench: MakeBench) -> None:
    b = bench()
    b.become_active()
    lost = AddressesLost(addresses=(("eth0", "10.1.1.1"),))
    b.at(4 * S, lost)
    b.hear(4_100_000_000, 200)
    b.hear(4_200_000_000, 0)
    b.pass_time(4_809_375_000)
    assert b.at(4_900_000_000, lost)[0] == "install 10.1.1.1"


@pytest.mark.behaviour("NET-23", "REL-16")
def test_a_reload_starts_and_stops_the_refresh(bench: MakeBench, make_config: Callable[..., VrrpInstance]) -> None:
    b = bench(announcement=Announcement(master_delay_ns=0))
    b.become_active()
    refresh = make_config(announcement=Announcement(master_delay_ns=0, refresh_ns=300_000_000))
    b.at(5 * S, ConfigurationChanged(config=refresh))
    assert b.pass_time(5_300_000_000) == ["announce x1 10.1.1.1"]
    b.at(5_400_000_000, ConfigurationChanged(config=make_config()))
    assert b.pass_time(5_900_000_000) == []

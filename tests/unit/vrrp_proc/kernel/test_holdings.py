"""Who may take an address off."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.kernel.addresses import Addresses
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.leases import Leases

VIP = VirtualAddress(address="10.0.0.100", prefix_len=32, interface="eth0")


def holdings(kernel: Any, *, release_foreign: bool = False) -> Holdings:
    return Holdings(
        Addresses(kernel, kernel.links), Leases(kernel, kernel.links, Loop()), release_foreign=release_foreign
    )


def test_what_was_installed_is_removed(kernel: Any) -> None:
    held = holdings(kernel)
    held.install("A", [VIP], owns_found=False)
    assert held.holder_of("eth0", "10.0.0.100") == "A"
    held.remove("A", [VIP])
    assert held.holder_of("eth0", "10.0.0.100") is None
    assert kernel.there == {}


@pytest.mark.behaviour("NET-11")
def test_an_address_of_somebody_else_stays_when_its_router_lets_go(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32)
    held = holdings(kernel)
    held.install("A", [VIP], owns_found=False)
    held.remove("A", [VIP])
    assert kernel.there == {("10.0.0.100", 32): 0}


@pytest.mark.behaviour("CLI-13")
def test_an_address_of_somebody_else_goes_if_the_operator_said_so(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32)
    held = holdings(kernel, release_foreign=True)
    held.install("A", [VIP], owns_found=False)
    held.remove("A", [VIP])
    assert kernel.there == {}


def test_an_address_with_our_mark_is_ours_after_any_restart(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32, protocol=112)
    held = holdings(kernel)
    held.install("A", [VIP], owns_found=False)
    held.remove("A", [VIP])
    assert kernel.there == {}


def test_a_successor_owns_what_it_finds_even_without_a_mark(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32)
    held = holdings(kernel)
    held.install("A", [VIP], owns_found=True)
    held.remove("A", [VIP])
    assert kernel.there == {}


@pytest.mark.behaviour("FSM-14")
def test_a_left_over_is_removed_by_a_router_that_installed_nothing(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32)
    holdings(kernel).remove("A", [VIP])
    assert kernel.there == {}


@pytest.mark.behaviour("REL-19")
def test_nobody_takes_off_what_another_router_holds(kernel: Any) -> None:
    held = holdings(kernel)
    held.install("A", [VIP], owns_found=False)
    held.install("B", [VIP], owns_found=False)
    held.remove("A", [VIP])
    assert kernel.there == {("10.0.0.100", 32): 112}
    held.remove("B", [VIP])
    assert kernel.there == {}


@pytest.mark.behaviour("CLI-14")
def test_a_holder_that_is_gone_leaves_its_addresses_to_the_next(kernel: Any) -> None:
    held = holdings(kernel)
    held.install("A", [VIP], owns_found=False)
    held.release("A", [VIP])
    held.remove("B", [VIP])
    assert kernel.there == {}

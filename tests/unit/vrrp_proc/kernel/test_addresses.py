"""Batches of addresses: what the kernel's answers mean."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.vrrp_proc.kernel.addresses import Addresses, address_mark_of

ONE = VirtualAddress(address="10.0.0.100", prefix_len=32, interface="eth0")
TWO = VirtualAddress(address="10.0.0.101", prefix_len=32, interface="eth0")
ELSEWHERE = VirtualAddress(address="10.0.0.102", prefix_len=32, interface="gone0")


@pytest.mark.behaviour("NET-11")
def test_an_address_that_is_there_already_is_no_error(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32)
    outcome = Addresses(kernel, kernel.links).install([ONE, TWO])
    assert (outcome.done, outcome.already, outcome.failed) == ((TWO,), (ONE,), ())


def test_an_address_that_is_not_there_is_no_error_at_removal(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32)
    outcome = Addresses(kernel, kernel.links).remove([ONE, TWO])
    assert (outcome.done, outcome.already, outcome.failed) == ((ONE,), (TWO,), ())
    assert kernel.there == {}


def test_a_missing_interface_fails_an_installation_and_not_a_removal(kernel: Any) -> None:
    addresses = Addresses(kernel, kernel.links)
    assert addresses.install([ELSEWHERE]).failed == ((ELSEWHERE, errno.ENODEV),)
    assert addresses.remove([ELSEWHERE]).already == (ELSEWHERE,)


def test_what_the_kernel_refuses_is_told_with_its_errno(kernel: Any) -> None:
    kernel.refuse = errno.EPERM
    assert Addresses(kernel, kernel.links).install([ONE]).failed == ((ONE, errno.EPERM),)


def test_an_address_that_pyhad_put_there_is_known_by_its_mark(kernel: Any) -> None:
    kernel.put("10.0.0.100", 32, protocol=112)
    kernel.put("10.0.0.101", 32)
    addresses = Addresses(kernel, kernel.links)
    assert addresses.is_marked(ONE)
    assert not addresses.is_marked(TWO)


def test_daemons_with_names_have_marks_of_their_own() -> None:
    assert [address_mark_of(name) for name in ("", "left", "right")] == [112, 232, 148]


def test_what_another_daemon_put_there_is_not_ours(kernel: Any) -> None:
    left = Addresses(kernel, kernel.links, address_mark_of("left"))
    right = Addresses(kernel, kernel.links, address_mark_of("right"))
    left.install([ONE])
    kernel.put("10.0.0.100", 32, kernel.there["10.0.0.100", 32])
    assert left.is_marked(ONE)
    assert not right.is_marked(ONE)
    assert (left.marked(), right.marked()) == ([ONE], [])

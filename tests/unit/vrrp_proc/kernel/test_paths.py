"""Routes and rules into a kernel of dictionaries and out of it, and who holds them."""

from __future__ import annotations

import errno
import struct
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.routes import Placement, VirtualRoute, VirtualRule
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.kernel.addresses import Addresses
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.leases import Leases
from pyhad.vrrp_proc.kernel.netlink_paths import RouteGone, RuleGone
from pyhad.vrrp_proc.kernel.paths import Refusal

ROUTE = VirtualRoute(text="10.7.0.0/16 dev eth0", family=4, destination="10.7.0.0", prefix_len=16, interface="eth0")
OTHER = replace(ROUTE, destination="10.8.0.0", text="other")
RULE = VirtualRule(text="table 5", family=4, priority=9, table=5)
VIP = VirtualAddress(address="10.0.0.100", prefix_len=32, interface="eth0")
FOREIGN = replace(ROUTE, protocol=4, tracked=False)


class RecordingKernel:
    """Answers by what it holds, as the real one: the bytes behind the head are a path's identity."""

    def __init__(self, kernel: Any) -> None:
        self.links = kernel.links
        self.details: dict[int, str] = {}
        self.there: set[bytes] = set()
        self.orders: list[list[int]] = []
        self.refuse = 0
        self._sequence = 0

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def order(self, messages: list[tuple[int, bytes]]) -> dict[int, int]:
        self.orders.append([struct.unpack_from("=H", message, 4)[0] for _, message in messages])
        return {sequence: self._do(sequence, message) for sequence, message in messages}

    def _do(self, sequence: int, message: bytes) -> int:
        kind, flags = struct.unpack_from("=HH", message, 4)
        body = message[16:]
        if self.refuse:
            self.details[sequence] = "Nexthop has invalid gateway"
            return self.refuse
        if kind in (21, 25, 33):
            found = body in self.there
            self.there.discard(body)
            return 0 if found else errno.ESRCH
        if body in self.there:
            return errno.EEXIST
        if not flags & 0x400:
            return errno.ENOENT
        self.there.add(body)
        return 0


@pytest.fixture
def recording(kernel: Any) -> RecordingKernel:
    """With eth0 and nothing in it."""
    return RecordingKernel(kernel)


@pytest.fixture
def holdings(recording: Any) -> Holdings:
    """Of that kernel."""
    return Holdings(Addresses(recording, recording.links), Leases(recording, recording.links, Loop()))


@pytest.mark.behaviour("NET-2")
def test_all_of_a_transition_is_one_order_in_the_right_sequence(recording: RecordingKernel, holdings: Holdings) -> None:
    outcome = holdings.install("A", [VIP], [ROUTE, RULE], owns_found=False)
    assert outcome.paths.done == (ROUTE, RULE)
    outcome = holdings.remove("A", [VIP], [ROUTE, RULE])
    assert set(outcome.paths.done) == {ROUTE, RULE}
    assert recording.orders == [[20, 24, 32], [33, 25, 21]]


def test_what_is_there_is_no_error_and_what_is_not_there_neither(holdings: Holdings) -> None:
    holdings.install("A", [], [ROUTE], owns_found=False)
    assert holdings.install("A", [], [ROUTE], owns_found=False).paths.already == (ROUTE,)
    holdings.remove("A", [], [ROUTE])
    assert holdings.remove("A", [], [ROUTE]).paths.already == (ROUTE,)


def test_a_missing_interface_fails_one_and_stops_nothing(holdings: Holdings) -> None:
    lost = replace(ROUTE, interface="eth9")
    outcome = holdings.install("A", [VIP], [lost, RULE], owns_found=False)
    assert outcome.paths.failed == (Refusal(lost, errno.ENODEV),)
    assert outcome.paths.done == (RULE,)
    assert holdings.remove("A", [], [lost]).paths.already == (lost,)
    vrf = replace(ROUTE, vrf="eth0")
    assert holdings.install("A", [], [vrf], owns_found=False).paths.failed == (Refusal(vrf, errno.ENODEV),)


def test_a_refusal_brings_the_kernel_s_word_and_a_remedy(recording: RecordingKernel, holdings: Holdings) -> None:
    recording.refuse = errno.ENETUNREACH
    [refusal] = holdings.install("A", [], [ROUTE], owns_found=False).paths.failed
    assert refusal == Refusal(ROUTE, errno.ENETUNREACH, "Nexthop has invalid gateway")
    assert "onlink" in refusal.remedy()


def test_what_two_hold_goes_with_the_last(holdings: Holdings, recording: RecordingKernel) -> None:
    holdings.install("A", [], [ROUTE], owns_found=False)
    holdings.install("B", [], [ROUTE], owns_found=False)
    holdings.remove("A", [], [ROUTE])
    assert len(recording.there) == 1
    holdings.remove("B", [], [ROUTE])
    assert recording.there == set()


def test_a_route_of_somebody_else_stays(holdings: Holdings, recording: RecordingKernel) -> None:
    """One with a protocol of its own bears no mark of ours."""
    holdings.install("somebody", [], [FOREIGN], owns_found=False)
    holdings.paths.release("somebody", [FOREIGN])
    holdings.install("A", [], [FOREIGN], owns_found=False)
    holdings.remove("A", [], [FOREIGN])
    assert len(recording.there) == 1
    holdings.remove("A", [], [FOREIGN])
    assert len(recording.there) == 1
    holdings.install("A", [], [FOREIGN], owns_found=True)
    holdings.remove("A", [], [FOREIGN])
    assert recording.there == set()


def test_a_route_that_says_add_tells_its_like_from_the_very_same(holdings: Holdings, recording: Any) -> None:
    careful = replace(ROUTE, placement=Placement.ADD)
    holdings.install("A", [], [ROUTE], owns_found=False)
    assert holdings.install("A", [], [careful], owns_found=False).paths.already == (careful,)
    recording.there.clear()
    recording.refuse = errno.EEXIST
    probed = holdings.install("A", [], [careful], owns_found=False).paths
    assert probed.already == (careful,)


def test_a_loss_is_brought_to_all_who_hold_it(holdings: Holdings) -> None:
    holdings.install("A", [], [ROUTE, RULE], owns_found=False)
    holdings.install("B", [], [ROUTE, OTHER], owns_found=False)
    held = holdings.paths
    assert held.meant_by(RouteGone(4, "10.7.0.0", 16, 254)) == [("A", ROUTE), ("B", ROUTE)]
    assert held.meant_by(RouteGone(4, "10.7.0.0", 24, 254)) == []
    assert held.meant_by(RuleGone(4, 9)) == [("A", RULE)]
    assert held.led_by(lambda path: path is OTHER) == [("B", OTHER)]
    holdings.release("A", [], [ROUTE, RULE])
    assert held.meant_by(RuleGone(4, 9)) == []
    assert held.meant_by(RouteGone(4, "10.7.0.0", 16, 254)) == [("B", ROUTE)]
    holdings.remove("B", [], [ROUTE, OTHER])
    assert not held.held()

"""When delayed links count as what they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import UnicastPeer, VrrpInstance
from pyhad.common.config.model.tracking import InterfaceDelay, Tracker, TrackerKind
from pyhad.vrrp_proc.core.events import FaultCause
from pyhad.vrrp_proc.kernel.links import Changes, Links
from pyhad.vrrp_proc.kernel.netlink import LinkSeen
from pyhad.vrrp_proc.surroundings import Surroundings

SECOND_NS = 1_000_000_000
UP, DOWN = 0x11043, 0x1003


class Alarm:
    def __init__(self, at_ns: int, action: Any) -> None:
        self.at_ns, self.action = at_ns, action

    def cancel(self) -> None:
        self.action = None


class Site:
    """eth0 and eth1, each with a delay; `told` is what was said to have changed by time alone."""

    def __init__(self, *delays_s: int) -> None:
        self.now = 0
        self.alarms: list[Alarm] = []
        self.told: list[tuple[int, frozenset[str]]] = []
        self.links = Links()
        trackers: Any = type("Readings", (), {"readings": {}})()
        loop: Any = self
        self.looks = Surroundings(self.links, trackers, loop, self._over)
        tracked = tuple(Tracker(kind=TrackerKind.INTERFACE, name=f"eth{n}", weight=5) for n in (0, 1))
        self.config = VrrpInstance(
            name="A", vrid=51, family=4, interface="eth0", version=3, start_as_master=False, base_priority=100,
            advertisement_interval_cs=1000, source_address="10.0.0.1", trackers=tracked,
        )  # fmt: skip
        delays = [InterfaceDelay(interface=f"eth{n}", down_ns=s * SECOND_NS, up_ns=0) for n, s in enumerate(delays_s)]
        self.looks.configure(delays, (self.config,))
        for number in (0, 1):
            self.set(number, UP)

    def now_ns(self) -> int:
        return self.now

    def at(self, at_ns: int, action: Any) -> Alarm:
        self.alarms.append(Alarm(at_ns, action))
        return self.alarms[-1]

    def set(self, number: int, flags: int) -> None:
        self.links.take(LinkSeen(7 + number, f"eth{number}", flags, bytes(6), gone=False), Changes())
        self.looks.look(self.config, has_port=True)

    def run_until(self, second: int) -> None:
        while due := sorted((a for a in self.alarms if a.action and a.at_ns <= second * SECOND_NS), key=_moment):
            self.now, action, due[0].action = due[0].at_ns, due[0].action, None
            action()
        self.now = second * SECOND_NS

    def _over(self, names: frozenset[str]) -> None:
        self.told.append((self.now // SECOND_NS, names))
        if names:
            self.looks.look(self.config, has_port=True)


def _moment(alarm: Alarm) -> int:
    return alarm.at_ns


@pytest.mark.behaviour("FSM-46")
def test_a_short_delay_is_over_in_time_while_a_long_one_runs() -> None:
    site = Site(8, 2)
    site.set(0, DOWN)
    site.set(1, DOWN)
    site.run_until(10)
    assert site.told == [(2, frozenset({"eth1"})), (8, frozenset({"eth0"}))]


@pytest.mark.behaviour("FSM-46")
def test_a_link_that_came_back_does_not_hide_the_delay_of_another() -> None:
    site = Site(3, 6)
    site.set(0, DOWN)
    site.run_until(1)
    site.set(1, DOWN)
    site.run_until(2)
    site.set(0, UP)
    site.run_until(20)
    assert site.told == [(7, frozenset({"eth1"}))]


@pytest.mark.behaviour("FIX-12")
def test_an_interface_without_multicast_is_a_fault_unless_there_are_unicast_peers() -> None:
    site = Site()
    site.set(0, UP & ~0x1000)
    seen = site.looks.look(site.config, has_port=True)
    assert seen.faults == {FaultCause.NO_MULTICAST}
    alone = replace(site.config, unicast_peers=(UnicastPeer(address="10.0.0.2"),))
    assert site.looks.look(alone, has_port=True).faults == frozenset()
    site.set(0, UP)
    assert site.looks.look(site.config, has_port=True).faults == frozenset()

"""Sync groups over real routers: who moves with whom, what is told and in which order."""

from __future__ import annotations

import collections
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.tracking import SyncGroup
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.beats import Beats
from pyhad.vrrp_proc.core.events import AdvertisementReceived, FaultCause, TakeOverTogether
from pyhad.vrrp_proc.core.notices import Told
from pyhad.vrrp_proc.groups import Groups
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.kernel.addresses import Addresses
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.leases import Leases
from pyhad.vrrp_proc.moving_timer import Looks
from pyhad.vrrp_proc.world import World

NO_FAULT: frozenset[FaultCause] = frozenset()
DOWN = frozenset({FaultCause.INTERFACE_DOWN})
UNKNOWN = frozenset({FaultCause.TRACKED_SCRIPT_UNKNOWN})
CONFIG = VrrpInstance(
    name="A", vrid=1, family=4, interface="eth0", version=3, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100, sync_group="G",
)  # fmt: skip
GROUP = SyncGroup(name="G", members=("A", "B"))


class Ear:
    """Both a teller and a notifier: keeps what it hears. Also the announcer, which hears nothing."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def state(self, config: VrrpInstance, state: Told, priority: int) -> None:
        self.heard.append(f"{config.name} {state}")

    def group(self, group: SyncGroup, state: Told) -> None:
        self.heard.append(f"group {state}")

    def priority(self, config: VrrpInstance, priority: int, *, is_master: bool) -> None: ...

    def lower_priority(self, config: VrrpInstance, priority: int) -> None: ...

    def repeat(self, config: VrrpInstance, state: Told, priority: int) -> None: ...

    def announce(self, addresses: Any, repeat: int) -> int:
        return 0

    def forget(self, addresses: Any) -> None: ...


class Bench:
    def __init__(self, kernel: Any, folder: Path) -> None:
        self.loop, self.ear = Loop(), Ear()
        self.box = BlackBox(8, journal.PAYLOAD_BYTES)
        log = ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(folder / "log")))
        ear: Any = self.ear
        self.journal = Journal(self.box)
        self.groups = Groups(ear, self.journal, log.logger, self.loop.now_ns)
        holdings = Holdings(Addresses(kernel, kernel.links), Leases(kernel, kernel.links, self.loop))
        self.world = World(
            loop=self.loop, logger=log.logger, holdings=holdings, announcer=ear,
            journal=self.journal, beats=Beats(self.loop, self.journal, holdings.leases), looks=Looks(self.loop),
            counters=collections.Counter(),
            on_change=lambda: None, teller=ear,
            companions=self.groups,
        )  # fmt: skip
        self.a = Instance(CONFIG, self.world)
        self.b = Instance(replace(CONFIG, name="B", vrid=2), self.world)

    def start(self, a: frozenset[FaultCause] = NO_FAULT, b: frozenset[FaultCause] = NO_FAULT) -> None:
        """As the service does it."""
        self.groups.configure((GROUP,), (self.a, self.b))
        self.groups.foresee(self.a, a)
        self.groups.foresee(self.b, b)
        self.groups.begin()
        self.a.start(a, "10.0.0.1", None)
        self.b.start(b, "10.0.0.1", None)

    def take(self) -> list[str]:
        heard, self.ear.heard = self.ear.heard, []
        return heard

    def states(self) -> tuple[str, str]:
        return self.a.core.router_state.value, self.b.core.router_state.value


@pytest.fixture
def bench(kernel: Any, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(kernel, tmp_path)
    yield made
    made.loop.close()


@pytest.mark.behaviour("GRP-1", "GRP-6")
def test_a_group_is_told_of_first_at_the_start_and_last_from_then_on(bench: Bench) -> None:
    bench.start()
    assert bench.take() == ["group BACKUP", "A BACKUP", "B BACKUP"]
    bench.a.handle(TakeOverTogether())
    bench.b.handle(TakeOverTogether())
    assert bench.take() == ["A MASTER", "B MASTER", "group MASTER"]
    bench.a.surroundings(DOWN, "10.0.0.1")
    assert bench.take() == ["A FAULT", "B FAULT", "group FAULT"]
    bench.a.surroundings(NO_FAULT, "10.0.0.1")
    assert bench.take() == ["A BACKUP", "B BACKUP", "group BACKUP"]


@pytest.mark.behaviour("GRP-1")
def test_a_fault_that_is_there_at_the_start_is_everybodys_from_the_start(bench: Bench) -> None:
    bench.start(b=DOWN)
    assert bench.take() == ["group FAULT", "A FAULT", "B FAULT"]
    bench.b.surroundings(NO_FAULT, "10.0.0.1")
    assert bench.states() == ("BACKUP", "BACKUP")


@pytest.mark.behaviour("FSM-51")
def test_scripts_that_did_not_run_yet_are_no_fault_to_tell(bench: Bench) -> None:
    bench.start(UNKNOWN, UNKNOWN)
    assert bench.states() == ("FAULT", "FAULT")
    assert bench.take() == []
    bench.a.surroundings(NO_FAULT, "10.0.0.1")
    assert bench.states() == ("FAULT", "FAULT")
    bench.b.surroundings(NO_FAULT, "10.0.0.1")
    assert bench.take() == ["B BACKUP", "A BACKUP", "group BACKUP"]


@pytest.mark.behaviour("GRP-1")
def test_who_hears_a_better_router_takes_the_other_with_it(bench: Bench) -> None:
    bench.start()
    bench.a.handle(TakeOverTogether())
    bench.b.handle(TakeOverTogether())
    bench.take()
    bench.b.handle(AdvertisementReceived(source="10.0.0.9", priority=200, interval_cs=100))
    assert bench.take() == ["B BACKUP", "A BACKUP", "group BACKUP"]


def test_a_successor_tells_nothing_again(bench: Bench) -> None:
    bench.start()
    bench.a.handle(TakeOverTogether())
    bench.b.handle(TakeOverTogether())
    bench.take()
    bench.journal = bench.world.journal = Journal(bench.box)
    bench.groups = bench.world.companions = Groups(bench.ear, bench.journal, bench.world.logger, bench.loop.now_ns)  # type: ignore[arg-type, assignment]
    a, b = Instance(CONFIG, bench.world), Instance(bench.b.config, bench.world)
    bench.groups.configure((GROUP,), (a, b))
    bench.groups.begin()
    now_ns = time.monotonic_ns()
    for instance in (a, b):
        left = bench.journal.left_behind(instance.config)
        assert left is not None
        instance.start(NO_FAULT, "10.0.0.1", replace(left, last_sent_ns=now_ns))
    assert [one.core.router_state.value for one in (a, b)] == ["MASTER", "MASTER"]
    assert bench.take() == []


@pytest.mark.behaviour("GRP-6")
def test_a_successor_that_begins_in_fault_says_so_for_the_group_that_was_master(bench: Bench) -> None:
    bench.start()
    bench.a.handle(TakeOverTogether())
    bench.b.handle(TakeOverTogether())
    bench.take()
    bench.groups = bench.world.companions = Groups(bench.ear, Journal(bench.box), bench.world.logger, bench.loop.now_ns)  # type: ignore[arg-type, assignment]
    bench.a, bench.b = Instance(CONFIG, bench.world), Instance(bench.b.config, bench.world)
    bench.start(b=DOWN)
    assert bench.take()[0] == "group FAULT"


def test_who_leaves_a_group_follows_it_no_more(bench: Bench) -> None:
    bench.start(b=DOWN)
    bench.groups.configure((), ())
    assert bench.states() == ("BACKUP", "FAULT")


@pytest.mark.behaviour("NTF-6")
def test_a_stop_is_told_after_the_members(bench: Bench) -> None:
    bench.start()
    bench.take()
    bench.a.shut_down()
    bench.b.shut_down()
    bench.groups.stop()
    assert bench.take() == ["A STOP", "B STOP", "group STOP"]

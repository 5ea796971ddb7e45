"""Two LANs, on each a virtual router of each node, tied by a sync group: whatever happens, no group stays split.

A harness of its own: what matters here is who follows whom, so advertisements travel as events, not as bytes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import AnnounceAddresses, Effect, Remark, SendAdvertisement
from pyhad.vrrp_proc.core.events import (
    FOREVER_NS,
    AdvertisementReceived,
    Event,
    FaultCause,
    FaultsChanged,
    LowerHeardTogether,
    ShutdownWanted,
    StandbyWanted,
    Startup,
    StepDownTogether,
    TakebackWanted,
    TakeOverTogether,
    TimePassed,
)
from pyhad.vrrp_proc.core.sync_group import SyncGroup, What, seat_of
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from tests.sim.world import MILLISECOND_NS, SECOND_NS, World

LANS = ("left", "right")
DOWN_NS = 4 * SECOND_NS
PATIENCE_NS = 4_500 * MILLISECOND_NS
CONFIG = VrrpInstance(
    name="V", vrid=1, family=4, interface="eth0", version=2, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100, sync_group="G",
    addresses=(VirtualAddress(address="10.1.0.1", prefix_len=32, interface="eth0"),),
)  # fmt: skip


class Wires:
    """The two LANs. `cut` holds (lan, node) that hear and reach nobody although they have link."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.nodes: list[Twin] = []
        self.cut: set[tuple[str, str]] = set()
        self.loss = 0.0

    def send(self, sender: Twin, lan: str, priority: int) -> None:
        event = AdvertisementReceived(source=sender.address, priority=priority, interval_cs=100)
        for node in self.nodes:
            whole = not self.cut & {(lan, sender.name), (lan, node.name)}
            if node is not sender and whole and self.world.random.random() >= self.loss:
                at_ns = self.world.now_ns + int(self.world.random.random() * MILLISECOND_NS)
                self.world.at(at_ns, node.hear, (lan, event))


class Twin:
    """A node with one router on each LAN, and its group."""

    def __init__(self, world: World, wires: Wires, number: int, **changes: object) -> None:
        self.world, self.wires = world, wires
        self.name, self.address = f"n{number}", f"10.0.0.{number}"
        self.config = replace(CONFIG, base_priority=100 + number, **changes)  # type: ignore[arg-type]
        self.routers: dict[str, VirtualRouter] = {}
        self.down: set[str] = set()
        self.announced: list[str] = []
        """The LAN of each announcement."""
        self.life = 0
        wires.nodes.append(self)

    def start(self, resume: bool = False) -> None:
        """A new process; `resume`: with what the dead one journaled."""
        left = {lan: router.snapshot() for lan, router in self.routers.items()} if resume else {}
        self.life += 1
        self.routers = {lan: VirtualRouter(self.config) for lan in LANS}
        self.group = SyncGroup(LANS)
        self.following: set[str] = set()
        self.settling = False
        for lan in LANS:
            snapshot = left.get(lan)
            active = snapshot is not None and snapshot.state is RouterState.MASTER
            last_ns = snapshot.last_sent_ns if snapshot else 0
            faults = self._faults(lan)
            source = self.address
            until_ns = snapshot.standby_until_ns if snapshot else 0
            self.step(
                lan,
                Startup(
                    faults=faults, source_address=source, restored_active=active, last_sent_ns=last_ns,
                    restored_standby_until_ns=until_ns,
                ),
            )  # fmt: skip

    def stop(self) -> None:
        for lan in LANS:
            self.step(lan, ShutdownWanted(patience_ns=PATIENCE_NS))

    def stand_by(self, lan: str, until_ns: int) -> None:
        """An operator holds one of the two back; 0 lets it go."""
        wish = StandbyWanted(until_ns=until_ns, patience_ns=PATIENCE_NS) if until_ns else TakebackWanted()
        self.step(lan, wish)

    def set_link(self, lan: str, up: bool) -> None:
        (self.down.discard if up else self.down.add)(lan)
        self.step(lan, FaultsChanged(faults=self._faults(lan)))

    def hear(self, about: tuple[str, AdvertisementReceived]) -> None:
        if self.routers and about[0] not in self.down:
            self.step(*about)

    def step(self, lan: str, event: Event) -> None:
        router = self.routers[lan]
        for effect in router.handle(event, self.world.now_ns):
            self._perform(lan, effect)
        at_ns = router.next_deadline_ns()
        if at_ns is not None:
            self.world.at(at_ns, self._wake, (self.life, lan, at_ns))
        if self.group.see(lan, seat_of(router, self.world.now_ns)):
            self._settle()

    def _wake(self, about: tuple[int, str, int]) -> None:
        life, lan, at_ns = about
        if life == self.life and self.routers[lan].next_deadline_ns() == at_ns:
            self.step(lan, TimePassed())

    def _perform(self, lan: str, effect: Effect) -> None:
        if isinstance(effect, SendAdvertisement) and lan not in self.down:
            self.wires.send(self, lan, effect.priority)
        elif isinstance(effect, AnnounceAddresses):
            self.announced.append(lan)
        elif isinstance(effect, Remark) and effect.event == "lower_priority_heard":
            for other in LANS:
                if other != lan:
                    self.step(other, LowerHeardTogether())

    def _settle(self) -> None:
        if self.settling:
            return
        self.settling = True
        rounds = 0
        while orders := self.group.orders():
            rounds += 1
            assert rounds < 8, "the orders never end"
            for order in orders:
                match order.what:
                    case What.TAKE_OVER:
                        self.step(order.member, TakeOverTogether())
                    case What.STEP_DOWN:
                        self.step(order.member, StepDownTogether())
                    case What.FAULT_BEGINS | What.FAULT_ENDS:
                        begins = order.what is What.FAULT_BEGINS
                        (self.following.add if begins else self.following.discard)(order.member)
                        self.step(order.member, FaultsChanged(faults=self._faults(order.member)))
        self.settling = False

    def _faults(self, lan: str) -> frozenset[FaultCause]:
        own = {FaultCause.INTERFACE_DOWN} if lan in self.down else set()
        return frozenset(own | ({FaultCause.SYNC_GROUP} if lan in self.following else set()))

    def states(self) -> tuple[str, ...]:
        return tuple(self.routers[lan].router_state.value for lan in LANS)


class Pair:
    """n1 (101) and n2 (102), both running for ten seconds."""

    def __init__(self, seed: int = 1, **changes: object) -> None:
        self.world = World(seed)
        self.wires = Wires(self.world)
        self.n1, self.n2 = (Twin(self.world, self.wires, number, **changes) for number in (1, 2))
        for node in (self.n1, self.n2):
            node.start()
        self.world.run_for(10 * SECOND_NS)

    def states(self) -> list[tuple[str, ...]]:
        return [node.states() for node in (self.n1, self.n2)]


BACKUP, MASTER, FAULT = ("BACKUP",) * 2, ("MASTER",) * 2, ("FAULT",) * 2


@pytest.mark.behaviour("GRP-1", "GRP-2")
def test_the_loss_of_one_lan_moves_both_and_its_return_moves_both_back() -> None:
    pair = Pair()
    assert pair.states() == [BACKUP, MASTER]
    pair.n2.set_link("left", False)
    assert pair.n2.states() == FAULT
    pair.world.run_for(DOWN_NS)
    assert pair.states() == [MASTER, FAULT]
    pair.n2.set_link("left", True)
    pair.world.run_for(2 * DOWN_NS)
    assert pair.states() == [BACKUP, MASTER]


@pytest.mark.behaviour("GRP-2")
def test_a_member_that_hears_nobody_on_one_lan_only_does_not_take_over() -> None:
    pair = Pair()
    pair.wires.cut = {("left", "n1")}
    pair.world.run_for(30 * SECOND_NS)
    assert pair.states() == [BACKUP, MASTER]
    pair.n2.stop()
    pair.world.run_for(2 * DOWN_NS)
    assert pair.n1.states() == MASTER


@pytest.mark.behaviour("GRP-1")
def test_an_orderly_stop_moves_both_within_the_longer_of_the_two_waits() -> None:
    pair = Pair()
    pair.n2.stop()
    pair.world.run_for(SECOND_NS)
    assert pair.n1.states() == MASTER


@pytest.mark.behaviour("GRP-1", "GRP-2")
def test_one_that_an_operator_holds_back_takes_the_other_with_it_within_their_waits() -> None:
    pair = Pair()
    pair.n2.stand_by("left", FOREVER_NS)
    assert pair.n2.states() == BACKUP
    assert all(router.is_parting for router in pair.n2.routers.values())
    pair.world.run_for(SECOND_NS)
    assert pair.states() == [MASTER, BACKUP]
    assert not any(router.is_parting for router in pair.n2.routers.values())
    pair.world.run_for(30 * SECOND_NS)
    assert pair.states() == [MASTER, BACKUP]
    pair.n2.stand_by("left", 0)
    pair.world.run_for(2 * DOWN_NS)
    assert pair.states() == [BACKUP, MASTER]


@pytest.mark.behaviour("GRP-8")
def test_a_lesser_router_that_one_member_hears_has_both_announced_and_then_there_is_peace() -> None:
    pair = Pair()
    pair.wires.cut = {("left", "n1"), ("right", "n1")}
    pair.world.run_for(2 * DOWN_NS)
    assert pair.states() == [MASTER, MASTER]
    pair.world.run_for(10 * SECOND_NS)
    pair.n2.announced.clear()
    pair.wires.cut = {("right", "n1")}  # what n1 says is heard on the left only
    pair.world.run_for(2 * SECOND_NS)
    assert pair.states()[1] == MASTER
    assert {"left", "right"} <= set(pair.n2.announced)
    pair.wires.cut = set()
    pair.world.run_for(2 * DOWN_NS)
    assert pair.states() == [BACKUP, MASTER]
    pair.n2.announced.clear()
    pair.world.run_for(30 * SECOND_NS)
    assert pair.n2.announced == []


def test_a_process_that_is_replaced_goes_on_with_both() -> None:
    pair = Pair()
    pair.n2.start(resume=True)
    pair.world.run_for(20 * SECOND_NS)
    assert pair.states() == [BACKUP, MASTER]
    assert pair.n1.routers["left"].counters.become_master == 0


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_whatever_happens_no_group_stays_split(first: int) -> None:
    for seed in range(first, first + 25):
        _live(seed)


def _live(seed: int) -> None:
    pair = Pair(seed, preempt_mode=seed % 3 != 0)
    world, chance = pair.world, pair.world.random
    for _ in range(12):
        node = chance.choice((pair.n1, pair.n2))
        lan = chance.choice(LANS)
        what = chance.randrange(7)
        if what == 0:
            node.set_link(lan, lan in node.down)
        elif what == 1:
            pair.wires.cut ^= {(lan, node.name)}
        elif what == 2:
            node.start(resume=True)
        elif what == 3:
            pair.wires.loss = chance.choice((0.0, 0.3))
        elif what == 4:
            node.stop()
            node.start()
        elif what == 5:
            node.stand_by(lan, chance.choice((0, world.now_ns + 5 * SECOND_NS, FOREVER_NS)))
        world.run_for(int(chance.random() * 8 * SECOND_NS))
    pair.wires.loss = 0.0
    pair.wires.cut.clear()
    for node in (pair.n1, pair.n2):
        for lan in list(node.down):
            node.set_link(lan, True)
        for lan in LANS:
            node.stand_by(lan, 0)
    world.run_for(10 * DOWN_NS)
    assert sorted(pair.states()) == [BACKUP, MASTER], f"seed {seed}"
    if pair.n1.config.preempt_mode:
        assert pair.n2.states() == MASTER, f"seed {seed}"
    took_over = pair.n1.routers["left"].counters.become_master
    world.run_for(60 * SECOND_NS)
    assert pair.n1.routers["left"].counters.become_master == took_over, f"seed {seed}: it goes to and fro"

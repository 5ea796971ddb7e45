"""A life drawn from a seed: some directors, a bad network, a list of misfortunes, and peace at the end.

`run(seed)` plays it with all invariants watched, and then looks whether everything came right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS, active_down_interval_ns
from tests.sim.invariants import Invariants, Violation
from tests.sim.lan import Lan
from tests.sim.neighbours import Client
from tests.sim.node import Node
from tests.sim.world import MILLISECOND_NS, SECOND_NS, World

CHAOS_INTERVALS = 150
MISFORTUNES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run amounted to."""

    seed: int
    steps: int
    checked: int
    transitions: int
    sent: int
    refused: int
    """Frames that the packet checks dropped; 0 unless the configurations disagree."""


class Scenario:
    """Builds the world of a seed."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None) -> None:
        self.world = World(seed, trace=trace)
        self.lan = Lan(self.world)
        chance = self.world.random
        self.version = chance.choice((2, 3, 3))
        self.interval_cs = 100 if self.version == 2 else chance.choice((10, 50, 100))
        self.interval_ns = self.interval_cs * CENTISECOND_NS
        self.vrids = range(1, 1 + chance.choice((1, 1, 2)))
        self.preempt_delay_ns = chance.choice((0, 0, 0, 2, 4)) * self.interval_ns
        count = chance.choice((2, 3, 3, 4))
        self.last_word = chance.random() < 0.7
        """Whether who gives way says so: `higher_prio_send_advert`, on unless configured otherwise."""
        self.nodes = [self._node(number, count) for number in range(1, count + 1)]
        addresses = [f"10.1.{vrid}.{last}" for vrid in self.vrids for last in range(1, 3)]
        self.clients = [
            Client(self.world, self.lan, f"c{number}", self.nodes, addresses, self.interval_ns // 2)
            for number in (1, 2)
        ]
        self.down_interval_ns = active_down_interval_ns(self.version, 1, self.interval_cs, 3) + 2 * MILLISECOND_NS
        self.watch = Invariants(self.world, self.lan, self.nodes, self.down_interval_ns)

    def _node(self, number: int, count: int) -> Node:
        configs = [self._config(vrid, number, count) for vrid in self.vrids]
        return Node(self.world, self.lan, f"n{number}", f"10.0.0.{8 + number}", configs)

    def _config(self, vrid: int, number: int, count: int) -> VrrpInstance:
        chance = self.world.random
        owner = number == count and chance.random() < 0.2
        priority = 255 if owner else chance.choice((50, 100, 100, 150, 200, 254))
        return VrrpInstance(
            name=f"VI_{vrid}",
            vrid=vrid,
            family=4,
            interface="eth0",
            version=self.version,
            start_as_master=owner,
            base_priority=priority,
            advertisement_interval_cs=self.interval_cs,
            preempt_mode=owner or chance.random() < 0.8,
            preempt_delay_ns=0 if owner else self.preempt_delay_ns,
            higher_prio_send_advert=self.last_word,
            lower_prio_no_advert=chance.random() < 0.2,
            addresses=tuple(_address(vrid, last) for last in range(1, 3)),
            excluded_addresses=(_address(vrid, 100),) if chance.random() < 0.5 else (),
        )

    # ------------------------------------------------------------------------------------------ playing

    def play(self) -> Outcome:
        """Chaos, then peace, then the final look."""
        chance = self.world.random
        self.lan.loss = chance.choice((0.0, 0.0, 0.02, 0.1, 0.3))
        self.lan.duplicate = chance.choice((0.0, 0.0, 0.1))
        self.lan.longest_delay_ns = chance.choice((MILLISECOND_NS // 5, MILLISECOND_NS, self.interval_ns // 20))
        lateness_ns = chance.choice((0, 0, MILLISECOND_NS, self.interval_ns // 20))
        for client in self.clients:
            client.forgets = 0.02
        for node in self.nodes:
            node.lateness_ns = lateness_ns
            self.world.at(self.world.now_ns + int(chance.random() * 2 * self.interval_ns), node.start, None)
        start_ns = self.world.now_ns
        for _ in range(MISFORTUNES):
            at_ns = start_ns + int(chance.random() * CHAOS_INTERVALS * self.interval_ns)
            self.world.at(at_ns, self._misfortune, chance.choice(MISFORTUNE_NAMES))
        self.world.run_for(CHAOS_INTERVALS * self.interval_ns)
        self._make_peace()
        self.world.run_for(3 * self.down_interval_ns + 3 * self.preempt_delay_ns + 6 * SECOND_NS)
        self._look()
        counters = [router.counters for node in self.nodes for router in node.routers.values()]
        return Outcome(
            seed=self.world.seed,
            steps=self.world.steps,
            checked=self.watch.checked,
            transitions=sum(counter.become_master for counter in counters),
            sent=self.lan.sent,
            refused=sum(sum(node.deaf_counters.values()) for node in self.nodes),
        )

    def _misfortune(self, name: str) -> None:
        chance = self.world.random
        node = chance.choice(self.nodes)
        soon_ns = self.world.now_ns + chance.choice((5 * MILLISECOND_NS, self.interval_ns, 5 * self.interval_ns))
        match name:
            case "kill":
                node.kill()
                self.world.at(soon_ns, node.start, None)
            case "kill_in_the_middle":
                node.kill_in_the_middle(chance.randrange(6))
                self.world.at(soon_ns, node.start, None)
            case "stop":
                node.stop()
                self.world.at(soon_ns, node.start, None)
            case "cut_power":
                node.cut_power()
                self.world.at(soon_ns, node.start, None)
            case "freeze":
                intervals = chance.choice((0.5, 2, 3.1, 5, 20))
                node.freeze(int(intervals * self.interval_ns), whole_machine=chance.random() < 0.5)
            case "stand_by":
                for_ns = chance.choice((self.interval_ns, 10 * self.interval_ns, 1000 * self.interval_ns))
                node.stand_by(chance.choice(self.vrids), self.world.now_ns + for_ns)
            case "take_back":
                node.stand_by(chance.choice(self.vrids), 0)
            case "pull_cable":
                node.set_link(False)
                self.world.at(soon_ns, node.set_link, True)
            case "partition":
                border = chance.randrange(1, len(self.nodes))
                self.lan.cut((self.nodes[:border], self.nodes[border:]))
                self.lan.place(self.clients[1], 1)
                self.world.at(soon_ns, self._heal, None)
            case "lose_address":
                address = f"10.1.{chance.choice(self.vrids)}.{chance.choice((1, 2, 100))}"
                node.lose_address(address)
                self.world.at(self.world.now_ns + 300 * MILLISECOND_NS, node.lose_address, address)
            case "reload":
                node.reload([changed(config, chance) for config in node.configs.values()])

    def _heal(self, _: object) -> None:
        self.lan.cut((self.nodes,))
        self.lan.place(self.clients[1], 0)
        for client in self.clients:
            client.doubt()

    def _make_peace(self) -> None:
        self.was_lossy = self.lan.loss > 0
        self.lan.loss = self.lan.duplicate = 0.0
        self._heal(None)
        for client in self.clients:
            client.forgets = 0.0
        for node in self.nodes:
            node.kill_in_the_middle(None)
            node.thaw()
            node.set_link(True)
            node.start()
            for vrid in self.vrids:
                node.stand_by(vrid, 0)

    # ----------------------------------------------------------------------------------------- the end

    def _look(self) -> None:
        for vrid in self.vrids:
            routers = {node: node.routers[vrid] for node in self.nodes if node.routers}
            active = [node for node, router in routers.items() if router.router_state is RouterState.MASTER]
            if len(active) != 1:
                raise Violation(f"seed {self.world.seed}: in the end {[node.name for node in active]} hold VRID {vrid}")
            best = max(self.nodes, key=lambda node: (node.configs[vrid].base_priority, int(node.address[7:])))
            highest = best.configs[vrid].base_priority
            if active[0].configs[vrid].base_priority < highest and best.configs[vrid].preempt_mode:
                raise Violation(f"seed {self.world.seed}: {active[0].name} holds VRID {vrid}, {best.name} is better")
            for router in routers.values():
                shown = router.snapshot()
                if shown.master_address != active[0].address:
                    raise Violation(f"seed {self.world.seed}: {shown} does not know the master")
            self._look_at_caches(active[0])

    def _look_at_caches(self, active: Node) -> None:
        """Announcements that were lost are lost, and who gives way in silence leaves wrong entries behind."""
        if self.was_lossy or not self.last_word:
            return
        for client in self.clients:
            for address, name in client.cache.items():
                if address in active.table and name != active.name:
                    raise Violation(
                        f"seed {self.world.seed}: {client.name} sends to {name}, {active.name} has {address}"
                    )


MISFORTUNE_NAMES = (
    "kill", "kill", "kill_in_the_middle", "kill_in_the_middle", "stop", "cut_power", "pull_cable", "partition",
    "partition", "freeze", "freeze", "stand_by", "take_back", "lose_address", "reload",
)  # fmt: skip


def changed(config: VrrpInstance, chance: Random) -> VrrpInstance:
    """What an operator may change in a reload: priority and addresses. An owner stays one."""
    if not config.start_as_master:
        config = replace(config, base_priority=chance.choice((50, 100, 150, 200)))
    return replace(
        config,
        excluded_addresses=tuple(_address(config.vrid, last) for last in range(100, 100 + chance.randrange(3))),
    )


def _address(vrid: int, last: int) -> VirtualAddress:
    return VirtualAddress(address=f"10.1.{vrid}.{last}", prefix_len=32, interface="eth0")


def run(seed: int, trace: Callable[[str], None] | None = None) -> Outcome:
    """Play the life of `seed`. Raises Violation, with the seed in its text."""
    return Scenario(seed, trace).play()

"""A life of whole machines, drawn from a seed: the real service on each, two LANs, misfortunes, and peace at the end.

`live(seed)` plays it with the laws watched, and then looks whether everything came right.
"""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.states import RouterState
from tests.sim.invariants import Violation
from tests.sim.lan import Lan
from tests.sim.laws import Laws, Router, instances_of, router_of
from tests.sim.machine import Machine
from tests.sim.scenario import Outcome
from tests.sim.site import FILES, LANS, SCRIPTS, Site, own_address
from tests.sim.world import MILLISECOND_NS, SECOND_NS, World

CHAOS_INTERVALS = 120
MISFORTUNES = 50
_PREFIX = {4: 24, 6: 64}


class Life:
    """Builds the world of a seed."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None) -> None:
        self.world = World(seed, trace=trace)
        chance = self.world.random
        self.lans = {name: Lan(self.world) for name in LANS}
        self.site = Site(chance, chance.choice((2, 2, 3)))
        self.interval_ns = self.site.interval_cs * 10 * MILLISECOND_NS
        self.machines = [self._machine(number) for number in range(1, self.site.machines + 1)]
        self.ends_ns = self.world.now_ns
        """When peace begins."""
        self.laws = Laws(self.world, self.machines, self.site.longest_down_ns())

    def _machine(self, number: int) -> Machine:
        machine = Machine(self.world, f"n{number}", number, self.site.document(number))
        for interface, lan in self.lans.items():
            own = ((own_address(interface, number, family), _PREFIX[family]) for family in (4, 6))
            machine.plug(interface, lan, *own)
        return machine

    # ------------------------------------------------------------------------------------------ playing

    def play(self) -> Outcome:
        """Chaos, then peace, then the final look."""
        world, chance = self.world, self.world.random
        loss = chance.choice((0.0, 0.0, 0.02, 0.1, 0.3))
        for lan in self.lans.values():
            lan.loss, lan.duplicate = loss, chance.choice((0.0, 0.0, 0.1))
            lan.longest_delay_ns = chance.choice((MILLISECOND_NS // 5, MILLISECOND_NS, self.interval_ns // 20))
        lateness_ns = chance.choice((0, 0, MILLISECOND_NS, self.interval_ns // 20))
        for machine in self.machines:
            machine.lateness_ns = lateness_ns
            world.at(world.now_ns + int(chance.random() * 2 * self.interval_ns), machine.start, None)
        start_ns = world.now_ns
        self.ends_ns = start_ns + CHAOS_INTERVALS * self.interval_ns
        for _ in range(MISFORTUNES):
            at_ns = start_ns + int(chance.random() * CHAOS_INTERVALS * self.interval_ns)
            world.at(at_ns, self._misfortune, chance.choice(_MISFORTUNES))
        world.run_for(CHAOS_INTERVALS * self.interval_ns)
        self._make_peace()
        world.run_for(4 * self.laws.down_interval_ns + 20 * SECOND_NS)
        self._look()
        took_over = self._take_overs()
        world.run_for(10 * self.interval_ns + 10 * SECOND_NS)
        if self._take_overs() != took_over:
            raise Violation(f"seed {world.seed}: somebody goes on taking over though nothing happens any more")
        return Outcome(
            seed=world.seed, steps=world.steps, checked=self.laws.checked, transitions=took_over,
            sent=sum(lan.sent for lan in self.lans.values()), refused=0,
        )  # fmt: skip

    def _take_overs(self) -> int:
        return sum(
            instance.core.counters.become_master for machine in self.machines for instance in instances_of(machine)
        )

    def _misfortune(self, misfortune: Callable[[Life, Machine, int], None]) -> None:
        chance = self.world.random
        soon_ns = self.world.now_ns + chance.choice((5 * MILLISECOND_NS, self.interval_ns, 5 * self.interval_ns))
        misfortune(self, chance.choice(self.machines), soon_ns)

    def _kill(self, machine: Machine, soon_ns: int) -> None:
        machine.kill()
        self.world.at(soon_ns, machine.start, None)

    def _kill_in_the_middle(self, machine: Machine, soon_ns: int) -> None:
        machine.fuse = self.world.random.randrange(8)
        self.world.at(soon_ns, machine.start, None)

    def _kill_all(self, machine: Machine, soon_ns: int) -> None:
        """The daemon, its parent and black box included; what the kernel holds stays."""
        self.world.disturb(f"{machine.name}: the whole daemon is killed")
        machine.ended(whole=True)
        self.world.at(soon_ns, machine.start, None)

    def _stop(self, machine: Machine, soon_ns: int) -> None:
        machine.stop()
        self.world.at(soon_ns + 6 * SECOND_NS, machine.start, None)

    def _cut_power(self, machine: Machine, soon_ns: int) -> None:
        machine.cut_power()
        self.world.at(soon_ns, machine.start, None)

    def _freeze(self, machine: Machine, soon_ns: int) -> None:
        intervals = self.world.random.choice((0.5, 2, 3.1, 5, 20))
        duration_ns = min(int(intervals * self.interval_ns), self.ends_ns - self.world.now_ns)
        machine.freeze(duration_ns, loses_frames=self.world.random.random() < 0.5)

    def _pull_cable(self, machine: Machine, soon_ns: int) -> None:
        interface = self.world.random.choice(LANS)
        machine.set_link(interface, False)
        self.world.at(soon_ns, lambda _: machine.set_link(interface, True), None)

    def _partition(self, machine: Machine, soon_ns: int) -> None:
        interface = self.world.random.choice(LANS)
        others = [other.cards[interface] for other in self.machines if other is not machine]
        self.lans[interface].cut(([machine.cards[interface]], others))
        self.world.at(soon_ns, self._heal, interface)

    def _heal(self, interface: str) -> None:
        self.lans[interface].cut(([machine.cards[interface] for machine in self.machines],))

    def _lose_address(self, machine: Machine, soon_ns: int) -> None:
        marked = sorted(address for _, address in machine.marked())
        if marked:
            machine.lose_address(self.world.random.choice(marked))

    def _reload(self, machine: Machine, soon_ns: int) -> None:
        """Sometimes the others follow soon, in the end they all do."""
        if self.world.random.random() < 0.5:
            self.site.revise()
        for other in self.machines if self.world.random.random() < 0.5 else (machine,):
            other.reload(self.site.document(other.number))

    def _stand_by(self, machine: Machine, soon_ns: int) -> None:
        if machine.process is not None and not machine.process.is_stopping:
            chance = self.world.random
            name = chance.choice(("all", *(plan.name for plan in self.site.plans)))
            self.world.disturb(f"{machine.name}: {name} is held back")
            machine.process.stand_by(name, chance.choice((None, None, 0, 5 * self.interval_ns)))

    def _script(self, machine: Machine, soon_ns: int) -> None:
        name = self.world.random.choice(SCRIPTS)
        machine.set_script(name, not machine.scripts.get(name, True))

    def _file(self, machine: Machine, soon_ns: int) -> None:
        machine.set_file(FILES[0], self.world.random.choice((0, 5, -50, -300)))

    def _step_clock(self, machine: Machine, soon_ns: int) -> None:
        """By less than the window of `auth_hmac`; beyond that it refuses, as it must."""
        machine.step_clock(self.world.random.choice((-3, 0, 3)) * SECOND_NS - machine.wall_offset_ns)

    def _make_peace(self) -> None:
        for lan in self.lans.values():
            lan.loss = lan.duplicate = 0.0
        for interface in LANS:
            self._heal(interface)
        for machine in self.machines:
            machine.fuse = None
            for interface in LANS:
                machine.set_link(interface, True)
            for name in SCRIPTS:
                machine.set_script(name, True)
            machine.set_file(FILES[0], 0)
            machine.step_clock(-machine.wall_offset_ns)
            machine.reload(self.site.document(machine.number))
            self._start_for_good(machine)
            self.world.at(self.world.now_ns + 7 * SECOND_NS, self._start_for_good, machine)

    def _start_for_good(self, machine: Machine) -> None:
        """And take back what an operator wanted: that outlives a process."""
        machine.start()
        if machine.process is not None:
            machine.process.stand_by("all", None)

    # ----------------------------------------------------------------------------------------- the end

    def _look(self) -> None:
        masters: dict[Router, list[Machine]] = {}
        for machine in self.machines:
            for instance in instances_of(machine):
                masters.setdefault(router_of(instance), [])
                if instance.core.router_state is RouterState.MASTER:
                    masters[router_of(instance)].append(machine)
                elif instance.core.router_state is not RouterState.BACKUP:
                    self._wrong(f"{machine.name} {instance.config.name} is {instance.core.snapshot()}")
        expected = {(plan.vrid, plan.family, plan.interface) for plan in self.site.plans}
        if set(masters) != expected:
            self._wrong(f"there are {sorted(masters)} and not {sorted(expected)}")
        for plan in self.site.plans:
            found = masters[plan.vrid, plan.family, plan.interface]
            if len(found) != 1:
                self._wrong(f"{[machine.name for machine in found]} are MASTER of {plan.name}")
            best = max(plan.ranks)
            if plan.preempt and plan.ranks[found[0].number - 1] < best:
                self._wrong(f"{found[0].name} is MASTER of {plan.name} with {plan.ranks}")

    def _wrong(self, what: str) -> None:
        raise Violation(f"seed {self.world.seed}: in the end {what}")


_MISFORTUNES = (
    Life._kill, Life._kill, Life._kill_in_the_middle, Life._kill_in_the_middle, Life._kill_all, Life._stop,
    Life._cut_power, Life._freeze, Life._freeze, Life._pull_cable, Life._pull_cable, Life._partition,
    Life._lose_address, Life._reload, Life._reload, Life._reload, Life._stand_by, Life._script, Life._script,
    Life._file, Life._step_clock,
)  # fmt: skip


def live(seed: int, trace: Callable[[str], None] | None = None) -> Outcome:
    """Play the life of `seed`. Raises Violation, with the seed in its text."""
    return Life(seed, trace).play()

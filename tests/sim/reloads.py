"""A reload between two configurations drawn from a seed: what comes of it is what a fresh start would have made.

The same machine lives twice, beside the same peer: once it starts with A and is reloaded with B, once it starts with B.
When everything is quiet both are looked at as a whole: states, priorities, causes of fault, the kernel's addresses,
sockets, groups. `python -m tests.sim --reloads` plays many.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pyhad.common.config.model import VrrpDocument
from pyhad.vrrp_proc.core.states import Active, Backup, Chore
from tests.sim.invariants import Violation
from tests.sim.lan import Lan
from tests.sim.laws import Laws, instances_of
from tests.sim.machine import Machine
from tests.sim.scenario import Outcome
from tests.sim.site import LANS, SCRIPTS, Site, own_address
from tests.sim.world import SECOND_NS, World

QUIET_NS = 30 * SECOND_NS
_PREFIX = {4: 24, 6: 64}


class Pair:
    """Configurations A and B of machine 1, B of its peer (None: nobody else is there), and what else is as it is."""

    def __init__(self, seed: int) -> None:
        chance = Random(seed)
        self.seed = seed
        site = Site(chance, 2)
        self.before = site.document(1)
        if chance.random() < 0.5:
            site = Site(chance, 2)
        else:
            for _ in range(3):
                site.revise()
        self.after = site.document(1)
        # Without preemption, and of equals, the first one stays: there a reload must differ from a fresh start.
        decided = all(plan.preempt and plan.ranks[0] != plan.ranks[1] for plan in site.plans)
        self.peer = site.document(2) if decided and chance.random() < 0.7 else None
        self.failing = tuple(name for name in SCRIPTS if chance.random() < 0.2)
        self.after_ns = int(chance.random() * chance.choice((1, 20)) * SECOND_NS)
        self.interface_down = chance.choice((None, None, None, *LANS))

    def live(self, first: VrrpDocument, trace: Callable[[str], None] | None = None) -> tuple[dict[str, object], World]:
        """Start with `first`, go over to B if that is another, wait; returns what there is then."""
        world = World(self.seed, trace=trace)
        lans = {name: Lan(world) for name in LANS}
        machines = [self._machine(world, lans, 1, first)]
        if self.peer is not None:
            machines.append(self._machine(world, lans, 2, self.peer))
        Laws(world, machines, QUIET_NS)
        for machine in reversed(machines):
            machine.start()
        world.run_for(self.after_ns)
        if first is not self.after:
            machines[0].reload(self.after)
        world.run_for(QUIET_NS)
        return picture(machines[0]), world

    def _machine(self, world: World, lans: dict[str, Lan], number: int, document: VrrpDocument) -> Machine:
        machine = Machine(world, f"n{number}", number, document)
        for interface, lan in lans.items():
            machine.plug(
                interface, lan, *((own_address(interface, number, family), _PREFIX[family]) for family in (4, 6))
            )
        if number == 1:
            machine.scripts = dict.fromkeys(self.failing, False)
            if self.interface_down:
                machine.set_link(self.interface_down, False)
        return machine


def picture(machine: Machine) -> dict[str, object]:
    """All that matters of a machine at rest."""
    assert machine.process is not None
    service = machine.process.service
    shown: dict[str, object] = {
        "addresses": machine.marked(),
        "parting": len(service._parting),
        "ports": {key: port.wants for key, port in service._ports._open.items()},
        "groups": {name: (group.config, group.told) for name, group in service._groups._groups.items()},
        "readings": dict(service._trackers.readings),
        "delays": service._surroundings._delays._delays,
        "held": sorted(service._world.holdings._holder),
        "firewall": service._firewall.rules,  # type: ignore[attr-defined]
    }
    for instance in instances_of(machine):
        core, state = instance.core, instance.core.state
        snapshot = core.snapshot()
        shown[instance.config.name] = (
            instance.config, type(state).__name__, snapshot.effective_priority, snapshot.faults,
            snapshot.master_address,
            snapshot.master_priority, snapshot.active_adver_interval_cs, snapshot.standby_until_ns, instance._source,
            instance.port is not None, instance.follows_fault, core.is_parting,
            isinstance(state, Active) and any(chore is Chore.REFRESH for _, chore in state.chores),
            isinstance(state, Backup) and (state.expired, state.released, state.late),
        )  # fmt: skip
    return shown


def reload(seed: int, trace: Callable[[str], None] | None = None) -> Outcome:
    """Play the pair of `seed`. Raises Violation, with the seed in its text."""
    pair = Pair(seed)
    reloaded, world = pair.live(pair.before, trace)
    if trace is not None:
        trace("-------- and from the beginning:")
    fresh, other = pair.live(pair.after, trace)
    for name in sorted(reloaded.keys() | fresh.keys()):
        if reloaded.get(name) != fresh.get(name):
            raise Violation(f"seed {seed}: {name} is {reloaded.get(name)} after a reload, fresh {fresh.get(name)}")
    return Outcome(seed=seed, steps=world.steps + other.steps, checked=0, transitions=0, sent=0, refused=0)

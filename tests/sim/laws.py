"""What must hold of whole machines (machine.py) after everything that a process did.

1. The addresses with our mark are exactly those of routers that are MASTER, and of such that hand over.
2. Whatever waits for a moment has a timer that will come.
3. A sync group is never split: its members are MASTER together or not at all. One that a reload brings into it
   listens before it is MASTER too.
4. Once nothing was disturbed for a down interval: one MASTER per virtual router and segment, where anybody outside of
   a sync group can be one.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.sync_group import Seat, seat_of
from pyhad.vrrp_proc.instance import Instance
from tests.sim.invariants import Violation
from tests.sim.machine import Machine
from tests.sim.world import World

_JOINING = {Seat.WAITING, Seat.ABLE, Seat.EXPIRED}
Router = tuple[int, int, str]
"""VRID, family, interface: what it is called on all machines."""


class Laws:
    """Watches these machines. `down_interval_ns` is the longest of any router."""

    def __init__(self, world: World, machines: list[Machine], down_interval_ns: int) -> None:
        self.world = world
        self.machines = machines
        self.down_interval_ns = down_interval_ns
        self.checked = 0
        self._odd_since_ns: dict[tuple[Router, int], tuple[int, int]] = {}
        for machine in machines:
            machine.watch = self.after_turn

    def after_turn(self, machine: Machine) -> None:
        """The watcher that machines call."""
        self.checked += 1
        self._addresses(machine)
        for instance in instances_of(machine):
            self._timer(machine, instance)
        self._groups(machine)
        for router in {router_of(instance) for instance in instances_of(machine)}:
            self._masters(router)

    def _addresses(self, machine: Machine) -> None:
        must: set[tuple[str, str]] = set()
        may: set[tuple[str, str]] = set()
        for instance in instances_of(machine):
            core = instance.core
            if core.router_state is RouterState.MASTER:
                must |= {(one.interface, one.address) for one in core.all_addresses}
            elif core._parting is not None:
                may |= {(one.interface, one.address) for one in core._parting.addresses}
        if left := machine.marked() - must - may:
            self._fail(f"{machine.name} holds {left}, and no router of it is MASTER with that")
        there = {(card.interface, address) for card in machine.cards.values() for address, _ in card.there}
        for interface, address in must - there:
            if machine.missing_until_ns.get(address, 0) < self.world.now_ns:
                self._fail(f"{machine.name} is MASTER without {address} on {interface}")

    def _timer(self, machine: Machine, instance: Instance) -> None:
        due_ns = instance.repeats.deadline_ns(instance.core)
        ways = (instance._timer.at_ns, instance._world.beats.due_ns(instance))
        if due_ns is not None and min((at_ns for at_ns in ways if at_ns is not None), default=due_ns + 1) > due_ns:
            self._fail(f"{machine.name}: nothing will wake {instance.config.name}, which is due at {due_ns}")

    def _groups(self, machine: Machine) -> None:
        assert machine.process is not None
        for group in machine.process.service._groups._groups.values():
            cores = [member.core for member in group.members.values()]
            seats = {seat_of(core, self.world.now_ns) for core in cores} - {Seat.ABSENT}
            is_quiet = self.world.now_ns > self.world.last_disturbance_ns + self.down_interval_ns
            joins = not is_quiet and seats & {Seat.WAITING, Seat.ABLE}
            if Seat.ACTIVE in seats and seats - {Seat.ACTIVE} - (_JOINING if joins else set()):
                self._fail(f"{machine.name}: group {group.config.name} is split: {sorted(seats, key=str)}")

    def _masters(self, router: Router) -> None:
        masters: dict[int, int] = {}
        can: set[int] = set()
        for machine in self.machines:
            for instance in instances_of(machine):
                card = machine.cards[router[2]]
                segment = card.lan.segment_of(card)
                if router_of(instance) != router or segment is None or machine.is_frozen:
                    continue
                if instance.core.router_state is RouterState.MASTER:
                    masters[segment] = masters.get(segment, 0) + 1
                    can.add(segment)
                elif self._can_be(instance):
                    can.add(segment)
        for segment in can:
            self._count(router, segment, masters.get(segment, 0))

    def _can_be(self, instance: Instance) -> bool:
        core = instance.core
        alone = core.router_state is RouterState.BACKUP and not instance.config.sync_group
        return alone and not core.is_held_back(self.world.now_ns)

    def _count(self, router: Router, segment: int, count: int) -> None:
        key = router, segment
        if count == 1:
            self._odd_since_ns.pop(key, None)
            return
        since_ns, before = self._odd_since_ns.get(key, (self.world.now_ns, count))
        if before != count:
            since_ns = self.world.now_ns
        self._odd_since_ns[key] = since_ns, count
        quiet_ns = self.world.last_disturbance_ns + self.down_interval_ns
        travel_ns = max(2 * card.lan.longest_delay_ns for machine in self.machines for card in machine.cards.values())
        if count and self._has_ah(
            router
        ):  # a new life counts from 1 again, and is refused until it has heard the others
            travel_ns += self.down_interval_ns
        travel_ns += 0 if count else self.down_interval_ns  # who can be MASTER now may have been in FAULT until now
        travel_ns += 4 * max(machine.lateness_ns for machine in self.machines)
        if self.world.now_ns > max(since_ns, quiet_ns) + travel_ns:
            self._fail(f"{count} routers are MASTER of {router} in segment {segment}, quiet for a down interval")

    def _has_ah(self, router: Router) -> bool:
        instances = (instance for machine in self.machines for instance in instances_of(machine))
        return any(one.config.authentication_header for one in instances if router_of(one) == router)

    def _fail(self, what: str) -> None:
        raise Violation(f"seed {self.world.seed}, {self.world.now_ns} ns: {what}")


def instances_of(machine: Machine) -> Iterable[Instance]:
    """The routers of its process, those that part included; none while nothing runs."""
    if machine.process is None:
        return ()
    service = machine.process.service
    return (*service._instances.values(), *service._parting)


def router_of(instance: Instance) -> Router:
    """Its name among all machines."""
    config = instance.config
    return config.vrid, config.family, config.interface

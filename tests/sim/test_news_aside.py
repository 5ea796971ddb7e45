"""News that the service takes in while it is at something else of its own: nobody hears of it a second time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import SCHEMA, VirtualAddress, VrrpDocument, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.kernel.links import Changes
from tests.sim.lan import Lan
from tests.sim.laws import instances_of
from tests.sim.machine import Machine
from tests.sim.process import Process
from tests.sim.world import MILLISECOND_NS, SECOND_NS, World

ROUTER = VrrpInstance(
    name="V", vrid=51, family=4, interface="eth0", version=3, start_as_master=False, base_priority=100,
    advertisement_interval_cs=10, addresses=(VirtualAddress(address="10.1.1.1", prefix_len=32, interface="eth0"),),
)  # fmt: skip


class Master:
    """A machine with one virtual router, which is master on eth0."""

    def __init__(self) -> None:
        self.world = World(1)
        document = VrrpDocument(schema=SCHEMA, generation=1, router_id="n1", instances=(ROUTER,))
        self.machine = Machine(self.world, "n1", 1, document)
        self.card = self.machine.plug("eth0", Lan(self.world), ("10.0.0.1", 24))
        self.machine.start()
        self.world.run_for(2 * SECOND_NS)
        assert self.machine.process is not None
        self.process: Process = self.machine.process
        vmacs: Any = self.process.service._vmacs
        vmacs.fit, vmacs.sweep = self.fit, self.sweep

    def fit(self, changes: Changes) -> bool:
        """Others cut the link just before the service makes something of its own."""
        self.card.link_up = False
        self.process.service._links.take(self.card.seen(), changes)
        return True

    def sweep(self, changes: Changes, kept: object) -> None:
        """The same before it removes something of its own."""
        self.fit(changes)

    def state(self) -> RouterState:
        (router,) = instances_of(self.machine)
        return router.core.router_state


@pytest.fixture
def master() -> Master:
    return Master()


def part(process: Process) -> None:
    """A router of a configuration before has let go."""
    (router,) = process.service._instances.values()
    process.service._parted(router)


def try_again(process: Process) -> None:
    process.service._fit_again()


@pytest.mark.parametrize("what", [part, try_again])
def test_a_link_that_goes_down_meanwhile_is_told_of(master: Master, what: Callable[[Process], None]) -> None:
    assert master.state() is RouterState.MASTER
    told: list[Changes] = []
    changed = master.process.service._upkeep.changed
    upkeep: Any = master.process.service._upkeep
    upkeep.changed = lambda changes, virtual: (told.append(changes), changed(changes, virtual))
    master.process.turn(lambda: what(master.process))
    master.world.run_for(10 * MILLISECOND_NS)
    assert {"eth0"} in [changes.interrupted for changes in told]
    assert master.state() is RouterState.FAULT

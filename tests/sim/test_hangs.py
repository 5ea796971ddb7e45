"""A VRRP process hangs at any moment of its interval; the parent's own watch looks at it, and peers notice nothing."""

from __future__ import annotations

import pytest

from pyhad.parent.core.standing import Doing, Standing, limits_for
from tests.sim.node import Node
from tests.sim.test_stories import Trio
from tests.sim.world import MILLISECOND_NS, SECOND_NS, World

SUCCESSOR_NS = 8 * MILLISECOND_NS
"""From the kill to the first advert of the successor (docs/failover.md)."""


def until_it_stands(world: World, node: Node, doing: Doing, smallest_down_ns: int) -> int:
    """Play on until the parent has no doubt; how long it took."""
    begin_ns, due_ns = world.now_ns, node.routers[1].next_deadline_ns()
    assert due_ns is not None
    limits = limits_for(smallest_down_ns)
    standing = Standing(limits)
    world.run_for(due_ns + limits.step_ns - begin_ns)
    while not standing.stands:
        cpu_ns = world.now_ns - begin_ns if doing is Doing.RUNNABLE else 0
        if standing.look(due_ns, 1, cpu_ns, world.now_ns):
            standing.see(doing, world.now_ns)
        world.run_for(standing.next_look_ns - world.now_ns if not standing.stands else 0)
    return world.now_ns - begin_ns


@pytest.mark.parametrize("doing", [Doing.STOPPED, Doing.RUNNABLE])
@pytest.mark.parametrize(("interval_cs", "smallest_down_ns"), [(1, 30_078_125), (10, 300_781_250)])
def test_a_process_that_hangs_is_replaced_before_its_peers_notice(
    interval_cs: int, smallest_down_ns: int, doing: Doing
) -> None:
    for tenth in range(10):
        trio = Trio(version=3, advertisement_interval_cs=interval_cs)
        world, n3 = trio.world, trio.nodes[2]
        others = trio.take_overs() - n3.routers[1].counters.become_master
        world.run_for(tenth * interval_cs * MILLISECOND_NS)
        n3.freeze(20 * SECOND_NS, whole_machine=False)
        until_it_stands(world, n3, doing, smallest_down_ns)
        n3.kill()
        world.run_for(SUCCESSOR_NS)
        n3.start()
        assert trio.active() == ["n3"]
        world.run_for(SECOND_NS)
        assert trio.active() == ["n3"]
        assert trio.take_overs() - n3.routers[1].counters.become_master == others

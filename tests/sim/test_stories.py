"""Named faults, each alone on a good network of three routers: 1 s, priorities 101, 102, 103."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from tests.sim.invariants import Invariants, Violation
from tests.sim.lan import Lan
from tests.sim.neighbours import Client
from tests.sim.node import Node
from tests.sim.world import MILLISECOND_NS, SECOND_NS, World

CONFIG = VrrpInstance(
    name="VI_1",
    vrid=1,
    family=4,
    interface="eth0",
    version=2,
    start_as_master=False,
    base_priority=100,
    advertisement_interval_cs=100,
    addresses=(VirtualAddress(address="10.1.1.1", prefix_len=32, interface="eth0"),),
)


class Trio:
    """n1, n2, n3, all running for ten seconds: n3 is Active."""

    def __init__(self, **changes: object) -> None:
        self.world = World(1)
        self.lan = Lan(self.world)
        self.nodes = [
            Node(self.world, self.lan, f"n{number}", f"10.0.0.{number}", [self._config(number, changes)])
            for number in (1, 2, 3)
        ]
        self.watch = Invariants(self.world, self.lan, self.nodes, 3_700 * MILLISECOND_NS)
        for node in self.nodes:
            node.record = True
            node.start()
        self.world.run_for(10 * SECOND_NS)
        assert self.active() == ["n3"]

    def _config(self, number: int, changes: dict[str, object]) -> VrrpInstance:
        return replace(CONFIG, base_priority=100 + number, **changes)  # type: ignore[arg-type]

    def active(self) -> list[str]:
        """Who holds the address by its own account."""
        return [node.name for node in self.nodes if node.routers and node.routers[1].router_state is RouterState.MASTER]

    def take_overs(self) -> int:
        """How often somebody became Active, of the processes that live."""
        return sum(node.routers[1].counters.become_master for node in self.nodes if node.routers)

    def until_active(self, name: str) -> int:
        """ns from now until that node is the only Active one."""
        begin_ns = self.world.now_ns
        while self.active() != [name]:
            self.world.run_for(MILLISECOND_NS)
            assert self.world.now_ns < begin_ns + 20 * SECOND_NS
        return self.world.now_ns - begin_ns


def test_one_advertisement_per_second_and_nobody_else_speaks() -> None:
    trio = Trio()
    for node in trio.nodes:
        node.sent_at_ns.clear()
    trio.world.run_for(100 * SECOND_NS)
    assert [len(node.sent_at_ns) for node in trio.nodes] == [0, 0, 100]


@pytest.mark.parametrize("gone_for_ms", [5, 500, 1900])
def test_a_killed_process_that_is_replaced_in_time_is_not_missed(gone_for_ms: int) -> None:
    trio = Trio()
    n3 = trio.nodes[2]
    before = trio.take_overs() - n3.routers[1].counters.become_master
    n3.kill()
    assert n3.table == {"10.1.1.1"}
    trio.world.run_for(gone_for_ms * MILLISECOND_NS)
    n3.start()
    assert trio.active() == ["n3"]
    trio.world.run_for(30 * SECOND_NS)
    assert trio.active() == ["n3"]
    assert trio.take_overs() - n3.routers[1].counters.become_master == before


def test_a_killed_process_that_comes_too_late_listens_and_lets_go_of_the_addresses() -> None:
    trio = Trio()
    n3 = trio.nodes[2]
    n3.kill()
    trio.world.run_for(4 * SECOND_NS)
    assert trio.active() == ["n2"]
    n3.start()
    assert n3.table == set()
    trio.world.run_for(10 * SECOND_NS)
    assert trio.active() == ["n3"]


def test_a_killed_backup_that_missed_advertisements_does_not_take_over_from_a_living_master() -> None:
    trio = Trio(preempt_mode=False)
    n2 = trio.nodes[1]
    n2.kill()
    trio.world.run_for(3500 * MILLISECOND_NS)
    n2.start()
    trio.world.run_for(20 * SECOND_NS)
    assert trio.active() == ["n3"]
    assert n2.routers[1].counters.become_master == 0


@pytest.mark.behaviour("FSM-21")
def test_an_orderly_stop_costs_the_skew() -> None:
    trio = Trio()
    trio.nodes[2].stop()
    assert trio.until_active("n2") // MILLISECOND_NS in range(601, 605)  # 154/256 s


@pytest.mark.behaviour("FSM-21")
def test_an_orderly_stop_leaves_no_moment_in_which_nobody_answers() -> None:
    trio = Trio()
    trio.nodes[2].stop()
    overlap_ms = 0
    for _ in range(2000):
        trio.world.run_for(MILLISECOND_NS)
        holders = [node.name for node in trio.nodes if node.table]
        assert holders, "somebody answers at every moment"
        overlap_ms += len(holders) > 1
    assert holders == ["n2"]
    assert not trio.nodes[2].is_running
    assert overlap_ms in range(48, 52), "50 ms from the successor's advertisement"


def test_an_orderly_stop_of_the_last_router_ends_when_the_slowest_successor_would_have_spoken() -> None:
    trio = Trio()
    trio.nodes[0].cut_power()
    trio.nodes[1].cut_power()
    trio.nodes[2].stop()
    trio.world.run_for(1_999 * MILLISECOND_NS)
    assert trio.nodes[2].table == {"10.1.1.1"}
    trio.world.run_for(2 * MILLISECOND_NS)
    assert trio.nodes[2].table == set()
    assert not trio.nodes[2].is_running


@pytest.mark.behaviour("FSM-20")
def test_a_power_cut_costs_at_most_the_active_down_interval() -> None:
    trio = Trio()
    trio.nodes[2].cut_power()
    assert 2_601 <= trio.until_active("n2") // MILLISECOND_NS <= 3_604


@pytest.mark.behaviour("FSM-41", "FSM-42")
def test_a_pulled_cable_and_back() -> None:
    trio = Trio()
    n3 = trio.nodes[2]
    n3.set_link(False)
    assert n3.routers[1].router_state is RouterState.FAULT
    trio.world.run_for(10 * SECOND_NS)
    assert trio.active() == ["n2"]
    n3.set_link(True)
    trio.world.run_for(10 * SECOND_NS)
    assert trio.active() == ["n3"]


def test_a_partition_has_one_active_on_each_side_and_heals_within_an_interval() -> None:
    trio = Trio()
    trio.lan.cut((trio.nodes[:2], trio.nodes[2:]))
    trio.world.run_for(10 * SECOND_NS)
    assert trio.active() == ["n2", "n3"]
    trio.lan.cut((trio.nodes,))
    assert trio.until_active("n3") <= 1_003 * MILLISECOND_NS


@pytest.mark.behaviour("FSM-26")
def test_nopreempt_leaves_the_lesser_router_in_peace() -> None:
    trio = Trio(preempt_mode=False)
    trio.nodes[2].stop()
    trio.until_active("n2")
    trio.nodes[2].start()
    trio.world.run_for(30 * SECOND_NS)
    assert trio.active() == ["n2"]


def test_a_day_of_three_routers_and_five_percent_loss() -> None:
    trio = Trio()
    trio.lan.loss = 0.05
    trio.world.run_for(86_400 * SECOND_NS)
    trio.lan.loss = 0.0
    trio.world.run_for(10 * SECOND_NS)
    assert trio.active() == ["n3"]
    assert trio.nodes[2].routers[1].counters.become_master == 1, "the best one never lost it"


def test_peers_that_disagree_on_the_interval_are_deaf_to_each_other_in_version_2() -> None:
    """The watcher must see what is wrong: two Active routers on one segment, for good."""
    world = World(1)
    lan = Lan(world)
    configs = [CONFIG, replace(CONFIG, advertisement_interval_cs=200)]
    nodes = [Node(world, lan, f"n{at}", f"10.0.0.{at}", [config]) for at, config in enumerate(configs, 1)]
    Invariants(world, lan, nodes, 7 * SECOND_NS)
    for node in nodes:
        node.start()
    with pytest.raises(Violation, match="2 Active routers"):
        world.run_for(60 * SECOND_NS)
    assert nodes[0].deaf_counters == {"advert_interval_err": 1}


def healed(*, last_word: bool) -> tuple[str, list[str]]:
    """Whom a client sends to that was on the lesser side of a partition, after 12 s of peace, and who is Active.

    The better router speaks first after the healing, so it hears nothing of the other one's time as Active.
    """
    trio = Trio(higher_prio_send_advert=last_word)
    client = Client(trio.world, trio.lan, "c1", trio.nodes, ["10.1.1.1"], SECOND_NS)
    trio.lan.cut((trio.nodes[:2], trio.nodes[2:]))
    trio.world.run_for(20 * SECOND_NS)
    assert client.cache == {"10.1.1.1": "n2"}
    while trio.nodes[2].sent_at_ns[-1][0] < trio.world.now_ns - MILLISECOND_NS // 2:
        trio.world.run_for(MILLISECOND_NS // 4)
    trio.world.run_for(SECOND_NS - 2 * MILLISECOND_NS)  # n3 speaks next
    trio.lan.cut((trio.nodes,))
    trio.world.run_for(12 * SECOND_NS)
    return client.cache["10.1.1.1"], trio.active()


@pytest.mark.behaviour("FSM-33", "FSM-34")
def test_after_a_partition_the_neighbours_find_the_master_because_the_loser_says_a_last_word() -> None:
    assert healed(last_word=True) == ("n3", ["n3"])


def test_without_the_last_word_neighbours_go_on_asking_the_loser() -> None:
    assert healed(last_word=False) == ("n2", ["n3"])


def test_who_asks_while_two_answer_is_told_again() -> None:
    trio = Trio()
    trio.nodes[2].stop()
    trio.until_active("n2")
    trio.world.run_for(20 * MILLISECOND_NS)
    assert [node.name for node in trio.nodes if node.table] == ["n2", "n3"]
    client = Client(trio.world, trio.lan, "c1", trio.nodes, ["10.1.1.1"], SECOND_NS)
    client.cache = {"10.1.1.1": "n3"}  # the one that is about to go was quicker
    trio.world.run_for(100 * MILLISECOND_NS)
    assert client.cache == {"10.1.1.1": "n2"}


@pytest.mark.parametrize("whole_machine", [True, False])
def test_a_frozen_master_lets_go_and_listens_before_it_speaks(whole_machine: bool) -> None:
    trio = Trio(preempt_mode=False)
    n3 = trio.nodes[2]
    n3.freeze(10 * SECOND_NS, whole_machine=whole_machine)
    trio.world.run_for(9 * SECOND_NS)
    n3.sent_at_ns.clear()
    trio.world.run_for(SECOND_NS + MILLISECOND_NS)
    assert n3.table == set()
    assert trio.active() == ["n2"]
    trio.world.run_for(30 * SECOND_NS)
    assert n3.sent_at_ns == []
    assert trio.active() == ["n2"]


def test_a_frozen_master_that_preempts_comes_back_after_listening() -> None:
    trio = Trio()
    n3 = trio.nodes[2]
    n3.freeze(10 * SECOND_NS, whole_machine=True)
    trio.world.run_for(10 * SECOND_NS + MILLISECOND_NS)
    assert trio.active() == ["n2"]
    assert 1_590 <= trio.until_active("n3") // MILLISECOND_NS <= 1_605  # an interval and its skew, 153/256 s


def test_a_freeze_that_the_peers_did_not_notice_changes_nothing() -> None:
    trio = Trio()
    trio.nodes[2].freeze(2 * SECOND_NS, whole_machine=True)
    trio.world.run_for(20 * SECOND_NS)
    assert trio.active() == ["n3"]
    assert trio.nodes[2].routers[1].counters.become_master == 1


def test_a_frozen_backup_does_not_take_over_from_a_living_master() -> None:
    trio = Trio()
    trio.nodes[1].freeze(10 * SECOND_NS, whole_machine=True)
    trio.world.run_for(30 * SECOND_NS)
    assert trio.active() == ["n3"]
    assert trio.nodes[1].routers[1].counters.become_master == 0


def test_a_router_that_an_operator_holds_back_gives_up_without_a_gap_and_keeps_out() -> None:
    trio = Trio()
    n3 = trio.nodes[2]
    n3.stand_by(1, trio.world.now_ns + 100 * SECOND_NS)
    for _ in range(1000):
        trio.world.run_for(MILLISECOND_NS)
        assert any(node.table for node in trio.nodes), "somebody answers at every moment"
    assert trio.active() == ["n2"]
    trio.nodes[2].kill()
    n3.start()
    trio.world.run_for(60 * SECOND_NS)
    assert trio.active() == ["n2"], "over a respawn too"
    trio.world.run_for(50 * SECOND_NS)
    assert trio.active() == ["n3"], "until the time is over"


def test_a_router_that_is_held_back_keeps_out_even_when_nobody_else_is_left() -> None:
    trio = Trio()
    trio.nodes[2].stand_by(1, trio.world.now_ns + 1000 * SECOND_NS)
    trio.world.run_for(5 * SECOND_NS)
    trio.nodes[0].cut_power()
    trio.nodes[1].cut_power()
    trio.world.run_for(60 * SECOND_NS)
    assert trio.active() == []
    trio.nodes[2].stand_by(1, 0)
    assert trio.until_active("n3") < 4 * SECOND_NS

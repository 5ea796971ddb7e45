"""Whole machines: lives from seeds, and reloads against fresh starts. `python -m tests.sim --machines | --reloads`."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from tests.sim.invariants import Violation
from tests.sim.laws import instances_of
from tests.sim.life import Life, live
from tests.sim.reloads import Pair, reload
from tests.sim.world import SECOND_NS

LIVES = int(os.environ.get("PYHAD_SIM_LIVES", "20"))
PAIRS = int(os.environ.get("PYHAD_SIM_RELOADS", "20"))
_PER_TEST = 10


@pytest.mark.parametrize("first", range(0, LIVES, _PER_TEST))
def test_every_life_of_whole_machines_keeps_the_laws_and_comes_right(first: int) -> None:
    for seed in range(first, first + _PER_TEST):
        print(f"seed {seed}; replay: python -m tests.sim --machines --first {seed} --seeds 1 --trace")
        live(seed)


@pytest.mark.behaviour("REL-10", "REL-11", "REL-12")
@pytest.mark.parametrize("first", range(0, PAIRS, _PER_TEST))
def test_a_reload_makes_what_a_fresh_start_would(first: int) -> None:
    for seed in range(first, first + _PER_TEST):
        print(f"seed {seed}; replay: python -m tests.sim --reloads --first {seed} --seeds 1 --trace")
        reload(seed)


def test_a_seed_is_a_whole_life() -> None:
    lines: list[str] = []
    once, again = live(3, lines.append), live(3)
    assert once == again
    assert once.transitions > 0
    assert any("state_changed" in line for line in lines)


def _running() -> Life:
    life = Life(3)
    for machine in life.machines:
        machine.start()
    life.world.run_for(20 * SECOND_NS)
    return life


def test_the_laws_see_an_address_that_nobody_has() -> None:
    life = _running()
    process = life.machines[0].process
    assert process is not None
    stray = VirtualAddress(address="10.9.9.9", prefix_len=32, interface="eth0")
    process.service._world.holdings.install(process, (stray,), owns_found=True)
    with pytest.raises(Violation, match=r"holds \{\('eth0', '10\.9\.9\.9'\)\}"):
        process.turn(lambda: None)


def test_the_laws_see_an_address_that_is_missing() -> None:
    life = _running()
    machine = next(machine for machine in life.machines if machine.marked())
    for card in machine.cards.values():
        card.there = {key: seen for key, seen in card.there.items() if not seen.protocol}
    process = machine.process
    assert process is not None
    with pytest.raises(Violation, match="is MASTER without"):
        process.turn(lambda: None)


def test_the_laws_see_a_timer_that_will_not_come() -> None:
    life = _running()
    machine = life.machines[0]
    instance = next(iter(instances_of(machine)))
    assert instance._world.beats.due_ns(instance) is not None or instance._timer.at_ns is not None
    instance._timer.cancel()
    instance._world.beats.leave(instance)
    process = machine.process
    assert process is not None
    with pytest.raises(Violation, match="nothing will wake"):
        process.turn(lambda: None)


def test_the_picture_of_a_machine_shows_every_difference_of_a_configuration() -> None:
    """What a reload forgets is seen: each setting alone makes another picture."""
    pair = Pair(1)
    changes = [{"base_priority": 7}, {"preempt_mode": False}, {"advertisement_interval_cs": 300}, {"trackers": ()}]
    seen = [pair.live(pair.after)[0]]
    for change in changes:
        first, *others = pair.after.instances
        assert isinstance(first, VrrpInstance)
        changed = replace(pair.after, instances=(replace(first, **change), *others))  # type: ignore[arg-type]
        made = Pair(1)
        made.after = changed
        shown = made.live(changed)[0]
        if changed != pair.after:
            assert shown not in seen
            seen.append(shown)
    assert len(seen) >= len(changes)

"""The memory that outlives children and the parent's program."""

from __future__ import annotations

import dataclasses
import os

from pyhad.common.blackbox import key_of
from pyhad.common.pulse import LAYOUT
from pyhad.common.states import ProcessName
from pyhad.parent.baton import Baton
from pyhad.parent.rooms import Room
from pyhad.parent.shared import Shared

VRRP = ProcessName.VRRP
KEY = key_of("router")


def rooms(box_bytes: int) -> tuple[Room, ...]:
    return (Room(name=VRRP, module="none", box_slots=4, box_bytes=box_bytes),)


def left_by(shared: Shared) -> Baton:
    return Baton(
        version="", lock=-1, generation=1, pulse=os.dup(shared.pulse_fd), pulse_layout=LAYOUT, boxes=shared.left_boxes()
    )


def test_the_next_program_finds_what_was_journaled() -> None:
    first = Shared(rooms(16), None)
    box = first.box_for_successor(VRRP)
    box.load()
    box.put(KEY, b"was master")
    first.pulse.beat(VRRP)
    second = Shared(rooms(16), left_by(first))
    assert second.box_for_successor(VRRP).load() == {KEY: b"was master"}
    assert second.pulse.read(VRRP).progress == 1


def test_a_box_of_other_measures_is_copied_when_its_child_is_replaced() -> None:
    first = Shared(rooms(16), None)
    box = first.box_for_successor(VRRP)
    box.load()
    second = Shared(rooms(32), left_by(first))
    box.put(KEY, b"until the end")  # its child goes on for a while
    assert second.box_for_successor(VRRP).load() == {KEY: b"until the end"}
    assert second.left_boxes()["vrrp"].payload_bytes == 32


def test_a_record_that_does_not_fit_any_more_is_dropped() -> None:
    first = Shared(rooms(16), None)
    box = first.box_for_successor(VRRP)
    box.load()
    box.put(KEY, b"sixteen bytes...")
    assert Shared(rooms(8), left_by(first)).box_for_successor(VRRP).load() == {}


def test_a_page_of_another_layout_is_not_shared() -> None:
    first = Shared(rooms(16), None)
    first.pulse.beat(VRRP)
    left = dataclasses.replace(left_by(first), pulse_layout="another")
    assert Shared(rooms(16), left).pulse.read(VRRP).progress == 0

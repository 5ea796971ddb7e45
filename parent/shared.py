"""The memory that outlives a child, and the parent's own program: the pulse page and one black box per child.

Each lies in a file without a name, so that an upgraded parent finds them again. Looks into no record but to copy it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from pyhad.common.blackbox import BlackBox, size_of
from pyhad.common.pulse import LAYOUT, PAGE_BYTES, PulsePage
from pyhad.common.states import ProcessName
from pyhad.parent.baton import Baton, LeftBox
from pyhad.parent.rooms import Room


class Shared:
    """Made anew, or what the program before this one left. Raises OSError."""

    def __init__(self, rooms: Sequence[Room], left: Baton | None) -> None:
        fits = left is not None and left.pulse_layout == LAYOUT
        self._pulse_fd = left.pulse if left is not None and fits else _file("pulse", PAGE_BYTES)
        self.pulse = PulsePage(self._pulse_fd)
        self._measures: dict[ProcessName, LeftBox] = {}
        self._boxes: dict[ProcessName, BlackBox] = {}
        self._outgrown: dict[ProcessName, BlackBox] = {}
        """Boxes of other measures: their child still writes into them."""
        for room in rooms:
            self._take_box(room, left.boxes.get(room.name) if left is not None else None)

    def box_for_successor(self, name: ProcessName) -> BlackBox:
        """The black box of the child about to be forked, with all that its predecessor journaled."""
        outgrown = self._outgrown.pop(name, None)
        box = self._boxes[name]
        if outgrown is not None:
            box.load()
            for key, payload in outgrown.load().items():
                if len(payload) <= self._measures[name].payload_bytes:
                    box.put(key, payload)
                    box.touch(key, outgrown.moment(key))
        return box

    def left_boxes(self) -> dict[str, LeftBox]:
        """For the baton."""
        return {str(name): measures for name, measures in self._measures.items()}

    @property
    def pulse_fd(self) -> int:
        """For the baton."""
        return self._pulse_fd

    def _take_box(self, room: Room, left: LeftBox | None) -> None:
        wanted = (room.box_slots, room.box_bytes)
        if left is not None and (left.slots, left.payload_bytes) == wanted:
            measures = left
        else:
            fd = _file(f"box_{room.name}", size_of(*wanted))
            measures = LeftBox(fd=fd, slots=room.box_slots, payload_bytes=room.box_bytes)
            if left is not None:
                self._outgrown[room.name] = BlackBox(left.slots, left.payload_bytes, left.fd)
        self._measures[room.name] = measures
        self._boxes[room.name] = BlackBox(*wanted, measures.fd)


def _file(name: str, size_bytes: int) -> int:
    fd = os.memfd_create(f"pyhad_{name}", os.MFD_CLOEXEC)
    os.ftruncate(fd, size_bytes)
    return fd

"""The table of children: which module's `main` each runs, and how much it may journal. Imports none of them by name."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Sequence

from pyhad.common.memory import uncollected
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One child process. `module` has `main(context: ChildContext) -> int`."""

    name: ProcessName
    module: str
    last_resort: str = ""
    """Module whose `main` gives up what the child held, when it cannot be kept alive."""
    box_slots: int = 256
    box_bytes: int = 64


ROOMS = (
    Room(name=ProcessName.CONTROL, module="pyhad.control_proc.main"),
    Room(name=ProcessName.IPVS, module="pyhad.ipvs_proc.main", box_slots=65536, box_bytes=64),
    Room(name=ProcessName.CHECKER, module="pyhad.checker_proc.main", box_slots=65536, box_bytes=64),
    Room(
        name=ProcessName.VRRP,
        module="pyhad.vrrp_proc.main",
        last_resort="pyhad.vrrp_proc.release",
        box_slots=16384,
        box_bytes=400,
    ),
)


def import_all(rooms: Sequence[Room]) -> None:
    """Import what any child needs (zmq and msgpack come with common.bus), then freeze it for sharing by fork.

    No ZeroMQ context is made here: its threads would not survive the fork.
    """
    with uncollected():
        importlib.import_module("pyhad.common.runtime")
        for room in rooms:
            importlib.import_module(room.module)
            if room.last_resort:
                importlib.import_module(room.last_resort)
    gc.collect()
    gc.freeze()

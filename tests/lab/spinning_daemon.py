"""The whole pyhad, but its VRRP process spins for ever in the middle of a turn when it gets SIGRTMIN+7.

`python -m tests.lab.spinning_daemon OPTION...` takes the options of `pyhad`.
"""

from __future__ import annotations

import dataclasses
import signal
import sys

from pyhad.common.runtime import ChildContext
from pyhad.common.states import ProcessName
from pyhad.parent.main import run
from pyhad.parent.rooms import ROOMS
from pyhad.vrrp_proc import main as vrrp

SPIN = signal.SIGRTMIN + 7
MODULE = "tests.lab.spinning_daemon"


def main(context: ChildContext) -> int:
    """The VRRP process."""
    signal.signal(SPIN, _spin)
    return vrrp.main(context)


def _spin(_number: int, _frame: object) -> None:
    while True:
        pass


if __name__ == "__main__":
    rooms = tuple(dataclasses.replace(room, module=MODULE) if room.name is ProcessName.VRRP else room for room in ROOMS)
    sys.exit(run(sys.argv[1:], rooms=rooms))

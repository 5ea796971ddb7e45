"""Who starts after whom, who stops after whom, and where the daemon stands in between. Pure."""

from __future__ import annotations

import enum

from pyhad.common.states import ProcessName

START_ORDER = (ProcessName.CONTROL, ProcessName.IPVS, ProcessName.CHECKER, ProcessName.VRRP)
"""Who is listened to is there first."""
STOP_ORDER = (
    frozenset({ProcessName.VRRP}),
    frozenset({ProcessName.CHECKER, ProcessName.IPVS}),
    frozenset({ProcessName.CONTROL}),
)
"""The addresses move to the other node while this one still balances; an operator can watch to the end."""


class Stage(enum.Enum):
    """Of the daemon's life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"

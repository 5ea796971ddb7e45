"""What the VRRP process looks at besides its virtual routers, and what it keeps the machine from doing meanwhile.

Pure data, part of the model (see model.py, which imports it).
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class PollMethod(enum.StrEnum):
    """How to ask a driver for its carrier. ANY: the first of the others that works, in their order."""

    ANY = "any"
    MII = "MII"
    ETHTOOL = "ETHTOOL"
    IOCTL = "IOCTL"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPoll:
    """One interface whose carrier is asked for once a second instead of taken from netlink (FSM-49)."""

    interface: str
    method: PollMethod = PollMethod.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """All of it."""

    link_polls: tuple[LinkPoll, ...] = ()
    unknown_vrids: bool = False
    """`log_unknown_vrids`."""
    local_igmp: bool = True
    """False with `disable_local_igmp`: no membership reports for 224.0.0.0/24."""


NO_LOOKOUT = Lookout()

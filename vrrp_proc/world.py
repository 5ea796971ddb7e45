"""What the virtual routers of a process share, and the way to the network as one of them sees it. Does nothing."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.common.records import dataclass, field
from pyhad.vrrp_proc.beats import Beats
from pyhad.vrrp_proc.core.outgoing import Numbers
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.moving_timer import Looks
from pyhad.vrrp_proc.teller import Companions, Teller
from pyhad.vrrp_proc.wire.mailing import Mailing
from pyhad.vrrp_proc.wire.paced import PacedAnnouncer

if TYPE_CHECKING:
    from pyhad.vrrp_proc.instance import Instance


class Outlet(Protocol):
    """A socket that sends for one port, or for several."""

    @property
    def is_at_link(self) -> bool:
        """What it sends goes past the kernel's IP layer."""
        ...

    def send_all(self, mailing: Mailing) -> list[tuple[int, int]]:
        """(place, errno) of each packet that could not be sent."""
        ...


class Port(Protocol):
    """The way to the network, as one router sees it."""

    @property
    def index(self) -> int:
        """Of its interface."""
        ...

    @property
    def is_plain(self) -> bool:
        """It sends as any program would: without a MAC address of its own."""
        ...

    def send(self, packet: bytes | bytearray, destination: str) -> int:
        """0 or an errno."""
        ...

    @property
    def outlet(self) -> Outlet:
        """By which many packets leave at once, together with those of other ports that have the same."""
        ...

    def envelope(self, destination: str) -> bytes:
        """The socket address of a packet that leaves by the outlet."""
        ...

    def read(self) -> int:
        """Take in what waits, of each socket at most `PACKETS_AT_ONCE`; as many as came from the one with the most."""
        ...

    def forget_known(self) -> None:
        """Look at every packet anew."""
        ...


@dataclass(slots=True, kw_only=True)
class World:
    """What all virtual routers of the process share."""

    loop: Loop
    logger: FilteringBoundLogger
    holdings: Holdings
    announcer: PacedAnnouncer
    journal: Journal
    beats: Beats
    looks: Looks
    counters: collections.Counter[str]
    on_change: Callable[[], None]
    """Runs when a state changed, so that it is told."""
    teller: Teller
    companions: Companions
    wall_ns: Callable[[], int] = time.time_ns
    """The time of day, which may be set; of use to `auth_hmac` alone."""
    numbers: Numbers = field(default_factory=Numbers)
    """Of IPv4 packets."""
    on_parted: Callable[[Instance], None] = lambda instance: None
    """Runs when a router that was shut down has let go of its addresses too."""

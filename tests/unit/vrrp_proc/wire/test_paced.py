"""Bursts of announcements have an end."""

from __future__ import annotations

from typing import Any

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.garp import AnnounceLimit
from pyhad.vrrp_proc.wire.paced import PacedAnnouncer

ADDRESS = VirtualAddress(address="10.0.0.9", prefix_len=32, interface="eth0")


class Clock:
    """A loop on which nothing is ever due, and an announcer that counts rounds."""

    def __init__(self) -> None:
        self.rounds: list[int] = []

    def now_ns(self) -> int:
        return 1

    def at(self, at_ns: int, action: Any) -> Any:
        return None

    def announce(self, addresses: object, repeat: int) -> None:
        self.rounds.append(repeat)


def test_no_burst_is_longer_than_a_hundred_rounds() -> None:
    """`garp_master_repeat 4294967295` held up the adverts of all routers until the process was taken for hanging."""
    clock: Any = Clock()
    paced = PacedAnnouncer(clock, clock)
    paced.announce((ADDRESS,), 5)
    paced.announce((ADDRESS,), 4_294_967_295)
    assert clock.rounds == [5, 100]
    paced.configure([AnnounceLimit(garp_interval_ns=1_000_000_000)])
    paced.announce((ADDRESS,), 4_294_967_295)
    assert clock.rounds == [5, 100, 1]

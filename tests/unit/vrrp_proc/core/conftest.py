"""What the tests of the VRRP core share: a configuration to vary, and a router with a short way to talk to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.effects import (
    AnnounceAddresses,
    ChangePriority,
    ChangeState,
    Effect,
    InstallAddresses,
    Remark,
    RemoveAddresses,
    SendAdvertisement,
)
from pyhad.vrrp_proc.core.events import AdvertisementReceived, Event, FaultCause, Startup, TimePassed
from pyhad.vrrp_proc.core.states import Active
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter

CONFIG = VrrpInstance(
    name="VI_1",
    vrid=51,
    family=4,
    interface="eth0",
    version=2,
    start_as_master=False,
    base_priority=100,
    advertisement_interval_cs=100,
    addresses=(VirtualAddress(address="10.1.1.1", prefix_len=32, interface="eth0"),),
)


class Bench:
    """One router at the address 10.0.0.2, its effects written as short words: `adv 100`, `install 10.1.1.1` …"""

    def __init__(self, config: VrrpInstance) -> None:
        self.router = VirtualRouter(config)
        self.now_ns = 0

    def at(self, now_ns: int, event: Event) -> list[str]:
        """Handle one event. Until then an Active router has done its duties in time, or it would seem frozen."""
        while not isinstance(event, TimePassed) and isinstance(self.router.state, Active):
            due_ns = self.router.next_deadline_ns()
            if due_ns is None or due_ns >= now_ns:
                break
            self.router.handle(TimePassed(), due_ns)
        self.now_ns = now_ns
        return [_word(effect) for effect in self.router.handle(event, now_ns)]

    def start(self, *, faults: frozenset[FaultCause] = frozenset(), **restored: Any) -> list[str]:
        """Startup at 0."""
        return self.at(0, Startup(faults=faults, source_address="10.0.0.2", **restored))

    def pass_time(self, now_ns: int) -> list[str]:
        """TimePassed."""
        return self.at(now_ns, TimePassed())

    def hear(self, now_ns: int, priority: int, *, source: str = "10.0.0.1", interval_cs: int = 100) -> list[str]:
        """An advertisement of another router."""
        return self.at(now_ns, AdvertisementReceived(source=source, priority=priority, interval_cs=interval_cs))

    def become_active(self) -> int:
        """Start and wait; returns the moment."""
        self.start()
        deadline_ns = self.router.next_deadline_ns()
        assert deadline_ns is not None
        self.pass_time(deadline_ns)
        return deadline_ns


def _word(effect: Effect) -> str:
    match effect:
        case SendAdvertisement(priority=priority):
            return f"adv {priority}"
        case InstallAddresses(addresses=addresses):
            return "install " + " ".join(virtual.address for virtual in addresses)
        case RemoveAddresses(addresses=addresses):
            return "remove " + " ".join(virtual.address for virtual in addresses)
        case AnnounceAddresses(addresses=addresses, repeat=repeat):
            return f"announce x{repeat} " + " ".join(virtual.address for virtual in addresses)
        case ChangeState(old=old, new=new, reason=reason, detail=detail):
            return f"{old}->{new} {reason} {detail}".strip()
        case ChangePriority(old=old, new=new):
            return f"priority {old}->{new}"
        case Remark(event=event):
            return f"remark {event}"


@pytest.fixture
def make_config() -> Callable[..., VrrpInstance]:
    """An instance of version 2, VRID 51, priority 100, 1 s, with the address 10.1.1.1; named settings replaced."""
    return lambda **changes: replace(CONFIG, **changes)


@pytest.fixture
def bench(make_config: Callable[..., VrrpInstance]) -> Callable[..., Bench]:
    """A `Bench` with that configuration."""
    return lambda **changes: Bench(make_config(**changes))

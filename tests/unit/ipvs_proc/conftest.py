"""Builders of plain values for the tests of the IPVS owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import Forwarding, Listener, Protocol, RealServer, SorryServer, VirtualServer
from pyhad.common.messages import Verdict
from pyhad.ipvs_proc.core.table import Destination, Entry, Service

LISTENER = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)


class Make:
    """One service `web` at 10.0.0.1:80/tcp with servers 10.1.0.N:80."""

    listener = LISTENER

    def server(
        self, number: int, weight: int = 1, *, alpha: bool = False, inhibit: bool = False, slow_start_s: int = 0,
        checked: bool = True,
    ) -> RealServer:  # fmt: skip
        return RealServer(
            id=f"10.1.0.{number}:80", address=f"10.1.0.{number}", port=80, weight=weight, forwarding=Forwarding.NAT,
            alpha=alpha, inhibit_on_failure=inhibit, slow_start_ns=slow_start_s * 1_000_000_000, is_checked=checked,
        )  # fmt: skip

    def sorry(self, *, inhibit: bool = False) -> SorryServer:
        return SorryServer(address="10.1.0.99", port=80, forwarding=Forwarding.NAT, inhibit=inhibit)

    def virtual(
        self, *servers: RealServer, quorum: int = 1, hysteresis: int = 0, sorry: SorryServer | None = None,
        alpha: bool = False, name: str = "web", listeners: tuple[Listener, ...] = (LISTENER,), scheduler: str = "rr",
        panic: int = 0,
    ) -> VirtualServer:  # fmt: skip
        return VirtualServer(
            id=name, listeners=listeners, scheduler=scheduler, quorum=quorum, hysteresis=hysteresis, alpha=alpha,
            sorry_server=sorry, servers=servers, panic_threshold=panic,
        )  # fmt: skip

    def verdict(
        self, number: int, up: bool, weight: int = 1, *, reason: str = "timeout", service: str = "web",
        since_s: int = 0,
    ) -> Verdict:  # fmt: skip
        return Verdict(
            service=service, server=f"10.1.0.{number}:80", up=up, weight=weight, since_ns=since_s * 1_000_000_000,
            reason=reason,
        )  # fmt: skip

    def entry(self, weights: dict[int, int], *, listener: Listener = LISTENER, scheduler: str = "rr") -> Entry:
        """What a data plane has: weight by last number of the address."""
        destinations = {
            (f"10.1.0.{number}", 80): Destination(
                address=f"10.1.0.{number}", port=80, weight=weight, forwarding=Forwarding.NAT
            )
            for number, weight in weights.items()
        }
        return Entry(service=Service(listener=listener, scheduler=scheduler), destinations=destinations)

    def weights(self, entry: Entry | None) -> dict[int, int] | None:
        """The reverse of `entry`."""
        if entry is None:
            return None
        return {int(address.split(".")[3]): each.weight for (address, _), each in entry.destinations.items()}


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def weights_of(make: Make) -> Callable[[Entry | None], dict[int, int] | None]:
    return make.weights

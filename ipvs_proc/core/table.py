"""The load-balancing table as plain data: what is wanted and what is there are written in the same words.

No decisions here. Values are normalised (flags as bits, masks as lengths), so that `==` means "nothing to do".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from pyhad.common.config.model import PLAIN_TUNNEL, Forwarding, Listener, Tunnel, VirtualServer
from pyhad.common.messages_table import STILL, Rates
from pyhad.common.records import dataclass, field

FLAG_ONE_PACKET = 0x04
FLAG_SCHEDULER_1 = 0x08
FLAG_SCHEDULER_2 = 0x10
FLAG_SCHEDULER_3 = 0x20

FLAGS = {
    "ops": FLAG_ONE_PACKET,
    "flag-1": FLAG_SCHEDULER_1, "sh-fallback": FLAG_SCHEDULER_1, "mh-fallback": FLAG_SCHEDULER_1,
    "flag-2": FLAG_SCHEDULER_2, "sh-port": FLAG_SCHEDULER_2, "mh-port": FLAG_SCHEDULER_2,
    "flag-3": FLAG_SCHEDULER_3,
}  # fmt: skip
"""Scheduler flags by keyword, as bits of the kernel's service flags."""

DAMAGED = ""
"""Scheduler of a service that was found with other rules than it was given: how it balances is not known."""

Endpoint = tuple[str, int]
"""Address and port of a destination: its identity within a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How one listener balances. `persistence_prefix_len` and `persistence_engine` count only with a timeout."""

    listener: Listener
    scheduler: str
    flags: int = 0
    persistence_timeout_s: int = 0
    persistence_prefix_len: int = 0
    """0 without persistence, else 1 to 32 or 128: which part of a client's address makes it the same client."""
    persistence_engine: str = ""
    masquerade: bool = False
    """Real servers see our own address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One real server of one service. Weight 0: no new connections, old ones go on."""

    address: str
    port: int
    weight: int
    forwarding: Forwarding
    upper_threshold: int = 0
    lower_threshold: int = 0
    tunnel: Tunnel = PLAIN_TUNNEL
    """Its defaults unless `forwarding` is TUNNEL."""
    replaces: str = field(default="", compare=False)
    """The address where the same server was before: it stays until this is there. No data plane knows of it."""

    @property
    def endpoint(self) -> Endpoint:
        return self.address, self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service with its destinations by endpoint. The dictionary is shared: copy before a change."""

    service: Service
    destinations: dict[Endpoint, Destination]

    @property
    def serves(self) -> bool:
        """Some destination takes new connections."""
        return any(destination.weight > 0 for destination in self.destinations.values())

    def with_destination(self, destination: Destination) -> Entry:
        return replace(self, destinations={**self.destinations, destination.endpoint: destination})


Table = dict[Listener, Entry]


class Connections(NamedTuple):
    """What a data plane counted for one destination, or for a service; -1 where it does not count. A tuple: there are
    very many."""

    active: int = -1
    inactive: int = -1
    total: int = -1
    in_packets: int = -1
    out_packets: int = -1
    in_bytes: int = -1
    out_bytes: int = -1
    rates: Rates | None = None
    """None where the data plane has none; `STILL`, the very object, when nothing moves."""


def rates_of(numbers: Iterable[int]) -> Rates:
    """Connections, packets in and out, bytes in and out each second."""
    found = Rates(*numbers)
    return STILL if found == STILL else found


def added(counts: list[Connections]) -> Connections:
    """Of several listeners; what one of them does not count is not known of all."""
    if len(counts) < 2:
        return counts[0] if counts else Connections()
    *columns, rates = zip(*counts, strict=True)
    numbers = [-1 if -1 in column else sum(column) for column in columns]
    known = [each for each in rates if each is not None]
    return Connections._make((*numbers, _rates_added(known) if len(known) == len(counts) else None))


def _rates_added(rates: list[Rates]) -> Rates:
    moving = [each for each in rates if each is not STILL]
    return rates_of(sum(getattr(each, name) for each in moving) for name in Rates.__slots__)


Servers = tuple[dict[Endpoint, Destination], dict[Endpoint, Connections]]
"""Of one service as it was read: its destinations, and what is counted for each."""


class Glance(NamedTuple):
    """The services as they are now, and a way to the servers of each; None: it is gone meanwhile."""

    services: list[Service]
    servers_of: Callable[[Listener], Servers | None]
    counted: dict[Listener, Connections]
    """As `Reading.services`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A data plane read back: its table, and what is counted for the destinations of each service."""

    table: Table
    connections: dict[Listener, dict[Endpoint, Connections]]
    services: dict[Listener, Connections] = field(default_factory=dict)
    """What is counted for the services themselves, where the data plane does that."""


def service_of(server: VirtualServer, listener: Listener) -> Service:
    """The service that `server` wants at `listener`."""
    flags = 0
    for keyword in server.flags:
        flags |= FLAGS.get(keyword, 0)
    persistent = server.persistence_timeout_s > 0
    return Service(
        listener=listener,
        scheduler=server.scheduler,
        flags=flags,
        persistence_timeout_s=server.persistence_timeout_s,
        persistence_prefix_len=prefix_len(server.persistence_granularity, listener.family) if persistent else 0,
        persistence_engine=server.persistence_engine if persistent else "",
        masquerade=server.masquerade,
    )


def prefix_len(granularity: str, family: int) -> int:
    """`persistence_granularity` as a length: `255.255.255.0` or `64`; the whole address when empty."""
    if not granularity:
        return 32 if family == 4 else 128
    if "." in granularity:
        return sum(int(byte).bit_count() for byte in granularity.split("."))
    return int(granularity)


def listener_name(listener: Listener) -> str:
    """A listener as operators write it: `10.0.0.1:80/tcp`, `[fd00::1]:80/tcp`, `fwmark:9/inet`."""
    if listener.fwmark:
        return f"fwmark:{listener.fwmark}/{'inet' if listener.family == 4 else 'inet6'}"
    return f"{endpoint_name((listener.address, listener.port))}/{listener.protocol}"


def endpoint_name(endpoint: Endpoint) -> str:
    """`10.0.0.11:80`, `[fd00::2]:80`."""
    address, port = endpoint
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

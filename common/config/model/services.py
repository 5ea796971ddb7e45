"""What the owner of the load-balancing table gets: services, their servers, and how the table is kept. Pure data.

The names are used by way of `model.py`, which says what holds for all documents.
"""

from __future__ import annotations

import enum

from pyhad.common.config.model.balancing import (
    KERNEL_TIMEOUTS,
    PLAIN_TUNNEL,
    FlushAtStop,
    IpvsTimeouts,
    Marking,
    SyncDaemon,
    Tunnel,
)
from pyhad.common.records import dataclass


class Protocol(enum.StrEnum):
    """Transport of a virtual service. NONE is for services found by firewall mark."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"
    NONE = "none"


class Forwarding(enum.StrEnum):
    """How packets reach a real server (`lb_kind`)."""

    NAT = "NAT"
    DIRECT_ROUTE = "DR"
    TUNNEL = "TUN"


class DataPlane(enum.StrEnum):
    """Who balances: the kernel's IPVS, nftables, or whichever the kernel has (`pyhad_data_plane`)."""

    AUTO = "auto"
    IPVS = "ipvs"
    NFTABLES = "nftables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address that the data plane serves: address and port, or a firewall mark (then address is empty)."""

    protocol: Protocol
    family: int
    address: str = ""
    port: int = 0
    fwmark: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """One destination of a service as configured."""

    id: str
    """`ADDRESS:PORT`, IPv6 in brackets."""
    address: str
    port: int
    weight: int
    forwarding: Forwarding
    inhibit_on_failure: bool = False
    alpha: bool = False
    upper_threshold: int = 0
    lower_threshold: int = 0
    tunnel: Tunnel = PLAIN_TUNNEL
    slow_start_ns: int = 0
    """`pyhad_slow_start`: how long it takes to its whole weight after it recovered."""
    name: str = ""
    """A host name: `address` is empty, and the checker says which one it has."""
    is_checked: bool = True
    """False: the checker never speaks of it, so it is up (CHK-5), whatever was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SorryServer:
    """Serves when the quorum is lost (LVS-34, LVS-35)."""

    address: str
    port: int
    forwarding: Forwarding
    inhibit: bool = False
    tunnel: Tunnel = PLAIN_TUNNEL


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualServer:
    """One `virtual_server` (FIX-50 to FIX-62 already applied). A group has several listeners."""

    id: str
    """`ADDRESS:PORT/tcp`, `fwmark:N/inet` or `group:NAME/tcp`; unique."""
    listeners: tuple[Listener, ...]
    scheduler: str
    flags: tuple[str, ...] = ()
    """Scheduler flags by keyword (`sh-port`, `flag-1`, `ops` …)."""
    persistence_timeout_s: int = 0
    persistence_granularity: str = ""
    persistence_engine: str = ""
    masquerade: bool = False
    """`pyhad_masquerade`: real servers see our own address (nftables only)."""
    quorum: int = 1
    hysteresis: int = 0
    panic_threshold: int = 0
    """`pyhad_panic_threshold`: so many percent of the servers stay in the table, whatever their checks say."""
    alpha: bool = False
    sorry_server: SorryServer | None = None
    servers: tuple[RealServer, ...] = ()
    source: str = ""
    """`FILE:LINE` of the block, for messages."""
    marked: bool = False
    """A group of addresses that is one service of IPVS, found by a mark that nftables gives (`nftables_ipvs`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IpvsDocument:
    """All that the IPVS owner needs."""

    schema: int
    generation: int
    data_plane: DataPlane
    services: tuple[VirtualServer, ...]
    flush_at_start: bool = False
    """`lvs_flush`."""
    namespace: str | None = None
    """`net_namespace_ipvs`: where the table is; empty: where the daemon was started; None: where the daemon is."""
    flush_at_stop: FlushAtStop = FlushAtStop.ENTRIES
    timeouts: IpvsTimeouts = KERNEL_TIMEOUTS
    sync: SyncDaemon | None = None
    marking: Marking | None = None

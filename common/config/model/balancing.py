"""Parts of the model that describe the kernel's load balancing: tunnels, timeouts, sync daemon, flushing. Pure data.

They are used under their names in `model.py`.
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class TunnelType(enum.StrEnum):
    """How a tunnelled packet is wrapped (`lb_kind TUN type`)."""

    IPIP = "ipip"
    GUE = "gue"
    GRE = "gre"


class TunnelChecksum(enum.StrEnum):
    """Checksum of the outer header: none, a whole one, or offloaded to the far end (gue only)."""

    NONE = "nocsum"
    FULL = "csum"
    REMOTE = "remcsum"


class FlushAtStop(enum.StrEnum):
    """How the table is emptied at shutdown (`lvs_flush_on_stop`)."""

    ENTRIES = "entries"
    """Server by server, then the service: the default."""
    SERVICES = "services"
    """`VS`: our services, with whatever they have."""
    ALL = "all"
    """Bare: everything in the kernel's table, whoever made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """The wrapping of `TUN`. `port` counts for gue only. Other methods keep the defaults."""

    type: TunnelType = TunnelType.IPIP
    port: int = 0
    checksum: TunnelChecksum = TunnelChecksum.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class IpvsTimeouts:
    """`lvs_timeouts` in seconds; 0 leaves the kernel's value."""

    tcp_s: int = 0
    tcp_fin_s: int = 0
    udp_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDaemon:
    """`lvs_sync_daemon`: sends and receives the connections of IPVS. 0 and empty leave the kernel's default."""

    interface: str
    sync_id: int = 0
    max_len: int = 0
    port: int = 0
    ttl: int = 0
    group: str = ""
    instance: str = ""
    """The `vrrp_instance` it follows: it sends while that is master here, else it receives. Empty: both, always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """`nftables_ipvs`: a group of addresses is one service of IPVS, and nftables gives its packets a mark (LVS-22)."""

    table: str = "keepalived_ipvs"
    """One for each family."""
    priority: int = -1
    """Of the chain in the input hook."""
    first_mark: int = 1000
    counters: bool = False


PLAIN_TUNNEL = Tunnel()
"""Of a server that is reached otherwise."""
KERNEL_TIMEOUTS = IpvsTimeouts()
"""All as the kernel has them."""

"""What a configuration means, as frozen dataclasses: one document per process, handed over in a memfd.

Pure data: no parsing, no defaults taken from the machine, no I/O. Durations are integer ns, addresses canonical
text (`ipaddress`), interfaces names. Every document carries `schema`; a process refuses another number.
Names follow keepalived.conf where operators know the word.
"""

from __future__ import annotations

from pyhad.common.config.model.balancing import (
    KERNEL_TIMEOUTS as KERNEL_TIMEOUTS,
    PLAIN_TUNNEL as PLAIN_TUNNEL,
    FlushAtStop as FlushAtStop,
    IpvsTimeouts as IpvsTimeouts,
    Marking as Marking,
    SyncDaemon as SyncDaemon,
    Tunnel as Tunnel,
    TunnelChecksum as TunnelChecksum,
    TunnelType as TunnelType,
)
from pyhad.common.config.model.checks import (
    ALIKE as ALIKE,
    SECOND_NS as SECOND_NS,
    BfdCheck as BfdCheck,
    Check as Check,
    CheckedServer as CheckedServer,
    CheckerDocument as CheckerDocument,
    DnsCheck as DnsCheck,
    FileCheck as FileCheck,
    GrpcCheck as GrpcCheck,
    HttpCheck as HttpCheck,
    HttpHeader as HttpHeader,
    HttpUrl as HttpUrl,
    MiscCheck as MiscCheck,
    PingCheck as PingCheck,
    Regex as Regex,
    SmtpCheck as SmtpCheck,
    StatusRange as StatusRange,
    Target as Target,
    TcpCheck as TcpCheck,
    Timing as Timing,
    TlsClient as TlsClient,
    UdpCheck as UdpCheck,
)
from pyhad.common.config.model.garp import Announcement as Announcement
from pyhad.common.config.model.hmac import HmacKey as HmacKey, HmacMode as HmacMode, HmacSettings as HmacSettings
from pyhad.common.config.model.process import DaemonSettings, InstanceWords
from pyhad.common.config.model.routes import Path as Path, VirtualRoute as VirtualRoute, VirtualRule as VirtualRule
from pyhad.common.config.model.scheduling import ProcessSettings
from pyhad.common.config.model.services import (
    DataPlane as DataPlane,
    Forwarding as Forwarding,
    IpvsDocument as IpvsDocument,
    Listener as Listener,
    Protocol as Protocol,
    RealServer as RealServer,
    SorryServer as SorryServer,
    VirtualServer as VirtualServer,
)
from pyhad.common.config.model.unicast import UnicastChecksum as UnicastChecksum, UnicastPeer as UnicastPeer
from pyhad.common.config.model.vrrp import (
    NO_STATICS as NO_STATICS,
    Place as Place,
    Statics as Statics,
    VirtualAddress as VirtualAddress,
    VrrpDocument as VrrpDocument,
    VrrpInstance as VrrpInstance,
)
from pyhad.common.records import dataclass, field

SCHEMA = 3
"""Of all documents: one more whenever a field of theirs is another, for two programs meet at an upgrade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDocument:
    """All that the control process needs."""

    schema: int
    generation: int
    router_id: str
    files: tuple[str, ...]
    """Configuration files that were read, first the one of the command line."""
    instances: tuple[str, ...]
    services: tuple[str, ...]
    vrrp: VrrpDocument | None = None
    """That of the VRRP process without its secrets, for dumps in keepalived's manner; None: no instance."""
    words: tuple[InstanceWords, ...] = ()
    json_version: int = 1
    metrics_address: str = ""
    metrics_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentDocument:
    """The little that the parent needs to know of a configuration."""

    schema: int
    generation: int
    vrrp: bool
    checker: bool
    """Checker and IPVS owner are needed."""
    down_interval_ns: int
    """Smallest master-down interval of any instance; 0 without instances."""
    child_wait_ns: int = 5 * SECOND_NS
    warnings: int = 0
    daemon: str = ""
    """`instance` keyword."""
    settings: DaemonSettings = field(default_factory=DaemonSettings)
    processes: tuple[ProcessSettings, ...] = ()
    """Those with settings of their own."""


Document = VrrpDocument | CheckerDocument | IpvsDocument | ControlDocument | ParentDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A whole configuration, compiled: one document per process."""

    parent: ParentDocument
    vrrp: VrrpDocument
    checker: CheckerDocument
    ipvs: IpvsDocument
    control: ControlDocument

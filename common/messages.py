"""The one catalogue of what processes say to each other: facts, not orders, wherever that is possible.

Levels, then edges: on each connection the sender gives a full snapshot with a new generation; changes carry the
generation and a sequence that rises by one; a gap makes the receiver ask for a snapshot (`SnapshotWanted`).
Correctness never rests on delivery: a `Beat` every half second shows what the receiver should have.
Times are CLOCK_MONOTONIC ns, which all processes of one machine share. Bump `VERSION` when a message changes its
meaning. What operators order, and the answers, stands in `messages_orders.py`, and is had from here.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyhad.common.messages_bfd import BfdChanged as BfdChanged, BfdSnapshot as BfdSnapshot
from pyhad.common.messages_orders import (
    AtWork as AtWork,
    ReloadConfirmRequest as ReloadConfirmRequest,
    ReloadForRequest as ReloadForRequest,
    ReloadReply as ReloadReply,
    ReloadRequest as ReloadRequest,
    RequestRefused as RequestRefused,
    StandbyDone as StandbyDone,
    StandbyOrdered as StandbyOrdered,
    StandbyReply as StandbyReply,
    StandbyRequest as StandbyRequest,
    UpgradeReply as UpgradeReply,
    UpgradeRequest as UpgradeRequest,
    VersionReply as VersionReply,
    VersionRequest as VersionRequest,
    WeightReply as WeightReply,
    WeightRequest as WeightRequest,
    WeightSet as WeightSet,
    WeightWanted as WeightWanted,
)
from pyhad.common.messages_peers import PeerStatus
from pyhad.common.messages_table import (
    DestinationStatus as DestinationStatus,
    Rates as Rates,
    ServiceStatus as ServiceStatus,
    TableDifference as TableDifference,
    TableLook as TableLook,
    TableLookReply as TableLookReply,
    TableLookRequest as TableLookRequest,
    TableLookWanted as TableLookWanted,
    TableRepair as TableRepair,
)
from pyhad.common.messages_texts import (
    TextForm as TextForm,
    TextReply as TextReply,
    TextRequest as TextRequest,
)
from pyhad.common.messages_tracked import TrackedProcessStatus
from pyhad.common.records import dataclass, field
from pyhad.common.states import ProcessName, ProcessState, RouterState

VERSION = 1
STATUS_SCHEMA = 1

# ------------------------------------------------------------------------------------------- verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the checks of one real server of one service say together (CHK-5). Part of other messages."""

    service: str
    server: str
    up: bool
    weight: int
    """Weight it should have now: the configured one, changed by misc_dynamic (CHK-61)."""
    since_ns: int
    reason: str
    """Fixed token (`not_checked_yet`, `check_succeeded`, `connect_refused`, `timeout` …)."""
    address: str = ""
    """Of a server given by its name: the one it has now; empty: none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictSnapshot:
    """checker -> ipvs, on each connection and when asked: all verdicts."""

    generation: int
    sequence: int
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChanged:
    """checker -> ipvs, when one verdict changed."""

    generation: int
    sequence: int
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """sender of levels and edges -> their receiver, every 500 ms: the last sequence said in this generation."""

    generation: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotWanted:
    """receiver of levels and edges -> their sender: I miss something, say it all again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSaid:
    """vrrp -> ipvs, on connection, when it changes and every second: the instance that the sync daemon follows."""

    instance: str
    is_master: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumState:
    """Whether one service has its quorum, and from what (LVS-30, LVS-31). Part of other messages."""

    service: str
    up: bool
    weight_sum: int
    quorum: int
    hysteresis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumSnapshot:
    """ipvs -> checker, after each of its snapshots, after a reload and when asked: all quorums."""

    generation: int
    sequence: int
    states: tuple[QuorumState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumChanged:
    """ipvs -> checker, when one quorum was gained or lost."""

    generation: int
    sequence: int
    state: QuorumState


# --------------------------------------------------------------------------------------------- status


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWanted:
    """control -> vrrp, checker, ipvs: say your status now; answered by a report with the same ticket."""

    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterStatus:
    """One virtual router as its process sees it."""

    name: str
    vrid: int
    family: int
    version: int
    interface: str
    state: RouterState
    since_ns: int
    reason: str
    base_priority: int
    effective_priority: int
    master_address: str
    """Address of the master known now: our own when MASTER, empty when none is known."""
    master_priority: int
    addresses: tuple[str, ...]
    advert_interval_cs: int
    counters: dict[str, int]
    """keepalived's names (SIG-25): advert_rcvd, advert_sent, become_master …"""
    admin: str = ""
    """`standby` while an operator holds it back, else empty."""
    standby_until_ns: int = 0
    """With `standby`: when it is over by itself; 0: when it is taken back."""
    master_interval_cs: int = 0
    """Interval of the master that it waits for, its own while MASTER."""
    routes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # those that the kernel refuses
    vmac: str = ""
    """The interface that it made for itself, by the name that it has here; empty: none."""
    peers: tuple[PeerStatus, ...] = ()  # others of its VRID that were heard since the last (re)load


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticStatus:
    """Static items, as written; `missing` are those that are not there. Part of `VrrpStatus`."""

    addresses: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpStatus:
    """vrrp -> control, on connection, on change, when asked (then `ticket` is not 0)."""

    ticket: int
    taken_ns: int
    generation: int
    routers: tuple[RouterStatus, ...]
    counters: dict[str, int]
    """Of the whole process: frames refused, netlink overruns, log lines dropped …"""
    statics: StaticStatus = StaticStatus()
    readings: dict[str, int | None] = field(default_factory=dict)
    """What trackers see, as `script NAME`, `file NAME`; None: nothing yet."""
    processes: tuple[TrackedProcessStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus:
    """One check of one real server."""

    kind: str
    up: bool
    reason: str
    runs: int
    failures: int
    last_ns: int
    """End of the last probe; 0 before the first."""
    latency_ns: int
    certificate_until_s: int = 0
    """When the certificate that the server showed ends, in seconds since 1970; 0: it showed none."""
    warnings: tuple[str, ...] = ()
    """What is not well although it is up: `slow`, `certificate_ends`, `certificate_ended`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHealth:
    """One real server with its checks."""

    verdict: Verdict
    checks: tuple[CheckStatus, ...]
    moving_to: str = ""
    """Of a server given by its name: the address that this has now, until its checks have succeeded there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """One worker of the checker. Part of `CheckerStatus`."""

    number: int
    pid: int
    """0 while there is none."""
    checks: int
    in_flight: int
    """Probes that wait for an answer."""
    restarts: int
    silent_ns: int
    """Since it said something: it does every second."""
    late_p99_ns: int
    """Of its timers in its last minute, as the next one."""
    late_max_ns: int
    cpu_ns: int
    """Since its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerStatus:
    """checker -> control, as `VrrpStatus`."""

    ticket: int
    taken_ns: int
    generation: int
    servers: Sequence[ServerHealth]
    counters: dict[str, int]
    workers: tuple[WorkerStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IpvsStatus:
    """ipvs -> control, as `VrrpStatus`."""

    ticket: int
    taken_ns: int
    generation: int
    data_plane: str
    services: Sequence[ServiceStatus]
    counters: dict[str, int]
    problem: str = ""
    """Why timeouts or sync daemons are not as they are configured; empty: they are."""
    repairs: tuple[TableRepair, ...] = ()
    """The last times that others had changed the table, the latest last."""


# --------------------------------------------------------------------------------- pyhadctl <-> control


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStatus:
    """One process as the parent's page shows it. Part of `StatusReply`."""

    name: ProcessName
    state: ProcessState
    pid: int
    uptime_ns: int
    restarts: int
    silent_ns: int
    """Since the last turn of its loop."""
    silent: bool
    """It should turn several times a second and has not for 0.7 s: do not trust what it said last."""
    late_ns: int
    """Worst lateness of a timer it measured itself."""
    late_p99_ns: int = 0
    """Of its last minute, as the next one."""
    late_max_ns: int = 0
    scheduling: str = ""
    """How the kernel schedules it: `other`, `rr 10`; empty: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """pyhadctl -> control: everything, now."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReply:
    """control -> pyhadctl. A part is None when its process never reported; its age is in `taken_ns`."""

    schema: int
    version: str
    router_id: str
    taken_ns: int
    asked_ns: int = 0
    """When the processes were asked for this; 0: when it was taken. Of thousands of servers some answer much later."""
    config_files: tuple[str, ...]
    config_generation: int
    last_reload_ok: bool
    last_reload_error: str
    last_reload_ns: int = 0
    """When it ended; 0 when there was none since the daemon started."""
    confirm_until_ns: int = 0
    """It waits for its confirmation, and goes back then; 0: it does not."""
    processes: tuple[ProcessStatus, ...]
    vrrp: VrrpStatus | None
    checker: CheckerStatus | None
    ipvs: IpvsStatus | None
    counters: dict[str, int]
    """Of the control process itself."""


Message = (
    VerdictSnapshot | VerdictChanged | Beat | SnapshotWanted | RoleSaid | QuorumSnapshot | QuorumChanged
    | StatusWanted | AtWork | VrrpStatus | CheckerStatus | IpvsStatus | StandbyOrdered | StandbyDone
    | StatusRequest | StatusReply | ReloadRequest | ReloadReply
    | VersionRequest | VersionReply | RequestRefused | StandbyRequest | StandbyReply
    | WeightRequest | WeightWanted | WeightSet | WeightReply | UpgradeRequest | UpgradeReply
    | TableLookWanted | TableLook | TableLookRequest | TableLookReply
    | TextRequest | TextReply | ReloadForRequest | ReloadConfirmRequest | BfdSnapshot | BfdChanged
)  # fmt: skip

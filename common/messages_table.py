"""The table of the data plane as it is and as it should be. Part of the catalogue in messages.py."""

from __future__ import annotations

from pyhad.common.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Rates:
    """Each second, as the kernel's IPVS estimates it: a mean that moves with the last seconds, new every two."""

    connections: int = 0
    in_packets: int = 0
    out_packets: int = 0
    in_bytes: int = 0
    out_bytes: int = 0


STILL = Rates()
"""Nothing moves: one object, so that it does not travel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationStatus:
    """One real server in the data plane's own table. `weight` -1: not there, wanted or not."""

    server: str
    up: bool
    weight: int
    wanted_weight: int
    """-1: it is not to be there."""
    active_connections: int
    """-1 where the data plane does not count them."""
    inactive_connections: int
    connections: int
    """Total so far; -1 where not counted."""
    sorry: bool
    operator_weight: int = -1
    """Set by `pyhadctl rs`: 0 drains it; -1 when no operator has a say."""
    drained_out: bool = False
    """Its drain is complete: it was taken out of the table, and stays out until the order is undone."""
    drain_deadline_ns: int = 0
    """When it leaves the table even with connections; 0: when they are gone."""
    order_until_ns: int = 0
    """When the operator's order ends by itself; 0: when it is undone."""
    kept_in: bool = False
    """Down, and in the table all the same: `pyhad_panic_threshold`."""
    slow_start_until_ns: int = 0
    """It recovered and has less than its weight until then; 0: it has its whole weight."""
    in_packets: int = -1
    """This and the following: since it is in the table; -1 where not counted."""
    out_packets: int = -1
    in_bytes: int = -1
    out_bytes: int = -1
    rates: Rates | None = STILL
    """None: the data plane has none, or it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One virtual service in the data plane."""

    service: str
    scheduler: str
    forwarding: str
    quorum_up: bool
    installed: bool
    problem: str
    """What the kernel refused, empty when all is well."""
    destinations: tuple[DestinationStatus, ...]
    kept_in: int = 0
    """How many of them are down and stay in the table for the panic threshold."""
    connections: int = -1
    """This and the following: of all its listeners since they are in the table, with servers that left meanwhile; where
    the data plane counts only servers, of those that are there. -1: not counted."""
    in_packets: int = -1
    out_packets: int = -1
    in_bytes: int = -1
    out_bytes: int = -1
    rates: Rates | None = STILL
    """As of a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """One thing in the data plane that is not as it is wanted. Part of other messages."""

    kind: str
    """`missing`, `other` (it is there, but not as it should be), `foreign` (it should not be there)."""
    service: str
    """Its address as it stands in the table: a group has several."""
    server: str = ""
    """Empty: the service itself, with all its servers."""
    wanted: str = ""
    """In words: `rr, 2 servers`, `weight 2 NAT`; empty where it should not be there."""
    actual: str = ""
    """Likewise; empty where it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRepair:
    """What others had changed was put right. Part of other messages."""

    at_ns: int
    count: int
    """So many differences; the first of them are named."""
    found: tuple[TableDifference, ...]
    refused: int = 0
    """How many services the kernel did not let be put right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLookWanted:
    """control -> ipvs: read the data plane and say what is not as it should be; repair nothing."""

    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLook:
    """ipvs -> control: the answer with the same ticket."""

    ticket: int
    taken_ns: int
    data_plane: str
    problem: str = ""
    """Why nothing could be read; empty: it was."""
    count: int = 0
    """So many differences; the first of them are named."""
    differences: tuple[TableDifference, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    """Services that the kernel or the data plane refused before, and why."""
    left_alone: tuple[str, ...] = ()
    """Services that are not in the configuration and were not made by this daemon."""
    next_repair_ns: int = 0
    """When it is read again and repaired."""
    repairs: tuple[TableRepair, ...] = ()
    """The last ones, the latest last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLookRequest:
    """pyhadctl -> control: what is not as it should be in the table, now?"""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLookReply:
    """control -> pyhadctl. `look` is None, and `problem` says why, when the owner of the table did not answer."""

    problem: str
    look: TableLook | None
    taken_ns: int

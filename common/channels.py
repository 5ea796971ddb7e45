"""The table of sockets: path below the run directory, who binds, who connects, what may travel which way."""

from __future__ import annotations

from pyhad.common import messages as m
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One ROUTER socket (the hub, bound) and the DEALER sockets that connect to it (the links)."""

    name: str
    path: str
    """Relative to the run directory."""
    hub: ProcessName | None
    """None: a process to come. Its socket is bound all the same."""
    links: tuple[ProcessName, ...]
    """Processes of this daemon that may connect; empty: programs of an operator (pyhadctl)."""
    to_hub: tuple[type, ...]
    to_link: tuple[type, ...]
    mode: int
    """Permissions of the socket file."""


VERDICTS = Channel(
    name="verdicts",
    path="bus/verdicts",
    hub=ProcessName.IPVS,
    links=(ProcessName.CHECKER,),
    to_hub=(m.VerdictSnapshot, m.VerdictChanged, m.Beat, m.SnapshotWanted),
    to_link=(m.SnapshotWanted, m.QuorumSnapshot, m.QuorumChanged, m.Beat),
    mode=0o660,
)

ROLES = Channel(
    name="roles",
    path="bus/roles",
    hub=ProcessName.IPVS,
    links=(ProcessName.VRRP,),
    to_hub=(m.RoleSaid,),
    to_link=(),
    mode=0o660,
)

STATUS = Channel(
    name="status",
    path="bus/status",
    hub=ProcessName.CONTROL,
    links=(ProcessName.VRRP, ProcessName.CHECKER, ProcessName.IPVS),
    to_hub=(m.VrrpStatus, m.CheckerStatus, m.IpvsStatus, m.StandbyDone, m.WeightSet, m.TableLook, m.AtWork),
    to_link=(m.StatusWanted, m.StandbyOrdered, m.WeightWanted, m.TableLookWanted),
    mode=0o660,
)

BFD = Channel(
    name="bfd",
    path="bus/bfd",
    hub=None,
    links=(ProcessName.VRRP, ProcessName.CHECKER),
    to_hub=(m.SnapshotWanted,),
    to_link=(m.BfdSnapshot, m.BfdChanged, m.Beat),
    mode=0o660,
)

OPERATOR = Channel(
    name="operator",
    path="control",
    hub=ProcessName.CONTROL,
    links=(),
    to_hub=(
        m.StatusRequest,
        m.ReloadRequest,
        m.ReloadForRequest,
        m.ReloadConfirmRequest,
        m.VersionRequest,
        m.StandbyRequest,
        m.WeightRequest,
        m.UpgradeRequest,
        m.TextRequest,
        m.TableLookRequest,
    ),
    to_link=(
        m.StatusReply,
        m.ReloadReply,
        m.VersionReply,
        m.RequestRefused,
        m.StandbyReply,
        m.WeightReply,
        m.UpgradeReply,
        m.TextReply,
        m.TableLookReply,
        m.AtWork,
    ),
    mode=0o660,
)

CHANNELS = (VERDICTS, ROLES, STATUS, BFD, OPERATOR)
DEFAULT_RUN_DIR = "/run/pyhad"
DAEMONS = "daemons"
"""Below it: the run directories of daemons that have a name or a network namespace."""

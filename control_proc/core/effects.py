"""What the control process wants done: imperatives, performed by the shell in the order given. A closed union."""

from __future__ import annotations

from pyhad.common.messages import (
    AtWork,
    ReloadReply,
    RequestRefused,
    StandbyOrdered,
    StandbyReply,
    TableLookReply,
    TextForm,
    UpgradeReply,
    VersionReply,
    WeightReply,
    WeightWanted,
)
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReport:
    """Send `StatusWanted(ticket)` to the peer at `sender`; `PeerUnreachable` when it cannot be sent."""

    process: ProcessName
    sender: bytes
    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStatus:
    """Send this operator the board as it is now. The pulse page is read at that moment, not before."""

    client: bytes
    form: TextForm | None = None
    order: int = 0
    """As in `StatusAsked`."""
    asked_ns: int = 0
    """When the peers were asked; 0: none was."""


Reply = (
    ReloadReply | VersionReply | RequestRefused | StandbyReply | WeightReply | UpgradeReply | TableLookReply | AtWork
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Send this operator a finished reply."""

    client: bytes
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReload:
    """Ask the parent for a reload; `ReloadUnsent` when it cannot be asked."""

    confirm_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReload:
    """Write to the black box how the last reload went: a successor must not say that all is well."""

    ok: bool
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWeight:
    """Send `wanted` to the IPVS owner at `sender`."""

    sender: bytes
    wanted: WeightWanted


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLook:
    """Send `TableLookWanted(ticket)` to the IPVS owner at `sender`."""

    sender: bytes
    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStandby:
    """Pass the order on to the VRRP process at `sender`; `StandbyAnswered` without names when it cannot be sent."""

    sender: bytes
    order: StandbyOrdered


Effect = AskReport | AnswerStatus | Answer | AskReload | JournalReload | AskWeight | AskLook | OrderStandby

"""What a virtual router wants done: imperatives, performed by the shell in the order given. A closed union."""

from __future__ import annotations

import enum

from pyhad.common.config.model import Path, VirtualAddress
from pyhad.common.records import dataclass
from pyhad.common.states import RouterState


class Reason(enum.StrEnum):
    """Why the state changed. Fixed tokens, fit for logs and metrics."""

    STARTUP = "startup"
    ADDRESS_OWNER = "address_owner"
    RESUMED_AFTER_RESTART = "resumed_after_restart"
    ACTIVE_DOWN_TIMER = "active_down_timer"
    HIGHER_PRIORITY_HEARD = "higher_priority_heard"
    TIE_LOST = "tie_lost"
    SYNC_GROUP = "sync_group"
    """It moves with the other members of its group."""
    LOST = "lost"
    """Somebody else removed what it holds, and it is not to put it back (FSM-37)."""
    FAULT = "fault"
    FAULT_CLEARED = "fault_cleared"
    SHUTDOWN = "shutdown"
    STANDBY = "standby"
    """An operator wants it so."""
    FROZEN = "frozen"
    """It had not turned for longer than its peers wait: it listens before it speaks again."""
    CONFIGURATION_CHANGED = "configuration_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAdvertisement:
    """Send one advertisement with this priority now (0: release, RFC 9568 5.2.4)."""

    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallAddresses:
    """Put these on their interfaces, then the routes and rules; one that is there already stays (NET-11).

    What came of them is answered by AddressesSettled and PathsSettled. `mending`: they should be there; what has to be
    added was lost.
    """

    addresses: tuple[VirtualAddress, ...]
    paths: tuple[Path, ...] = ()
    mending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddresses:
    """Take out rules and routes, then take these off their interfaces; one that is not there is no error."""

    addresses: tuple[VirtualAddress, ...]
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceAddresses:
    """`repeat` rounds of gratuitous ARP over these (NET-20)."""

    addresses: tuple[VirtualAddress, ...]
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeState:
    """The router is now in `new`: log it, count it, publish it. `detail` names peer or causes."""

    old: RouterState
    new: RouterState
    reason: Reason
    priority: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePriority:
    """The effective priority is another now (TRK-2): log it, tell it. What is sent next carries it."""

    old: int
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to log that changes no state: a fixed `event` token with fields (FSM-34, PKT-30)."""

    event: str
    fields: dict[str, str | int]
    warning: bool = False


Effect = (
    SendAdvertisement | InstallAddresses | RemoveAddresses | AnnounceAddresses | ChangeState | ChangePriority
    | Remark
)  # fmt: skip

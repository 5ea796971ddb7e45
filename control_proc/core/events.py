"""What happened to the control process: past facts, a closed union. Nothing here is an order."""

from __future__ import annotations

from pyhad.common.config.model import ControlDocument
from pyhad.common.confirmation import ConfirmationNotice
from pyhad.common.messages import CheckerStatus, IpvsStatus, StandbyRequest, TextForm, VrrpStatus
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName, ProcessState

Report = VrrpStatus | CheckerStatus | IpvsStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSeen:
    """One process as the pulse page showed it. Times are CLOCK_MONOTONIC ns; 0 means never."""

    name: ProcessName
    state: ProcessState
    pid: int
    started_ns: int
    restarts: int
    turn_ns: int
    """End of the last turn of its loop."""
    late_ns: int
    late_p99_ns: int = 0
    late_max_ns: int = 0
    scheduling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceived:
    """A peer said its status. `sender` is its address on the bus."""

    process: ProcessName
    sender: bytes
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerUnreachable:
    """The question with this ticket could not be handed to `process`."""

    process: ProcessName
    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAtWork:
    """`process` is making its answer to the question with this ticket: it takes a while."""

    process: ProcessName
    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAsked:
    """An operator wants to know everything. `processes` is the pulse page at that moment."""

    client: bytes
    version: int
    processes: tuple[ProcessSeen, ...]
    form: TextForm | None = None
    """As a text; None: the status itself."""
    order: int = 0
    """Not 0: no operator asked, but a signal or somebody who reads metrics; the shell knows where the text goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionAsked:
    """An operator wants to know which program runs."""

    client: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadAsked:
    """An operator wants the configuration read again. `uid` as the kernel says, not as the operator says."""

    client: bytes
    version: int
    uid: int
    confirm_s: int = 0
    """Not 0: it goes back after so many seconds unless it is confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationShown:
    """The parent said whether a reload waits for its confirmation, and until when."""

    notice: ConfirmationNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyAsked:
    """An operator holds virtual routers back, or lets them go. `uid` as the kernel says."""

    client: bytes
    uid: int
    request: StandbyRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyAnswered:
    """The VRRP process obeyed the order with this ticket; None: it could not be asked."""

    ticket: int
    names: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadUnsent:
    """The parent could not be asked for the reload, or did not take the wish."""

    reason: str = "the parent process could not be asked for a reload"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadDone:
    """The parent finished a reload, whoever wanted it. `report` is the compiler's text."""

    ok: bool
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReceived:
    """A new configuration is in force."""

    document: ControlDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineReached:
    """The moment `next_deadline_ns()` named has come."""


Event = (
    ReportReceived | PeerUnreachable | PeerAtWork | StatusAsked | VersionAsked | ReloadAsked | ReloadUnsent | ReloadDone
    | ConfirmationShown | ConfigurationReceived | DeadlineReached | StandbyAsked | StandbyAnswered
)  # fmt: skip

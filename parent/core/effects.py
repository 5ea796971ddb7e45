"""What the supervisor wants done: imperatives, performed by the shell in the order given. A closed union."""

from __future__ import annotations

import enum

from pyhad.common.confirmation import ConfirmationState
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName, ProcessState


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Fork this child with its part of the configuration in force."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHeld:
    """Fork the one-shot process that gives up what this dead child held."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateChild:
    """Ask this child for an orderly stop."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class KillChild:
    """SIGKILL."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class DropChild:
    """SIGKILL, and no waiting for what is left of it: answered by ChildExited at once."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowProcess:
    """Write this to the pulse page."""

    name: ProcessName
    state: ProcessState
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileConfiguration:
    """Start the compilation of the files; answered by ConfigurationReady or ConfigurationRefused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptConfiguration:
    """The compiled documents are the ones in force from now on."""

    keep_previous: bool = False
    """Those before them may be wanted again: `RenewPrevious` or `ForgetPrevious` follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewPrevious:
    """Make the kept documents again, as a new generation; answered like CompileConfiguration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPrevious:
    """Nobody goes back any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowConfirmation:
    """Tell the control process whether a reload waits for its confirmation."""

    state: ConfirmationState
    until_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseReload:
    """Tell the control process that this wish for a reload is not taken; the configuration was not looked at."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDocument:
    """Give the running child its part of the configuration in force."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReload:
    """Tell the control process how the reload ended."""

    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Have this child end and leave everything as it is: a successor is forked when it is gone.

    `at_once`: peers are too quick for an end in order; it is dropped, and its black box says all.
    """

    name: ProcessName
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TryProgram:
    """See whether the installed program would start; answered by UpgradeTried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reexecute:
    """Become the installed program; answered by UpgradeTried(fits=False) if that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUpgrade:
    """Tell the control process that the upgrade begins, or that it was refused."""

    accepted: bool
    reason: str = ""
    """Empty: what the trial had to say."""


class Phase(enum.StrEnum):
    """What the service manager wants to hear of (sd_notify)."""

    READY = "ready"
    RELOADING = "reloading"
    RELOADED = "reloaded"
    REFUSED = "refused"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySystemd:
    """Tell the service manager, and with READY the foreground process of daemon mode."""

    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to log: a fixed `event` token with fields."""

    event: str
    fields: dict[str, str | int]
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Every child is gone: end with this status (PROC-20)."""

    code: int


Effect = (
    StartChild | ReleaseHeld | TerminateChild | KillChild | DropChild | ShowProcess | CompileConfiguration
    | AdoptConfiguration | SendDocument | ReportReload | NotifySystemd | Remark | Exit | HandOver | TryProgram
    | Reexecute | ReportUpgrade | RenewPrevious | ForgetPrevious | ShowConfirmation | RefuseReload
)  # fmt: skip

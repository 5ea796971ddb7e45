"""A reload that goes back by itself unless somebody confirms it in time. Pure; the supervisor asks and performs.

The deadline is the parent's alone: neither the death of the control process nor of any other child moves it.
"""

from __future__ import annotations

from pyhad.common.confirmation import ConfirmationState
from pyhad.common.records import dataclass
from pyhad.parent.core import remarks
from pyhad.parent.core.effects import (
    AdoptConfiguration,
    Effect,
    ForgetPrevious,
    NotifySystemd,
    Phase,
    RefuseReload,
    ReportReload,
    ShowConfirmation,
)

RETRY_NS = 5_000_000_000
"""When the documents before could not be made again: the next attempt."""
_S = 1_000_000_000
WAITS = "a reload waits for its confirmation: confirm it first, or wait until it has gone back"


@dataclass(slots=True)
class Confirmation:
    """From the wish for such a reload to its confirmation, or until the configuration before is in force again."""

    asked_s: int = 0
    """Of the last reload that was begun; 0: it needs no confirmation."""
    until_ns: int | None = None
    """When to go back, or to try that again."""
    is_going_back: bool = False

    @property
    def is_open(self) -> bool:
        """Not confirmed yet, or on the way back."""
        return self.until_ns is not None or self.is_going_back

    def refusal(self, confirm_s: int, *, is_idle: bool) -> list[Effect]:
        """What to say to a wish for a reload that cannot be taken; nothing: it can."""
        if self.is_open:  # a service manager that asked by signal waits for the end of what it asked for
            phases = [NotifySystemd(phase=phase) for phase in (Phase.RELOADING, Phase.REFUSED)]
            return [RefuseReload(reason=WAITS), *phases]
        if confirm_s and not is_idle:
            return [RefuseReload(reason="the daemon starts, reloads or upgrades just now: ask again")]
        return []

    def adopted(self, now_ns: int) -> list[Effect]:
        """A configuration is in force from now on: one to confirm, the one before it, or any other."""
        if self.is_going_back or not self.asked_s:
            return [AdoptConfiguration()]
        self.until_ns = now_ns + self.asked_s * _S
        remark = remarks.says("reload_waits_for_confirmation", seconds=self.asked_s)
        return [AdoptConfiguration(keep_previous=True), remark, *self.shown()]

    def confirmed(self) -> list[Effect]:
        """Somebody confirms."""
        if self.is_going_back or self.until_ns is None:
            return self.shown()
        self.until_ns = None
        told = ShowConfirmation(state=ConfirmationState.CONFIRMED)
        return [remarks.says("reload_confirmed"), ForgetPrevious(), told]

    def is_due(self, now_ns: int) -> bool:
        """The time is up."""
        return self.until_ns is not None and now_ns >= self.until_ns

    def refused(self, now_ns: int) -> None:
        """A compilation failed: there is nothing to confirm; or that of the documents before, which is tried again."""
        self.until_ns = now_ns + RETRY_NS if self.is_going_back else None

    def in_force(self) -> list[Effect]:
        """Every child has taken the configuration."""
        if not self.is_going_back:
            return [ReportReload(accepted=True)]
        self.until_ns, self.is_going_back = None, False
        return [remarks.says("reload_gone_back"), ReportReload(accepted=False), *self.shown()]

    def go_back(self) -> list[Effect]:
        """The time is up."""
        first = not self.is_going_back
        self.until_ns, self.is_going_back = None, True
        return [remarks.warns("reload_not_confirmed", seconds=self.asked_s), *self.shown()] if first else []

    def shown(self) -> list[Effect]:
        """What the control process must know."""
        if self.is_going_back:
            return [ShowConfirmation(state=ConfirmationState.GOING_BACK)]
        if self.until_ns is None:
            return [ShowConfirmation(state=ConfirmationState.NONE)]
        return [ShowConfirmation(state=ConfirmationState.WAITING, until_ns=self.until_ns)]

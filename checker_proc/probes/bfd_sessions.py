"""BFD sessions as checks see them (CHK-100): unknown until a BFD process has spoken, then as it says. Speaks no BFD."""

from __future__ import annotations

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import BfdCheck
from pyhad.common.messages_bfd import BfdChanged, BfdSnapshot


class BfdSessions:
    """What was said last."""

    def __init__(self) -> None:
        self._up: dict[str, bool] = {}
        self._heard = False

    def take(self, message: BfdSnapshot | BfdChanged) -> frozenset[str]:
        """News of the BFD process; the sessions that changed. Of whom a snapshot says nothing: down."""
        before, self._heard = dict(self._up), True
        if isinstance(message, BfdSnapshot):
            self._up = {session.name: session.up for session in message.sessions}
        else:
            self._up[message.session.name] = message.session.up
        names = before.keys() | self._up.keys()
        return frozenset(name for name in names if before.get(name) is not self._up.get(name))

    def look(self, check: BfdCheck) -> Result:
        """What is known of its session. Before the BFD process spoke nothing is, and the server stays as it is."""
        if not self._heard:
            return ProbeImpossible(reason=Reason.BFD_NOT_HEARD)
        if self._up.get(check.session, False):
            return ProbeSucceeded(latency_ns=0)
        return ProbeFailed(reason=Reason.BFD_DOWN)

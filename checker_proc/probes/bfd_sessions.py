"""BFD sessions as checks see them (CHK-100): unknown while no BFD process speaks, else as it says. Speaks no BFD."""

from __future__ import annotations

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.bfd_line import BfdWord
from pyhad.common.config.model import BfdCheck
from pyhad.common.messages_bfd import BfdSnapshot


class BfdSessions:
    """What was said last."""

    def __init__(self) -> None:
        self._up: dict[str, bool] = {}
        self._heard = False

    def take(self, word: BfdWord) -> frozenset[str]:
        """News of the BFD process; the sessions that changed. Of whom a snapshot says nothing: down."""
        before, self._heard = dict(self._up), word is not None
        if word is None:
            self._up = {}
        elif isinstance(word, BfdSnapshot):
            self._up = {session.name: session.up for session in word.sessions}
        else:
            self._up[word.session.name] = word.session.up
        names = before.keys() | self._up.keys()
        return frozenset(name for name in names if before.get(name) is not self._up.get(name))

    def look(self, check: BfdCheck) -> Result:
        """What is known of its session. While no BFD process speaks nothing is, and the server stays as it is."""
        if not self._heard:
            return ProbeImpossible(reason=Reason.BFD_NOT_HEARD)
        if self._up.get(check.session, False):
            return ProbeSucceeded(latency_ns=0)
        return ProbeFailed(reason=Reason.BFD_DOWN)

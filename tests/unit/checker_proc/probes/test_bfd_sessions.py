"""A BFD session decides about a server once somebody speaks of it."""

from __future__ import annotations

import pytest

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.bfd_sessions import BfdSessions
from pyhad.common.config.model import BfdCheck, Timing
from pyhad.common.messages_bfd import BfdChanged, BfdSession, BfdSnapshot

CHECK = BfdCheck(session="a", timing=Timing(), alpha=False)


def session(name: str, *, up: bool) -> BfdSession:
    return BfdSession(name=name, up=up, since_ns=1)


@pytest.mark.behaviour("CHK-100")
def test_nothing_is_known_while_no_bfd_process_speaks_and_else_what_it_says() -> None:
    sessions = BfdSessions()
    assert sessions.look(CHECK) == ProbeImpossible(reason=Reason.BFD_NOT_HEARD)
    snapshot = BfdSnapshot(generation=1, sequence=1, sessions=(session("a", up=True), session("b", up=False)))
    assert sessions.take(snapshot) == {"a", "b"}
    assert sessions.look(CHECK) == ProbeSucceeded(latency_ns=0)
    change = BfdChanged(generation=1, sequence=2, session=session("a", up=False))
    assert sessions.take(change) == {"a"}
    assert sessions.take(change) == frozenset()
    assert sessions.look(CHECK) == ProbeFailed(reason=Reason.BFD_DOWN)
    assert sessions.take(BfdSnapshot(generation=2, sequence=1, sessions=())) == {"a", "b"}
    assert sessions.look(CHECK) == ProbeFailed(reason=Reason.BFD_DOWN)
    assert sessions.take(BfdSnapshot(generation=3, sequence=1, sessions=(session("a", up=True),))) == {"a"}
    assert sessions.take(None) == {"a"}
    assert sessions.look(CHECK) == ProbeImpossible(reason=Reason.BFD_NOT_HEARD)

"""BFD sessions are down until somebody says that they are up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.messages_bfd import BfdChanged, BfdSession, BfdSnapshot
from pyhad.vrrp_proc.bfd_sessions import BfdSessions


def session(name: str, *, up: bool) -> BfdSession:
    return BfdSession(name=name, up=up, since_ns=1)


@pytest.fixture
def log(tmp_path: Path) -> ProcessLog:
    """Written to a file."""
    return ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(tmp_path / "log")))


@pytest.mark.behaviour("TRK-50")
def test_a_session_is_down_until_it_is_said_to_be_up_and_that_is_said_once(log: ProcessLog, tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    sessions = BfdSessions(log.logger, lambda name, reading: seen.append((name, reading)))
    sessions.configure(("a", "b"))
    assert seen == [("a", 0), ("b", 0)]
    log.flush()
    assert (tmp_path / "log").read_text().count("bfd_sessions_down") == 1
    sessions.take(BfdSnapshot(generation=1, sequence=1, sessions=(session("a", up=True), session("z", up=True))))
    sessions.take(BfdChanged(generation=1, sequence=2, session=session("b", up=True)))
    assert seen[2:] == [("a", 1), ("b", 1)]
    sessions.take(BfdSnapshot(generation=2, sequence=1, sessions=(session("b", up=True),)))
    assert seen[4:] == [("a", 0)]


@pytest.mark.behaviour("BFD-9")
def test_a_reload_keeps_what_is_known(log: ProcessLog) -> None:
    seen: list[tuple[str, int]] = []
    sessions = BfdSessions(log.logger, lambda name, reading: seen.append((name, reading)))
    sessions.configure(("a",))
    sessions.take(BfdChanged(generation=1, sequence=1, session=session("a", up=True)))
    sessions.configure(("a", "b"))
    assert seen[-2:] == [("a", 1), ("b", 0)]

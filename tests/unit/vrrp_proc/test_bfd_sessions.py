"""BFD sessions are down until somebody says that they are up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.messages_bfd import BfdChanged, BfdSession, BfdSnapshot
from pyhad.vrrp_proc.bfd_sessions import BfdSessions
from pyhad.vrrp_proc.journal import Journal
from tests.lab.net import log_lines


def session(name: str, *, up: bool) -> BfdSession:
    return BfdSession(name=name, up=up, since_ns=1)


@pytest.fixture
def log(tmp_path: Path) -> ProcessLog:
    """Written to a file."""
    return ProcessLog("vrrp", LogSettings(console=False, syslog=False, file=str(tmp_path / "log")))


@pytest.mark.behaviour("TRK-50")
def test_a_session_is_down_unless_somebody_says_that_it_is_up(log: ProcessLog, tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    sessions = BfdSessions(Journal(BlackBox(8, 400)), log.logger, lambda name, reading: seen.append((name, reading)))
    sessions.configure(("a", "b"))
    assert seen == [("a", 0), ("b", 0)]
    sessions.take(BfdSnapshot(generation=1, sequence=1, sessions=(session("a", up=True), session("z", up=True))))
    sessions.take(BfdChanged(generation=1, sequence=2, session=session("b", up=True)))
    assert seen[2:] == [("a", 1), ("b", 1)]
    sessions.take(BfdSnapshot(generation=2, sequence=1, sessions=(session("b", up=True),)))
    assert seen[4:] == [("a", 0)]
    log.flush()
    assert (tmp_path / "log").read_text().count("bfd_sessions_down") == 0
    sessions.take(None)
    assert seen[5:] == [("b", 0)]
    sessions.configure(("a", "b", "c"))
    log.flush()
    said = [line["sessions"] for line in log_lines(tmp_path / "log") if line["event"] == "bfd_sessions_down"]
    assert said == ["a,b", "c"]


@pytest.mark.behaviour("BFD-9")
def test_a_reload_keeps_what_is_known(log: ProcessLog) -> None:
    seen: list[tuple[str, int]] = []
    sessions = BfdSessions(Journal(BlackBox(8, 400)), log.logger, lambda name, reading: seen.append((name, reading)))
    sessions.configure(("a",))
    sessions.take(BfdChanged(generation=1, sequence=1, session=session("a", up=True)))
    sessions.configure(("a", "b"))
    assert seen[-2:] == [("a", 1), ("b", 0)]


def test_a_successor_begins_with_what_was_heard_before_it_and_a_reload_does_not(log: ProcessLog) -> None:
    box = BlackBox(8, 400)
    before = BfdSessions(Journal(box), log.logger, lambda name, reading: None)
    before.configure(("a", "b", "gone"))
    sessions = (session("a", up=True), session("b", up=False), session("gone", up=True))
    before.take(BfdSnapshot(generation=1, sequence=1, sessions=sessions))
    before.configure(("a", "b"))
    seen: list[tuple[str, int]] = []
    after = BfdSessions(Journal(box), log.logger, lambda name, reading: seen.append((name, reading)))
    after.configure(("a", "b", "gone"))
    assert seen == [("a", 1), ("b", 0), ("gone", 0)]

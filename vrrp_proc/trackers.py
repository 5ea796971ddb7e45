"""Everything the virtual routers follow beside their own interface, and what was last seen of each of it.

Weighs nothing (core/tracking.py does) and starts nothing (the script helper does). A successor begins with what its
predecessor had found, so that a router is not in FAULT only because a script did not run yet.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable

from pyhad.common.bfd_line import BfdLine
from pyhad.common.blackbox import key_of
from pyhad.common.config.model import VrrpDocument
from pyhad.common.config.model.tracking import TrackerKind, TrackFile, TrackScript
from pyhad.common.loop import Timer
from pyhad.common.messages_tracked import TrackedProcessStatus
from pyhad.common.runtime import Runtime
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import Check, Ended, FileRead, Follow, TimedOut
from pyhad.vrrp_proc.bfd_sessions import BfdSessions
from pyhad.vrrp_proc.core.script_check import ScriptCheck, Step
from pyhad.vrrp_proc.core.tracking import Key
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.tracked_processes import TrackedProcesses

FIRST_READ_NS = 100_000_000
"""How long the start waits for what files hold, so that no router begins with a state that is over at once."""
_NOTE = struct.Struct("=q")
_OTHERS = (TrackerKind.PROCESS, TrackerKind.BFD)
_INITIALIZED = key_of("track_files_initialized")


class _Followed:
    """One script with its timer. `ticket` names it to the helper."""

    def __init__(self, check: ScriptCheck, ticket: int) -> None:
        self.check = check
        self.ticket = ticket
        self.timer: Timer | None = None
        self.said = ""


class Trackers:
    """`readings` is what trackers are weighed by; `on_change(key)` runs when one of them became another."""

    def __init__(
        self, scripts: Scripts, journal: Journal, runtime: Runtime, on_change: Callable[[Key], None]
    ) -> None:  # fmt: skip
        self.readings: dict[Key, int | None] = {}
        self._scripts = scripts
        self._journal = journal
        loop, logger = runtime.loop, runtime.logger
        self._loop = loop
        self._logger = logger
        self._on_change = on_change
        self._followed: dict[str, _Followed] = {}
        self._by_ticket: dict[int, _Followed] = {}
        self._files: tuple[TrackFile, ...] = ()
        self._tickets = 0
        self._is_first = True
        self._processes = TrackedProcesses(scripts, journal, loop, logger, self._process_read)
        self._sessions = BfdSessions(journal, logger, self._session_read)
        self._bfd = BfdLine(runtime, self._sessions.take)
        self._is_configuring = False
        scripts.on_ended = self._ended
        scripts.on_timed_out = self._timed_out
        scripts.on_file = self._file_read

    def seen(self) -> dict[str, int | None]:
        """`readings` for a status."""
        return {f"{kind.value} {name}": reading for (kind, name), reading in self.readings.items()}

    def configure(self, document: VrrpDocument) -> None:
        """A document: what is the same goes on with what was found (REL-17).

        Another program under the same name runs at once; until it has ended the old result counts, for a reload alone
        must not cost a mastership.
        """
        wanted = {config.name: config for config in document.scripts}
        presumed: dict[str, bool | None] = {}
        for name, followed in list(self._followed.items()):
            if name not in wanted or not followed.check.is_same_as(wanted[name]):
                presumed[name] = followed.check.is_good
                self._drop(name)
        for name, config in wanted.items():
            known = self._followed.get(name)
            if known is None:
                self._begin(config, presumed.get(name))
            else:
                known.check.reconfigure(config)
                self._arm(known)
        self._follow_files(document.files)
        self._follow_others(document)
        self._is_first = False

    def _follow_others(self, document: VrrpDocument) -> None:
        """Processes and BFD sessions. Whoever configures looks at all readings afterwards: nobody is told meanwhile."""
        names = {(TrackerKind.PROCESS, process.name) for process in document.processes}
        names |= {(TrackerKind.BFD, name) for name in document.bfd_sessions}
        for key in [key for key in self.readings if key[0] in _OTHERS and key not in names]:
            del self.readings[key]
        self._is_configuring = True
        try:
            self._processes.configure(document.processes, document.process_watch)
            self._sessions.configure(document.bfd_sessions)
            self._bfd.follow(wanted=bool(document.bfd_sessions))
        finally:
            self._is_configuring = False

    def processes(self) -> tuple[TrackedProcessStatus, ...]:
        """For a status."""
        return self._processes.status()

    def _process_read(self, name: str, reading: int | None) -> None:
        self._take((TrackerKind.PROCESS, name), reading)

    def _session_read(self, name: str, reading: int) -> None:
        self._take((TrackerKind.BFD, name), reading)

    def _take(self, key: Key, reading: int | None) -> None:
        before = self.readings.get(key)
        self.readings[key] = reading
        if reading != before and not self._is_configuring:
            self._on_change(key)

    # ---------------------------------------------------------------------------------------- scripts

    def _begin(self, config: TrackScript, presumed: bool | None) -> None:
        self._tickets += 1
        noted = self._journal.noted(_script_key(config)) if self._is_first else None
        known = bool(_NOTE.unpack(noted)[0]) if noted and len(noted) == _NOTE.size else None
        followed = _Followed(ScriptCheck(config, self._loop.now_ns(), known, presumed), self._tickets)
        if presumed is not None:  # the first result may be the same, and then nothing is noted of it
            self._journal.note(_script_key(config), _NOTE.pack(presumed))
        self._followed[config.name] = self._by_ticket[followed.ticket] = followed
        self._publish(followed)
        self._arm(followed)

    def _drop(self, name: str) -> None:
        followed = self._followed.pop(name)
        del self._by_ticket[followed.ticket]
        if followed.timer is not None:
            followed.timer.cancel()
        self.readings.pop((TrackerKind.SCRIPT, name), None)
        self._journal.forget(_script_key(followed.check.config))

    def _arm(self, followed: _Followed) -> None:
        if followed.timer is not None:
            followed.timer.cancel()
        followed.timer = self._loop.at(followed.check.due_ns, functools.partial(self._wake, followed))

    def _wake(self, followed: _Followed) -> None:
        check = followed.check
        match check.wake(self._loop.now_ns()):
            case Step.RUN:
                config = check.config
                self._scripts.send(
                    Check(ticket=followed.ticket, program=config.program, timeout_ns=config.timeout_ns)
                )  # fmt: skip
            case Step.FAIL:
                self._changed_if(followed, check.take_result(good=False), "it still hangs")
            case Step.WAIT:
                pass
        self._arm(followed)

    def _timed_out(self, answer: TimedOut) -> None:
        followed = self._by_ticket.get(answer.ticket)
        if followed is not None:
            self._say(followed, "timed out")
            self._changed_if(followed, followed.check.time_out(), "timed out")

    def _ended(self, answer: Ended) -> None:
        followed = self._by_ticket.get(answer.ticket)
        if followed is None:
            return
        detail = answer.detail or f"exit status {answer.status}"
        if not answer.timed_out:
            self._say(followed, detail)
        self._changed_if(followed, followed.check.end(answer.status == 0 and not answer.detail), detail)

    def _say(self, followed: _Followed, outcome: str) -> None:
        """TRK-15: one line when the outcome is another than the last time."""
        if outcome != followed.said:
            followed.said = outcome
            self._logger.info("script_returned", script=followed.check.config.name, outcome=outcome)

    def _changed_if(self, followed: _Followed, changed: bool, outcome: str) -> None:
        if not changed:
            return
        check = followed.check
        event = "script_succeeded" if check.is_good else "script_failed"
        (self._logger.info if check.is_good else self._logger.warning)(
            event, script=check.config.name, outcome=outcome
        )  # fmt: skip
        self._journal.note(_script_key(check.config), _NOTE.pack(bool(check.is_good)))
        self._publish(followed)
        self._on_change((TrackerKind.SCRIPT, check.config.name))

    def _publish(self, followed: _Followed) -> None:
        good = followed.check.is_good
        self.readings[TrackerKind.SCRIPT, followed.check.config.name] = None if good is None else int(good)

    # ------------------------------------------------------------------------------------------ files

    def _follow_files(self, files: tuple[TrackFile, ...]) -> None:
        if files == self._files:
            return
        self._files = files
        names = {file.name for file in files}
        for key in [key for key in self.readings if key[0] is TrackerKind.FILE and key[1] not in names]:
            del self.readings[key]
        initialize = self._is_first and self._journal.noted(_INITIALIZED) is None
        if self._is_first:
            self._journal.note(_INITIALIZED, b"\0")
            for file in files:
                noted = self._journal.noted(_file_key(file))
                if noted and len(noted) == _NOTE.size:
                    self.readings[TrackerKind.FILE, file.name] = _NOTE.unpack(noted)[0]
        self._scripts.send(Follow(files=files, initialize=initialize))
        if self._is_first:
            self._scripts.wait(lambda: all((TrackerKind.FILE, name) in self.readings for name in names), FIRST_READ_NS)

    def _file_read(self, answer: FileRead) -> None:
        key = (TrackerKind.FILE, answer.name)
        file = next((file for file in self._files if file.name == answer.name), None)
        if file is None or self.readings.get(key) == answer.value:
            return
        known = key in self.readings
        self.readings[key] = answer.value
        self._journal.note(_file_key(file), _NOTE.pack(answer.value))
        if known:
            self._logger.info("track_file_changed", file=answer.name, value=answer.value)
        self._on_change(key)


def _script_key(config: TrackScript) -> bytes:
    return key_of("vrrp_script", config.name, config.program)


def _file_key(file: TrackFile) -> bytes:
    return key_of("track_file", file.name, file.path)

"""Tells scripts, FIFOs and mailboxes what became of servers and services. Decides nothing (core/telling.py does).

What is told is told first and noted for a successor after it: should this process die in between, its successor tells
once more rather than never.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import assert_never

from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.telling import NoteQuorum, RunProgram, SendMail, ServerKey, Telling, Told, WriteLine
from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.bus import Link
from pyhad.common.config.model import CheckerDocument
from pyhad.common.following import Following
from pyhad.common.messages import Beat, QuorumChanged, QuorumSnapshot, SnapshotWanted, Verdict
from pyhad.common.runtime import Runtime
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.fifo_writer import FifoWriter
from pyhad.common.scripts.orders import Mail, Tell

DEADLINE_NS = 300_000_000_000
"""A notification that takes longer is ended: those after it have waited for long enough."""
_UP, _DOWN = b"\1", b"\0"


class Teller:
    """One per process."""

    def __init__(self, runtime: Runtime, scripts: Scripts) -> None:
        self._box: BlackBox = runtime.context.box
        self._scripts = scripts
        self._telling = Telling()
        self._following = Following()
        self._fifos = FifoWriter(scripts, runtime.logger, runtime.counters)
        self._sends_mail = False

    def configure(
        self, document: CheckerDocument, servers: Mapping[ServerKey, bool], quorums: Mapping[str, bool]
    ) -> None:
        """As `Telling.configure`; FIFOs are opened first."""
        self._fifos.configure(document.fifos)
        self._sends_mail = document.mail is not None
        self._perform(self._telling.configure(document, servers, quorums))

    def remembered(self, document: CheckerDocument, found: dict[bytes, bytes]) -> dict[str, bool]:
        """The quorums that a predecessor told, taken out of what its black box holds."""
        told: dict[str, bool] = {}
        for config in document.told:
            record = found.pop(key_of("quorum", config.service), None)
            if record is not None:
                told[config.service] = record == _UP
        return told

    def server_is(self, service: str, server: str, *, up: bool) -> None:
        """As `Telling.server_is`."""
        self._perform(self._telling.server_is(service, server, up=up))

    def check_is(
        self, service: str, server: str, kind: str, *, up: bool, reason: str, server_up: bool, server_changed: bool
    ) -> None:
        """As `Telling.check_is`."""
        if self._sends_mail:
            self._perform(
                self._telling.check_is(
                    service, server, kind, up=up, reason=reason, server_up=server_up, server_changed=server_changed
                )
            )

    def name_is(self, verdict: Verdict, before: str) -> None:
        """That no address is found for it is a failure as others are, of no check. `before`: the reason until now."""
        if verdict.reason == Reason.NAME_NOT_RESOLVED != before:
            self.check_is(
                verdict.service, verdict.server, "", up=False, reason=verdict.reason, server_up=False,
                server_changed=True,
            )  # fmt: skip

    def hear(self, link: Link, message: QuorumSnapshot | QuorumChanged | Beat) -> None:
        """The owner of the balancing said something about quorums."""
        match message:
            case QuorumSnapshot():
                self._following.snapshot(message.generation, message.sequence)
                self._perform(self._telling.quorums_are(message.states, whole=True))
            case QuorumChanged():
                if self._following.edge(message.generation, message.sequence):
                    self._perform(self._telling.quorums_are((message.state,), whole=False))
                else:
                    link.send(SnapshotWanted(reason="change_missed"))
            case Beat():
                if not self._following.beat(message.generation, message.sequence):
                    link.send(SnapshotWanted(reason="beat_ahead"))
            case _:
                assert_never(message)

    def stop(self) -> None:
        """An orderly end."""
        self._perform(self._telling.stop())
        self._fifos.close()

    def _perform(self, told: Iterable[Told]) -> None:
        for one in told:
            match one:
                case WriteLine():
                    self._fifos.write(one.line.encode("utf-8", "surrogateescape"))
                case RunProgram():
                    self._scripts.send(Tell(key=one.key, programs=(one.program,), timeout_ns=DEADLINE_NS))
                case SendMail():
                    if self._sends_mail:
                        self._scripts.send(Mail(subject=one.subject, body=one.body, at_s=int(time.time())))
                case NoteQuorum():
                    self._note(one)
                case _:
                    assert_never(one)

    def _note(self, note: NoteQuorum) -> None:
        key = key_of("quorum", note.service)
        if note.up is None:
            self._box.forget(key)
        else:
            self._box.put(key, _UP if note.up else _DOWN)

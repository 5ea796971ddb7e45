"""The checker process at work: documents become running checks, their changes become verdicts, log lines and journal.

Everything that a successor must know is in the black box before it is said to anybody.
"""

from __future__ import annotations

import dataclasses

from pyhad.checker_proc.check_log import CheckLog
from pyhad.checker_proc.core.effects import ReportChange, ReportFailure, ReportImpossible
from pyhad.checker_proc.core.journal import ServerRecord, fitting, inherit, pack, record_of, unpack
from pyhad.checker_proc.core.names import Placed
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.checker_proc.local_addresses import LocalAddresses
from pyhad.checker_proc.nursery import Nursery
from pyhad.checker_proc.places import Places
from pyhad.checker_proc.probes.mark_helper import MarkTools
from pyhad.checker_proc.probes.marks import Marks
from pyhad.checker_proc.probes.number_files import NumberFiles
from pyhad.checker_proc.probes.prober import Home, Prober, raise_descriptor_limit
from pyhad.checker_proc.publisher import Publisher
from pyhad.checker_proc.report import health_of
from pyhad.checker_proc.running import AtWork, RunningCheck
from pyhad.checker_proc.settling import settle_memory
from pyhad.checker_proc.teller import Teller
from pyhad.checker_proc.timetable import Timetable
from pyhad.checker_proc.workers.remote import RemoteCheck
from pyhad.checker_proc.workers.workforce import Workforce, workers_of
from pyhad.common.bfd_line import BfdLine, BfdWord
from pyhad.common.blackbox import key_of
from pyhad.common.codec import decode
from pyhad.common.config.model import ALIKE, SCHEMA, BfdCheck, Check, CheckedServer, CheckerDocument, FileCheck
from pyhad.common.errors import WireError
from pyhad.common.messages import CheckerStatus, Verdict
from pyhad.common.runtime import Runtime
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.orders import Adopt
from pyhad.common.sealed import Sealed
from pyhad.common.sealing import packed
from pyhad.common.tls import client_context

SETTLING_NS = 2_000_000_000
"""After a document what it took is given back: not before anything is asked."""
_BORN = key_of("born")
"""Kept by the first process of a daemon's life."""

ServerKey = tuple[str, str]
Shared = tuple[Check, str]
"""What servers share a check by: the check, and the address without which it is suspended."""


def read_document(content: bytes) -> CheckerDocument:
    """The document in `content`. Raises `WireError`, also for a schema that is not ours."""
    document = decode(CheckerDocument, content, alike=ALIKE)
    if document.schema != SCHEMA:
        raise WireError(f"document schema {document.schema}, this is {SCHEMA}")
    return document


def checks_of(server: CheckedServer) -> tuple[Check, ...]:
    """Its checks; those of an alpha server are alpha (CHK-6)."""
    if not server.alpha:
        return server.checks
    return tuple(dataclasses.replace(check, alpha=True) for check in server.checks)


class CheckerService:
    """Wires the cores to the loop. Implements `running.Listener`."""

    def __init__(
        self, runtime: Runtime, scripts: Scripts, document: CheckerDocument, tools: MarkTools,
        nursery: Nursery | None = None,
    ) -> None:  # fmt: skip
        self._runtime = runtime
        self._loop = runtime.loop
        self._logger = runtime.logger
        self._box = runtime.context.box
        self._log = CheckLog(runtime.logger)
        self._checks: dict[Shared, AtWork] = {}
        self._addresses = LocalAddresses(self._loop, self._suspend)
        self._judges: dict[ServerKey, ServerJudge] = {}
        self._moves: dict[ServerKey, ServerJudge] = {}
        """Servers given by name, at the address that is to be theirs when its checks have succeeded."""
        self._timetable = Timetable(self._loop)
        self._scripts, self._teller = scripts, Teller(runtime, scripts)
        self._files = NumberFiles(scripts, self._file_changed)
        self._bfd = BfdLine(runtime, self._bfd_heard)
        self._tools = tools
        self._home = self._make_home()
        self._prober = Prober(self._loop, self._home, max_descriptors=raise_descriptor_limit())
        self._workforce = Workforce(nursery, self._loop, runtime.logger, runtime.finish)
        self._publisher = Publisher(runtime, self._verdicts, self._status, self._teller.hear)
        self._places = Places(runtime, self._put_in_force)
        self._places.follow(document)
        found = self._box.load()
        is_first = found.pop(_BORN, None) is None
        self._box.put(_BORN, b"")
        records, quorums = self._restore(document, found), self._teller.remembered(document, found)
        for key in found:
            self._box.forget(key)
        placed = self._places.place(records)
        if not is_first:
            self._home.programs.succeed()
        self._apply(placed, fitting(placed.document.servers, records), is_first=is_first)
        self._teller.configure(document, {key: record.up for key, record in records.items()}, quorums)
        self._tell_all()
        runtime.on_descriptor = lambda descriptor: scripts.send(Adopt(), descriptor)
        runtime.on_document = self._document_received
        runtime.on_stop = self._stop

    def _make_home(self) -> Home:
        context = self._runtime.context
        icmp = {(4, 0): context.icmp4, (6, 0): context.icmp6, **self._tools.pings}
        marks = Marks(self._tools, self._loop, self._logger, self._runtime.finish)
        return Home(self._loop, self._scripts, self._files, marks, icmp)

    # ------------------------------------------------------------------------------------------ documents

    def _document_received(self, content: bytes) -> None:
        try:
            document = read_document(content)
        except WireError as error:  # go on with what is known: no check stops for a bad document
            self._logger.error("document_refused", error=str(error))
            return
        self._places.follow(document)
        self._put_in_force()

    def _put_in_force(self) -> None:
        """The document, with the addresses that names have now."""
        before = {key: record_of(judge) for key, judge in self._judges.items()}
        said = self._verdicts()
        placed = self._places.place(before)
        self._apply(placed, self._lasting(placed, before), is_first=False)
        self._teller.configure(placed.document, {}, {})
        self._tell_all()
        for key, judge in self._judges.items():
            was, record = before.get(key), record_of(judge)
            if was is not None and was.up != record.up:
                self._log.verdict(judge.verdict)
            if was != record:
                self._teller.name_is(judge.verdict, "" if was is None else was.reason)
                self._journal(judge, record)
        for key in before.keys() - self._judges.keys():
            self._box.forget(key_of("server", *key))
        self._publisher.say_again(said)
        self._publisher.status_changed()

    def _lasting(self, placed: Placed, before: dict[ServerKey, ServerRecord]) -> dict[ServerKey, ServerRecord]:
        """Without those of servers that begin anew at another address. One that was down stays so until a success."""
        lasting = dict(before)
        for server in placed.document.servers:
            judge = self._judges.get((server.service, server.server)) if server.name else None
            if judge is None or judge.verdict.reason != Reason.NOT_CHECKED_YET:
                continue
            if (judge.server.address, judge.server.is_unresolved) != (server.address, server.is_unresolved):
                del lasting[server.service, server.server]
        return lasting

    def _restore(self, document: CheckerDocument, found: dict[bytes, bytes]) -> dict[ServerKey, ServerRecord]:
        """What a predecessor left about the servers of this document, taken out of `found`."""
        records = {}
        for server in document.servers:
            payload = found.pop(key_of("server", server.service, server.server), None)
            record = unpack(payload) if payload is not None else None
            if record is not None:
                records[(server.service, server.server)] = record
        if records:
            self._logger.info("verdicts_restored", servers=len(records))
        return records

    def _apply(self, placed: Placed, records: dict[ServerKey, ServerRecord], *, is_first: bool) -> None:
        """Run the checks of a document: those that run already go on, the others begin with what they inherit."""
        now_ns, document = self._loop.now_ns(), placed.document
        self._prober.tls = client_context(document.tls_client)  # the compiler has made one of it already
        self._prober.tls_http2 = client_context(document.tls_client, http2=True)
        if not self._workforce.follow(workers_of(self._places.document), document.tls_client):
            self._renew("there are to be workers now")
        if not self._tools.covers(document):
            self._renew("there are marks that this one may not set")
        files = [check.file for server in document.servers for check in server.checks if isinstance(check, FileCheck)]
        self._files.follow(files, is_first=is_first)
        self._bfd.follow(wanted=any(isinstance(one, BfdCheck) for server in document.servers for one in server.checks))
        old, self._checks = self._checks, {}
        users: dict[Shared, list[ServerRecord | None]] = {}
        for server, record in [
            *((server, records.get((server.service, server.server))) for server in document.servers),
            *((server, None) for server in placed.moves),  # where they are to be they are new
        ]:
            for check in checks_of(server):
                users.setdefault((check, server.suspends_without), []).append(record)
        self._addresses.follow(frozenset(server.suspends_without for server in document.servers) - {""})
        for shared, known in users.items():
            check, without = shared
            running = self._kept(old, shared)
            if running is None:
                running = self._workforce.check(check, self) or self._own(check)
                running.suspend(self._addresses.lacks(without))
                running.begin(inherit(check, known), now_ns)
            running.judges = []
            self._checks[shared] = running
        for gone in old.values():
            gone.cancel()
        self._judges = {}
        for server in document.servers:
            self._add_server(server, records.get((server.service, server.server)), now_ns)
        self._begin_moves(placed.moves, now_ns)
        self._suspend()
        self._loop.after(SETTLING_NS, settle_memory)
        self._logger.info("checks_started", servers=len(self._judges), checks=len(self._checks))

    def _renew(self, reason: str) -> None:
        """A successor can have what this process has given up."""
        self._logger.info("process_renewed", reason=reason)
        self._loop.after(0, self._runtime.finish)

    def _kept(self, old: dict[Shared, AtWork], shared: Shared) -> AtWork | None:
        """The check that runs already, unless it has to move: then the new one begins with what that one knew."""
        running = old.get(shared)
        is_here = (
            self._workforce.keeps(running) if isinstance(running, RemoteCheck) else not self._workforce.wants(shared[0])
        )
        return old.pop(shared, None) if is_here else None

    def _own(self, check: Check) -> RunningCheck:
        return RunningCheck(check, self._loop, self._timetable, self._prober, self)

    def _add_server(self, server: CheckedServer, record: ServerRecord | None, now_ns: int) -> None:
        key = (server.service, server.server)
        was_down = record is not None and not record.up and record.reason != Reason.NOT_CHECKED_YET
        judge = self._judge_of(server, now_ns, was_down=was_down)
        if record is not None and record.up == judge.verdict.up:
            judge.restore(record.since_ns, record.reason)
        self._judges[key] = judge

    def _judge_of(self, server: CheckedServer, now_ns: int, *, was_down: bool) -> ServerJudge:
        running = self._running_of(server)
        judge = ServerJudge(server, tuple(one.machine for one in running), now_ns, was_down=was_down)
        for one in dict.fromkeys(running):
            one.judges.append(judge)
        return judge

    def _running_of(self, server: CheckedServer) -> list[AtWork]:
        return [self._checks[check, server.suspends_without] for check in checks_of(server)]

    # ------------------------------------------------------------------ servers whose name has another address

    def _begin_moves(self, servers: tuple[CheckedServer, ...], now_ns: int) -> None:
        self._moves = {(one.service, one.server): self._judge_of(one, now_ns, was_down=False) for one in servers}
        for key in [key for key, judge in self._moves.items() if judge.is_proved]:
            self._move(key)

    def _move(self, key: ServerKey) -> None:
        """To the address that its name has now: it is up there, or it is not up where it was."""
        old, new = self._judges[key], self._moves.pop(key)
        for one in dict.fromkeys(self._running_of(new.server)):
            one.judges.remove(new)
        self._add_server(new.server, record_of(old), self._loop.now_ns())
        for check in dict.fromkeys(checks_of(old.server)):
            shared = (check, old.server.suspends_without)
            self._checks[shared].judges.remove(old)
            if not self._checks[shared].judges:
                self._checks.pop(shared).cancel()
        self._places.moved(new.server)
        judge = self._judges[key]
        self._log.moved(judge.verdict, old.server.address)
        self._journal(judge, record_of(judge))
        self._publisher.say(judge.verdict)

    # ------------------------------------------------------------------------------- what checks tell us

    def check_changed(self, running: AtWork, change: ReportChange) -> None:
        """Judge each server that uses this check again; journal first, then say it."""
        now_ns = self._loop.now_ns()
        for judge in tuple(running.judges):
            key = (judge.server.service, judge.server.server)
            if judge not in (self._judges.get(key), self._moves.get(key)):
                continue  # the one before it was the server's, which has moved
            self._log.changed(running, judge, change)
            if judge is self._moves.get(key):
                if judge.is_proved:
                    self._move(key)
                continue
            was_up = judge.verdict.up
            verdict = judge.judge(now_ns)
            self._tell(running, judge, change, was_up)
            self._journal(judge, record_of(judge))
            if verdict is None:
                continue
            self._publisher.say(verdict)
            if verdict.up != was_up:
                self._log.verdict(verdict)
            if not verdict.up and key in self._moves:
                self._move(key)
        self._publisher.status_changed()

    def _tell(self, running: AtWork, judge: ServerJudge, change: ReportChange, was_up: bool) -> None:
        """Before it is journalled: a successor shall rather tell once more than never."""
        verdict = judge.verdict
        if verdict.reason != Reason.NOT_CHECKED_YET:
            self._teller.server_is(verdict.service, verdict.server, up=verdict.up)
        if (change.went_down or change.went_up) and not change.is_confirmed:
            self._teller.check_is(
                verdict.service,
                verdict.server,
                running.kind,
                up=change.went_up,
                reason=running.machine.reason,
                server_up=verdict.up,
                server_changed=verdict.up != was_up,
            )

    def _tell_all(self) -> None:
        """Every server that was tested; who was told already is not told again."""
        for judge in self._judges.values():
            if judge.verdict.reason != Reason.NOT_CHECKED_YET:
                self._teller.server_is(judge.verdict.service, judge.verdict.server, up=judge.verdict.up)

    def _bfd_heard(self, word: BfdWord) -> None:
        """The BFD process said something (CHK-100)."""
        for name in self._home.sessions.take(word):
            for (check, _), running in list(self._checks.items()):
                if isinstance(check, BfdCheck) and check.session == name:
                    running.hurry()

    def _file_changed(self, name: str) -> None:
        for (check, _), running in list(self._checks.items()):
            if isinstance(check, FileCheck) and check.file.name == name:
                running.hurry()

    def _suspend(self) -> None:
        """CHK-10: addresses came or went."""
        changed: dict[str, bool] = {}
        for (_, without), running in self._checks.items():
            lacks = self._addresses.lacks(without)
            if running.suspend(lacks):
                changed[without] = lacks
        for address, lacks in changed.items():
            self._logger.info("checks_suspended" if lacks else "checks_resumed", address=address)

    def probe_failed(self, running: AtWork, failure: ReportFailure) -> None:
        """CHK-8: only said where all failures are wanted."""
        if isinstance(running, RunningCheck):  # workers count theirs
            self._runtime.counters["probes_failed"] += 1
        if running.machine.check.timing.log_all_failures:
            self._log.tried(running, failure)

    def probe_impossible(self, running: AtWork, problem: ReportImpossible) -> None:
        """We could not ask: servers keep their state, but somebody should know."""
        self._runtime.counters["probes_impossible"] += 1
        self._log.impossible(running, problem)
        self._publisher.status_changed()

    def probe_remarked(self, running: AtWork, remark: str) -> None:
        """CHK-25."""
        self._log.odd(running, remark)

    def check_warns(self, running: AtWork) -> None:
        """Its warnings are others now."""
        self._log.warns(running)
        self._publisher.status_changed()

    def _journal(self, judge: ServerJudge, record: ServerRecord) -> None:
        key = key_of("server", judge.server.service, judge.server.server)
        if not self._box.put(key, pack(record)):
            self._runtime.counters["blackbox_full"] += 1

    # ---------------------------------------------------------------------------------- what there is to say

    def _verdicts(self) -> tuple[Verdict, ...]:
        return tuple(judge.verdict for judge in self._judges.values())

    def _status(self, ticket: int, generation: int) -> CheckerStatus:
        counters = dict(self._runtime.counters)
        counters["checks"] = len(self._checks)
        counters["probes_failed"] = counters.get("probes_failed", 0) + self._workforce.tries_failed
        workers = self._workforce.status()
        counters["probes_in_flight"] = self._prober.in_flight + sum(worker.in_flight for worker in workers)
        counters["log_lines_dropped"] = self._runtime.log.dropped
        return CheckerStatus(
            ticket=ticket,
            taken_ns=self._loop.now_ns(),
            generation=generation,
            servers=Sealed(packed(health_of(self._judges, self._moves, self._checks.values()))),
            counters=counters,
            workers=workers,
        )

    # ------------------------------------------------------------------------------------------------ end

    def _stop(self) -> None:
        """End probes, tell who wants to know of a stop. Verdicts stay as they are."""
        for running in self._checks.values():
            running.cancel()
        self._workforce.close()
        self._teller.stop()
        self._scripts.finish(self._runtime.finish)

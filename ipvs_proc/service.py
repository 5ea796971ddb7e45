"""The loop of the IPVS owner: verdicts in, the load-balancing table out. Reads nothing from the network.

Its death changes nothing in the kernel; its successor reads the table, compares and writes the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from pyhad.common import channels, known_names
from pyhad.common.blackbox import key_of
from pyhad.common.bus import Hub, Peer
from pyhad.common.codec import Rereader
from pyhad.common.config.model import SCHEMA, DataPlane, IpvsDocument, Listener
from pyhad.common.errors import KernelError, WireError
from pyhad.common.following import Following
from pyhad.common.loop import Timer
from pyhad.common.messages import (
    Beat,
    IpvsStatus,
    QuorumChanged,
    QuorumSnapshot,
    ServiceStatus,
    SnapshotWanted,
    StatusWanted,
    TableLookWanted,
    VerdictChanged,
    VerdictSnapshot,
    WeightSet,
    WeightWanted,
)
from pyhad.common.pace import Pace
from pyhad.common.portions import Portions
from pyhad.common.runtime import Runtime
from pyhad.common.states import ProcessName
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.effects import Effect, KeepOrders, Remark, Tally, WriteServices
from pyhad.ipvs_proc.core.events import Configured, Event, TimePassed, VerdictHeard, VerdictsHeard
from pyhad.ipvs_proc.core.report import report
from pyhad.ipvs_proc.core.table import Reading, listener_name
from pyhad.ipvs_proc.core.virtual_service import QUORUM_REMARKS
from pyhad.ipvs_proc.inspector import Hands, Inspector
from pyhad.ipvs_proc.marks import Marks
from pyhad.ipvs_proc.operators import Count, Operators
from pyhad.ipvs_proc.order_file import NAME as ORDERS
from pyhad.ipvs_proc.planes import open_plane, sweep_nftables
from pyhad.ipvs_proc.quorums import FromChecker, Quorums
from pyhad.ipvs_proc.roles import Roles
from pyhad.ipvs_proc.settings import KEY as SYNC_KEY, Settings
from pyhad.ipvs_proc.telling import Reporter
from pyhad.ipvs_proc.writer import WRITE_REST_NS, WRITE_SHARE, Ownership, Writer

_PLANE_KEY = key_of("plane")
_EMPTY = Reading(table={}, connections={})


class IpvsService:
    """Wires balancer, writer, verdicts and status together. Build it, then `start`."""

    def __init__(self, runtime: Runtime, document: IpvsDocument, rereader: Rereader[IpvsDocument]) -> None:
        self._runtime = runtime
        self._loop = runtime.loop
        self._logger = runtime.logger
        self._document = document
        self._rereader = rereader
        records = runtime.context.box.load()
        self._remembered_plane = records.pop(_PLANE_KEY, b"").decode("ascii", "replace")
        box, sync_is_ours = runtime.context.box, records.pop(SYNC_KEY, b"") != b""
        self._settings = Settings(box, sync_is_ours, runtime.logger, runtime.counters)
        self._operators = Operators(self._loop, runtime.logger, runtime.path(ORDERS), self._handle)
        self._marks = Marks(box, records, runtime.logger, runtime.counters)
        self._ownership = Ownership(box, records.values())
        self._is_successor = bool(self._remembered_plane)
        self._balancer = Balancer(self._operators.load(), known_names.load(runtime.path(known_names.PATH)).servers)
        self._following = Following()
        self._checker = b""  # how the hub knows the one that spoke last
        self._quorums = Quorums(lambda: self._balancer.services, self._say_quorums, runtime.loop.now_ns)
        self._writer: Writer | None = None
        self._plane_problem = ""
        self._dirty: set[Listener] = set()
        self._writing = Pace(self._loop, self._write, WRITE_SHARE, most_ns=WRITE_REST_NS)
        self._deadline: Timer | None = None

    def start(self) -> None:
        """Open the data plane, adopt what it has, and listen."""
        runtime = self._runtime
        runtime.on_document = self._on_document
        runtime.on_stop = self._on_stop
        self._roles = Roles(runtime, self._bring_settings)
        portions = Portions(runtime.loop)
        self._reporter = Reporter(runtime, self._rows, self._status, portions, self._on_control)
        self._inspector = Inspector(runtime, self._hands(), self._reporter, portions)
        self._open()
        self._configure()
        self._hub = Hub(
            self._loop, runtime.bus, channels.VERDICTS, path=runtime.path(channels.VERDICTS.path),
            listener_fd=runtime.context.listeners.get(channels.VERDICTS.name, -1),
            logger=self._logger, counters=runtime.counters,
            is_welcome=self._is_checker, on_message=self._on_verdicts,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------ configuration

    def _on_document(self, content: bytes) -> None:
        """What it changes is written. What others changed is found by the slow timer, whatever somebody reloads."""
        document = self._rereader.read(content)
        if document.schema != SCHEMA:
            raise WireError(f"document of schema {document.schema}, expected {SCHEMA}")
        if self._writer is not None and replace(document, generation=self._document.generation) == self._document:
            self._document = document  # nothing is another but its number
            return
        old, changed = self._writer, document.data_plane is not self._document.data_plane
        self._document = document
        if changed:
            self._remembered_plane = ""
        if changed or old is None:
            self._open()
        self._configure()
        if old is not None and old is not self._writer:
            self._dirty |= self._balancer.listeners  # the new plane has none of it
            self._writing.now()
            self._leave(old)

    def _configure(self) -> None:
        """The document is in force when this returns."""
        actual = self._writer.reading.table if self._writer is not None else {}
        if self._document.flush_at_start and not self._is_successor:  # lvs_flush: once, and only what is not wanted
            for listener in actual:
                self._ownership.claim(listener)
        is_first, self._is_successor = not self._is_successor, True
        document = self._marks.applied(self._document, self._writer.plane.name if self._writer is not None else "")
        self._handle(Configured(document=document, actual=dict(actual)))
        if self._writer is not None:
            self._bring_settings()
            self._dirty |= self._out_of_line()
            self._writing.now()
            self._writer.note_foreign(self._balancer.listeners)
            if is_first and self._document.data_plane is DataPlane.AUTO and self._writer.plane.name == DataPlane.IPVS:
                self._sweep()
        self._quorums.say_all()
        self._reporter.changed()

    def _out_of_line(self) -> set[Listener]:
        """What is not as it is wanted although nothing happened: refused before, or ours and not configured."""
        refused = set(self._writer.problems) if self._writer is not None else set()
        return refused | (self._ownership.listeners - self._balancer.listeners)

    def _bring_settings(self) -> None:
        if self._writer is not None:
            sync = self._document.sync
            is_master = self._roles.is_master(sync.instance) if sync is not None else None
            self._settings.bring(self._writer.plane, self._document, is_master)

    def _sweep(self) -> None:
        """IPVS serves: what nftables did before it was there must not go on."""
        if sweep_nftables():
            self._logger.warning("leftover_removed", data_plane=DataPlane.NFTABLES.value)

    def _open(self) -> None:
        """Open the plane of the configuration; AUTO stays with a predecessor's. On failure what we have stays."""
        choice = self._document.data_plane
        if choice is DataPlane.AUTO and self._remembered_plane in (DataPlane.IPVS, DataPlane.NFTABLES):
            choice = DataPlane(self._remembered_plane)
        try:
            plane = open_plane(choice, self._breathe)
            self._writer = Writer(plane, self._ownership, self._logger, self._runtime.counters)
        except KernelError as error:
            if self._plane_problem != str(error):
                self._plane_problem = str(error)
                self._logger.error("data_plane_missing", wanted=choice.value, error=str(error))
            return
        self._plane_problem = ""
        self._remembered_plane = plane.name
        self._runtime.context.box.put(_PLANE_KEY, plane.name.encode())
        self._inspector.has_read()
        self._logger.info("data_plane_opened", data_plane=plane.name, services=len(self._writer.reading.table))

    def _breathe(self) -> None:
        """Progress within a turn: the kernel answers, there is only much to ask."""
        self._runtime.context.pulse.beat(ProcessName.IPVS, self._loop.lateness)

    def _leave(self, old: Writer) -> None:
        """The new plane serves: what is ours leaves the old one, if it is another."""
        assert self._writer is not None
        if old.plane.name != self._writer.plane.name:
            self._settings.stop(old.plane)
            self._clear(old)
        old.plane.close()

    def _clear(self, writer: Writer) -> None:
        try:
            writer.clear(self._document.flush_at_stop)
        except KernelError as error:
            self._logger.error("data_plane_not_cleared", data_plane=writer.plane.name, error=str(error))

    def _on_stop(self) -> None:
        """When the parent died nobody wished for an end: the table stays, for the daemon that comes next."""
        if self._runtime.parent_is_gone:
            self._logger.warning("table_left_in_place", services=len(self._ownership.listeners))
            self._runtime.finish()
        else:
            self._end()

    def _end(self) -> None:
        """Take away what is ours (PROC-40) unless told to leave it (CLI-15)."""
        if self._writer is not None and not self._runtime.context.options.keep_ipvs_at_exit:
            self._settings.stop(self._writer.plane)
            self._marks.retire()
            self._clear(self._writer)
        self._runtime.finish()

    # ------------------------------------------------------------------------------------------ verdicts

    def _is_checker(self, peer: Peer) -> bool:
        return peer.pid == self._runtime.context.pulse.read(ProcessName.CHECKER).pid

    def _on_verdicts(self, sender: bytes, _peer: Peer, message: FromChecker) -> None:
        self._checker = sender
        match message:
            case VerdictSnapshot():
                self._following.snapshot(message.generation, message.sequence)
                self._handle(VerdictsHeard(verdicts=message.verdicts))
                self._quorums.say_all()
            case VerdictChanged():
                if self._following.edge(message.generation, message.sequence):
                    self._handle(VerdictHeard(verdict=message.verdict))
                else:
                    self._ask(sender, "change_missed")
            case Beat():
                if not self._following.beat(message.generation, message.sequence):
                    self._ask(sender, "beat_ahead")
                self._quorums.beat()
            case SnapshotWanted():
                self._quorums.say_all()
            case _:
                assert_never(message)

    def _say_quorums(self, message: QuorumSnapshot | QuorumChanged | Beat) -> None:
        if self._checker:
            self._hub.send(self._checker, message)

    def _ask(self, sender: bytes, reason: str) -> None:
        self._runtime.counters["snapshots_wanted"] += 1
        self._hub.send(sender, SnapshotWanted(reason=reason))

    # -------------------------------------------------------------------------------------------- effects

    def _handle(self, event: Event) -> None:
        for effect in self._balancer.handle(event, self._loop.now_ns()):
            self._perform(effect)
        self._set_deadline()
        self._operators.watch(lambda: self._balancer, self._count)
        self._reporter.changed()

    def _perform(self, effect: Effect) -> None:
        match effect:
            case WriteServices():
                self._dirty |= effect.listeners
                self._writing.soon()
            case KeepOrders():
                self._operators.keep(self._balancer.orders.all)
            case Tally():
                self._runtime.counters[effect.counter] += 1
            case Remark():
                log = self._logger.warning if effect.warning else self._logger.info
                log(effect.event, **effect.fields)
                if effect.event in QUORUM_REMARKS:
                    self._quorums.changed(str(effect.fields["service"]))
                    self._writing.soon()  # which says it; with a panic threshold the table may stay as it is
            case _:
                assert_never(effect)

    def _set_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if (at_ns := self._balancer.next_deadline_ns()) is not None:
            self._deadline = self._loop.at(at_ns, lambda: self._handle(TimePassed()))

    def _write(self) -> None:
        if self._writer is not None:  # else all of it is written when a plane appears
            self._bring_in_line(self._writer)
        self._quorums.flush()  # who hears of one finds the table written

    def _bring_in_line(self, writer: Writer) -> None:
        """Write what is out of line."""
        configured, wanted = self._balancer.listeners, self._balancer.wanted
        there = sorted(self._dirty & configured, key=listener_name)
        gone = sorted(self._dirty - configured, key=listener_name)
        self._dirty.clear()
        try:
            made = writer.write(there, wanted)
            self._marks.bring()  # packets are sent to new services when these are there, and to old ones no more
            made += writer.write(gone, wanted)
        except KernelError as error:
            self._complain(error)
            return
        if made:
            self._inspector.has_written()
            self._reporter.changed()

    def _complain(self, error: KernelError) -> None:
        self._runtime.counters["data_plane_errors"] += 1
        self._logger.error("data_plane_failed", operation=error.operation, error=str(error))

    # ---------------------------------------------------------------------------------------------- looking

    def _hands(self) -> Hands:
        return Hands(
            writer=lambda: self._writer,
            balancer=lambda: self._balancer,
            owned=lambda: self._ownership.listeners,
            write=self._write_now,
            writing=self._writing,
            waits=lambda listener: listener in self._dirty,
            bring_others=self._bring_others,
            out_of_line=self._out_of_line,
            open_plane=self._try_to_open,
            complain=self._complain,
        )

    def _write_now(self, listeners: Iterable[Listener]) -> None:
        self._dirty.update(listeners)
        if self._dirty:
            self._writing.now()

    def _bring_others(self) -> None:
        self._bring_settings()
        self._marks.verify()

    def _try_to_open(self) -> None:
        self._open()
        if self._writer is not None:
            self._balancer = Balancer(self._balancer.orders.all, self._balancer.places)
            self._following = Following()  # the next beat brings the verdicts
            self._configure()

    # --------------------------------------------------------------------------------------------- status

    def _on_control(self, message: StatusWanted | TableLookWanted | WeightWanted) -> None:
        match message:
            case StatusWanted():
                self._inspector.report(message)
            case TableLookWanted():
                self._inspector.look(message)
            case WeightWanted():
                self._reporter.say(WeightSet(ticket=message.ticket, problem=self._order_weight(message)))
            case _:
                assert_never(message)

    def _order_weight(self, wanted: WeightWanted) -> str:
        """Do what an operator wants; why not, empty when done."""
        if problem := self._operators.order(wanted, self._balancer):
            return problem
        self._writing.now()
        if self._writer is None:
            return "there is no data plane"
        service = self._balancer.named(wanted.service)
        listeners = service.config.listeners if service is not None else ()
        return next((self._writer.problems[one] for one in listeners if one in self._writer.problems), "")

    def _count(self) -> Count | None:
        return self._writer.plane.connections if self._writer is not None else None

    def _rows(self) -> Iterator[ServiceStatus]:
        writer = self._writer
        if writer is not None:
            return report(self._balancer, writer.reading, writer.problems)
        missing = dict.fromkeys(self._balancer.listeners, f"no data plane: {self._plane_problem}")
        return report(self._balancer, _EMPTY, missing)

    def _status(self, ticket: int, services: Sequence[ServiceStatus]) -> IpvsStatus:
        return IpvsStatus(
            ticket=ticket,
            taken_ns=self._loop.now_ns(),
            generation=self._document.generation,
            data_plane=self._writer.plane.name if self._writer is not None else "none",
            services=services,
            counters={**self._runtime.counters, "log_lines_dropped": self._runtime.log.dropped},
            problem=self._settings.problem,
            repairs=tuple(self._inspector.repairs),
        )

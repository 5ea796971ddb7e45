"""The control process at work: two hubs, the pulse page and the parent's ear, wired to the desk. Decides nothing."""

from __future__ import annotations

import collections
import struct
from collections.abc import Callable, Generator, Iterable
from typing import Any, assert_never

import pyhad
from pyhad.common import lifeline, messages as m
from pyhad.common.blackbox import key_of
from pyhad.common.bus import Hub, Peer
from pyhad.common.channels import OPERATOR, STATUS, Channel
from pyhad.common.codec import decode
from pyhad.common.config.model import ControlDocument
from pyhad.common.confirmation import ConfirmationNotice
from pyhad.common.errors import WireError
from pyhad.common.loop import Timer
from pyhad.common.portions import Portions
from pyhad.common.runtime import Runtime
from pyhad.common.states import ProcessName
from pyhad.control_proc.core.board import StatusBoard
from pyhad.control_proc.core.confirmations import ConfirmDesk
from pyhad.control_proc.core.desk import PEERS, Desk
from pyhad.control_proc.core.effects import (
    Answer,
    AnswerStatus,
    AskLook,
    AskReload,
    AskReport,
    AskWeight,
    Effect,
    JournalReload,
    OrderStandby,
)
from pyhad.control_proc.core.events import (
    ConfigurationReceived,
    ConfirmationShown,
    DeadlineReached,
    Event,
    PeerAtWork,
    PeerUnreachable,
    ProcessSeen,
    ReloadAsked,
    ReloadDone,
    ReloadUnsent,
    ReportReceived,
    StandbyAnswered,
    StandbyAsked,
    StatusAsked,
    VersionAsked,
)
from pyhad.control_proc.core.looks import LookDesk
from pyhad.control_proc.core.upgrades import UpgradeDesk
from pyhad.control_proc.core.weights import WeightDesk
from pyhad.control_proc.errands import Errands
from pyhad.control_proc.metrics_server import MetricsServer
from pyhad.control_proc.scheduling import scheduling_of
from pyhad.control_proc.texts import TextDesk

_SPEAKER = {
    m.VrrpStatus: ProcessName.VRRP,
    m.CheckerStatus: ProcessName.CHECKER,
    m.IpvsStatus: ProcessName.IPVS,
}
Request = (
    m.StatusRequest | m.TextRequest | m.VersionRequest | m.ReloadRequest | m.ReloadForRequest | m.ReloadConfirmRequest
    | m.StandbyRequest | m.WeightRequest | m.UpgradeRequest | m.TableLookRequest
)  # fmt: skip
AT_WORK_NS = 250_000_000
"""So often who waits for a long text hears that it is made."""
_RELOAD = struct.Struct("=?Q")  # ok, when (monotonic ns)
_RELOAD_KEY = key_of("last_reload")


class ControlService:
    """Turns frames, words of the parent and timers into events of the desk, and performs its effects."""

    def __init__(self, runtime: Runtime, document: ControlDocument) -> None:
        self._runtime = runtime
        self._pulse = runtime.context.pulse
        self._desk = Desk(StatusBoard(document, pyhad.__version__), pyhad.__version__)
        self._box = runtime.context.box
        self._recall_reload()
        self._events: collections.deque[Event] = collections.deque()
        self._timer: Timer | None = None
        self._weights, self._look_desk = WeightDesk(), LookDesk()
        self._weighing = Errands(runtime.loop, self._weights, self._perform)
        self._looks = Errands(runtime.loop, self._look_desk, self._perform)
        self._portions = Portions(runtime.loop)
        self._texts = TextDesk()
        self._upgrades, self._confirmations = UpgradeDesk(), ConfirmDesk()
        self._status = self._hub(STATUS, self._is_peer, self._report_received)
        self._operator = self._hub(OPERATOR, lambda _peer: True, self._asked)  # the socket file's mode decides
        self._metrics = MetricsServer(runtime.loop, runtime.logger, self._metrics_ordered)
        self._metrics.configure(document.metrics_address, document.metrics_port)
        runtime.on_document = self._document_received
        runtime.on_upgrade = lambda ok, report: self._answer(self._upgrades.tried(ok, report))
        runtime.on_confirmation = self._confirmation_said
        runtime.on_dump = self._dump_ordered
        runtime.on_report = lambda ok, report: self._feed(ReloadDone(ok=ok, report=report))

    def _hub(self, channel: Channel, is_welcome: Any, on_message: Any) -> Hub:
        runtime = self._runtime
        return Hub(
            runtime.loop,
            runtime.bus,
            channel,
            path=runtime.path(channel.path),
            listener_fd=runtime.context.listeners.get(channel.name, -1),
            logger=runtime.logger,
            counters=runtime.counters,
            is_welcome=is_welcome,
            on_message=on_message,
        )

    # ------------------------------------------------------------------------------------- what comes in

    def _is_peer(self, peer: Peer) -> bool:
        return self._process_of(peer) is not None

    def _process_of(self, peer: Peer) -> ProcessName | None:
        """Which process of this daemon that is, by the pid the kernel vouches for."""
        return next((name for name in PEERS if peer.pid > 0 and self._pulse.read(name).pid == peer.pid), None)

    def _report_received(
        self,
        sender: bytes,
        peer: Peer,
        report: m.VrrpStatus | m.CheckerStatus | m.IpvsStatus | m.StandbyDone | m.WeightSet | m.TableLook | m.AtWork,
    ) -> None:
        process = self._process_of(peer)
        if isinstance(report, m.AtWork):
            if process is not None:
                self._feed(PeerAtWork(process=process, ticket=report.ticket))
                self._looks.do(self._look_desk.at_work(report.ticket, self._runtime.loop.now_ns()))
            return
        if isinstance(report, m.TableLook):
            if process is ProcessName.IPVS:
                self._looks.do(self._look_desk.answered(report, self._runtime.loop.now_ns()))
            return
        if isinstance(report, m.WeightSet):
            if process is ProcessName.IPVS:
                self._weighing.do(self._weights.answered(report.ticket, report.problem))
            return
        if isinstance(report, m.StandbyDone):
            if process is ProcessName.VRRP:
                self._feed(StandbyAnswered(ticket=report.ticket, names=report.names))
            return
        if process is None or _SPEAKER[type(report)] is not process:
            self._runtime.counters["status_reports_of_another_process"] += 1
            return
        self._feed(ReportReceived(process=process, sender=sender, report=report))

    def _asked(self, client: bytes, peer: Peer, request: Request) -> None:
        self._runtime.counters["operator_requests"] += 1
        match request:
            case m.StatusRequest():
                self._feed(StatusAsked(client=client, version=request.version, processes=self._processes()))
            case m.TextRequest():
                self._feed(
                    StatusAsked(client=client, version=request.version, processes=self._processes(), form=request.form)
                )
            case m.VersionRequest():
                self._feed(VersionAsked(client=client))
            case m.ReloadRequest():
                self._reload_asked(client, peer, request.version, 0)
            case m.ReloadForRequest():
                self._reload_asked(client, peer, request.version, request.confirm_s)
            case m.ReloadConfirmRequest():
                self._confirm_asked(client, peer, request)
            case m.WeightRequest():
                self._weight_asked(client, peer, request)
            case m.TableLookRequest():
                owner = self._desk.sender_of(ProcessName.IPVS)
                self._looks.do(self._look_desk.asked(client, request.version, owner, self._runtime.loop.now_ns()))
            case m.UpgradeRequest():
                self._upgrade_asked(client, peer, request)
            case m.StandbyRequest():
                what = "standby_asked" if request.standby else "takeback_asked"
                self._runtime.logger.info(what, uid=peer.uid, asker_pid=peer.pid, instance=request.name)
                self._feed(StandbyAsked(client=client, uid=peer.uid, request=request))
            case _:
                assert_never(request)

    def _weight_asked(self, client: bytes, peer: Peer, request: m.WeightRequest) -> None:
        self._runtime.logger.info(
            "weight_asked", uid=peer.uid, service=request.service, server=request.server, weight=request.weight
        )
        owner = self._desk.sender_of(ProcessName.IPVS)
        self._weighing.do(self._weights.asked(client, peer.uid, request, owner, self._runtime.loop.now_ns()))

    def _upgrade_asked(self, client: bytes, peer: Peer, request: m.UpgradeRequest) -> None:
        self._runtime.logger.info("upgrade_asked", uid=peer.uid, asker_pid=peer.pid)
        refusals = self._upgrades.asked(client, peer.uid, request)
        self._answer(refusals)
        if not refusals and not self._runtime.ask_upgrade():
            self._answer(self._upgrades.tried(False, "the parent does not listen\n"))

    def _reload_asked(self, client: bytes, peer: Peer, version: int, confirm_s: int) -> None:
        self._runtime.logger.info("reload_asked", uid=peer.uid, asker_pid=peer.pid, confirm_s=confirm_s)
        self._feed(ReloadAsked(client=client, version=version, uid=peer.uid, confirm_s=confirm_s))

    def _confirm_asked(self, client: bytes, peer: Peer, request: m.ReloadConfirmRequest) -> None:
        self._runtime.logger.info("reload_confirm_asked", uid=peer.uid, asker_pid=peer.pid)
        refusals = self._confirmations.asked(client, peer.uid, request)
        self._answer(refusals)
        if not refusals and not self._runtime.ask_confirm():
            self._answer(self._confirmations.over(False, "the parent does not listen"))

    def _confirmation_said(self, word: bytes, content: bytes) -> None:
        if word == lifeline.BUSY:
            self._feed(ReloadUnsent(reason=content.decode("utf-8", "replace")))
            return
        try:
            notice = decode(ConfirmationNotice, content)
        except WireError as error:
            self._runtime.logger.error("notice_refused", error=str(error))
            return
        self._feed(ConfirmationShown(notice=notice))
        self._answer(self._confirmations.told(notice.state))

    def _answer(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self._perform(answer)

    def _document_received(self, content: bytes) -> None:
        try:
            document = decode(ControlDocument, content)
        except WireError as error:  # keep what is known; the next document repairs it
            self._runtime.logger.error("document_refused", error=str(error))
            return
        self._metrics.configure(document.metrics_address, document.metrics_port)
        self._feed(ConfigurationReceived(document=document))

    def _processes(self) -> tuple[ProcessSeen, ...]:
        return tuple(
            ProcessSeen(
                name=pulse.name,
                state=pulse.state,
                pid=pulse.pid,
                started_ns=pulse.started_ns,
                restarts=pulse.restarts,
                turn_ns=pulse.turn_ns,
                late_ns=pulse.late_ns,
                late_p99_ns=pulse.late_p99_ns,
                late_max_ns=pulse.late_max_ns,
                scheduling=scheduling_of(pulse.pid),
            )
            for pulse in self._pulse.read_all()
        )

    # ------------------------------------------------------------------------------------ what follows

    def _feed(self, event: Event) -> None:
        """One event, its effects in order, then the events that came of these."""
        self._events.append(event)
        if len(self._events) > 1:  # an effect is being performed: its turn comes
            return
        while self._events:
            for effect in self._desk.handle(self._events[0], self._runtime.loop.now_ns()):
                self._perform(effect)
            self._events.popleft()
        self._set_timer()

    def _perform(self, effect: Effect) -> None:
        match effect:
            case AskReport():
                if not self._status.send(effect.sender, m.StatusWanted(ticket=effect.ticket)):
                    self._feed(PeerUnreachable(process=effect.process, ticket=effect.ticket))
            case OrderStandby():
                if not self._status.send(effect.sender, effect.order):
                    self._feed(StandbyAnswered(ticket=effect.order.ticket, names=None))
            case AnswerStatus():
                self._answer_status(effect)
            case Answer():
                self._operator.send(effect.client, effect.reply)
            case AskReload():
                if not self._runtime.ask_reload(effect.confirm_s):
                    self._feed(ReloadUnsent())
            case AskWeight():
                if not self._status.send(effect.sender, effect.wanted):
                    problem = "the IPVS owner cannot be reached"
                    self._weighing.do(self._weights.answered(effect.wanted.ticket, problem))
            case AskLook():
                if not self._status.send(effect.sender, m.TableLookWanted(ticket=effect.ticket)):
                    self._looks.do(self._look_desk.unsent(effect.ticket, self._runtime.loop.now_ns()))
            case JournalReload():
                self._box.put(_RELOAD_KEY, _RELOAD.pack(effect.ok, effect.at_ns))
            case _:
                assert_never(effect)

    def _answer_status(self, effect: AnswerStatus) -> None:
        if effect.form is None:
            self._operator.send(effect.client, self._status_reply(effect.asked_ns))
            return
        self._portions.begin(self._answer_text(effect, effect.form))

    def _answer_text(self, effect: AnswerStatus, form: m.TextForm) -> Generator[None, None, None]:
        texts: dict[str, str] = {}
        told_ns = self._runtime.loop.now_ns()
        rendering = self._texts.render(form, self._desk.board.document, self._status_reply())
        while True:
            try:
                next(rendering)
            except StopIteration as end:
                texts = end.value
                break
            except WireError as error:
                self._runtime.logger.error("report_refused", error=str(error))
                break
            yield
            if effect.client and self._runtime.loop.now_ns() - told_ns > AT_WORK_NS:
                told_ns = self._runtime.loop.now_ns()
                self._operator.send(effect.client, m.AtWork())
        if effect.order:
            self._texts.deliver(effect.order, texts)
        else:
            self._operator.send(effect.client, m.TextReply(texts=texts))

    def _dump_ordered(self, name: str, fd: int) -> None:
        taken = self._texts.take_dump(name, fd, self._status_reply)
        if taken is not None:
            self._order(*taken)

    def _metrics_ordered(self, deliver: Callable[[str], None]) -> None:
        self._order(m.TextForm.METRICS, self._texts.take(lambda texts: deliver(texts.get("", ""))))

    def _order(self, form: m.TextForm, order: int) -> None:
        processes = self._processes()
        self._feed(StatusAsked(client=b"", version=m.VERSION, processes=processes, form=form, order=order))

    def _recall_reload(self) -> None:
        """What the predecessor journaled. The compiler's text does not fit there: the log has it."""
        journaled = self._box.load().get(_RELOAD_KEY)
        if journaled is not None:
            ok, at_ns = _RELOAD.unpack(journaled)
            text = "the log has its messages: the control process was replaced since, and no longer has them"
            self._desk.board.note_reload(ok, text, at_ns)

    def _status_reply(self, asked_ns: int = 0) -> m.StatusReply:
        counters = dict(sorted(self._runtime.counters.items()))
        counters["log_lines_dropped"] = self._runtime.log.dropped
        return self._desk.board.reply(self._processes(), counters, self._runtime.loop.now_ns(), asked_ns)

    def _set_timer(self) -> None:
        deadline_ns = self._desk.next_deadline_ns()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if deadline_ns is None else self._runtime.loop.at(deadline_ns, self._time_is_up)

    def _time_is_up(self) -> None:
        self._feed(DeadlineReached())

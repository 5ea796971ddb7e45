"""The desk at which operators ask. Pure: events in, effects out, deadlines are data.

Status is pulled: the peers that show a sign of life are asked with one ticket, and the operator gets the answer when
all have answered or have let their time pass, with the last known report of whoever did. That is `ANSWER_WITHIN_NS`,
and `AT_WORK_NS` more with each word that a peer is at it: a report of thousands of servers is not made at once. At most
one pull is under way; who asks meanwhile gets the next one, so that any number of operators cost the peers no more than
one question at a time, and nobody is answered with a report older than the question.

Reloads go the same way: who asks while one runs waits for the next, because the files may have changed since the
running one read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from pyhad.common.confirmation import ConfirmationNotice, ConfirmationState
from pyhad.common.messages import (
    VERSION,
    AtWork,
    ReloadReply,
    RequestRefused,
    StandbyOrdered,
    StandbyReply,
    VersionReply,
)
from pyhad.common.records import dataclass, field
from pyhad.common.states import ProcessName
from pyhad.control_proc.core.board import StatusBoard, is_silent
from pyhad.control_proc.core.effects import (
    Answer,
    AnswerStatus,
    AskReload,
    AskReport,
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

ANSWER_WITHIN_NS = 300_000_000
AT_WORK_NS = 5_000_000_000
"""Since that process last said that it is at work: on a machine of one core everybody else is, too."""
CONFIRM_MOST_S = 86_400
RELOAD_WITHIN_NS = 120_000_000_000
ORDER_WITHIN_NS = 2_000_000_000
_NO_VRRP = "the VRRP process does not answer: nothing is known to have changed"
WAITING_MAX = 256
"""Operators that may wait at once, for status and for reloads each."""
PEERS = (ProcessName.VRRP, ProcessName.CHECKER, ProcessName.IPVS)


@dataclass(slots=True)
class _Pull:
    """One question to the peers: who still owes an answer, and until when it is waited for; who gets it."""

    ticket: int
    asked_ns: int
    owing: dict[ProcessName, int]
    answers: list[AnswerStatus]

    @property
    def until_ns(self) -> int:
        return min(self.owing.values())


@dataclass(slots=True)
class _Reload:
    until_ns: int
    clients: list[bytes] = field(default_factory=list)


class Desk:
    """`handle(event, now_ns)` returns what to do; call again with `DeadlineReached` at `next_deadline_ns()`."""

    def __init__(self, board: StatusBoard, version: str) -> None:
        self.board = board
        self._version = version
        self._senders: dict[ProcessName, bytes] = {}
        self._processes: tuple[ProcessSeen, ...] = ()
        self._ticket = 0
        self._pull: _Pull | None = None
        self._next_pull: list[AnswerStatus] = []
        self._reload: _Reload | None = None
        self._next_reload: list[bytes] = []
        self._orders: dict[int, tuple[bytes, int]] = {}
        """Orders under way by ticket: (who waits, until when)."""

    def sender_of(self, process: ProcessName) -> bytes | None:
        """Where that process is on the bus; None when it never spoke or could not be reached."""
        return self._senders.get(process)

    def next_deadline_ns(self) -> int | None:
        """When `DeadlineReached` must be told; None when nothing is under way."""
        pending = [work.until_ns for work in (self._pull, self._reload) if work is not None]
        return min([*pending, *(until_ns for _, until_ns in self._orders.values())], default=None)

    def handle(self, event: Event, now_ns: int) -> list[Effect]:
        """What follows from one event."""
        match event:
            case ReportReceived():
                self.board.keep(event.process, event.report)
                self._senders[event.process] = event.sender
                return self._answered(event.process, event.report.ticket, now_ns)
            case PeerUnreachable():
                self._senders.pop(event.process, None)
                return self._answered(event.process, event.ticket, now_ns)
            case PeerAtWork():
                return self._at_work(event, now_ns)
            case StatusAsked():
                return self._status_asked(event, now_ns)
            case VersionAsked():
                return [Answer(client=event.client, reply=VersionReply(daemon=self._version, protocol=VERSION))]
            case ReloadAsked():
                return self._reload_asked(event, now_ns)
            case ReloadUnsent():
                return self._reload_over(False, event.reason, now_ns)
            case ReloadDone():
                self.board.note_reload(event.ok, event.report, now_ns)
                over = self._reload_over(event.ok, event.report, now_ns)
                return [JournalReload(ok=event.ok, at_ns=now_ns), *over]
            case ConfirmationShown():
                self._confirmation_shown(event.notice, now_ns)
                return []
            case ConfigurationReceived():
                self.board.document = event.document
                return []
            case StandbyAsked():
                return self._standby_asked(event, now_ns)
            case StandbyAnswered():
                return self._standby_answered(event)
            case DeadlineReached():
                return self._deadline_reached(now_ns)
        assert_never(event)

    # ------------------------------------------------------------------------------------------- status

    def _status_asked(self, event: StatusAsked, now_ns: int) -> list[Effect]:
        answer = AnswerStatus(client=event.client, form=event.form, order=event.order)
        refusal = _wrong_version(event.client, event.version) or _too_many(event.client, self._next_pull)
        if refusal is not None:
            return [answer if event.order else refusal]
        self._processes = event.processes
        self._next_pull.append(answer)
        return [] if self._pull is not None else self._start_pull(now_ns)

    def _start_pull(self, now_ns: int) -> list[Effect]:
        answers, self._next_pull = self._next_pull, []
        self._ticket += 1
        asked = [name for name in self._lively(now_ns) if name in self._senders]
        if not asked:
            return [*answers]
        owing = dict.fromkeys(asked, now_ns + ANSWER_WITHIN_NS)
        self._pull = _Pull(ticket=self._ticket, asked_ns=now_ns, owing=owing, answers=answers)
        return [AskReport(process=name, sender=self._senders[name], ticket=self._ticket) for name in asked]

    def _lively(self, now_ns: int) -> list[ProcessName]:
        """The peers worth waiting for, in a fixed order."""
        alive = {seen.name for seen in self._processes if seen.pid and not is_silent(seen, now_ns)}
        return [name for name in PEERS if name in alive]

    def _answered(self, process: ProcessName, ticket: int, now_ns: int) -> list[Effect]:
        pull = self._pull
        if pull is None or ticket != pull.ticket:
            return []
        pull.owing.pop(process, None)
        return [] if pull.owing else self._end_pull(pull, now_ns)

    def _at_work(self, event: PeerAtWork, now_ns: int) -> list[Effect]:
        """It is waited for longer, and so by who asked."""
        pull = self._pull
        if pull is None or pull.ticket != event.ticket or event.process not in pull.owing:
            return []
        pull.owing[event.process] = now_ns + AT_WORK_NS
        waiting = [answer.client for answer in (*pull.answers, *self._next_pull) if answer.client]
        return [Answer(client=client, reply=AtWork()) for client in waiting]

    def _late(self, pull: _Pull, now_ns: int) -> list[Effect]:
        """Whose time is over is not waited for any more."""
        pull.owing = {name: until_ns for name, until_ns in pull.owing.items() if now_ns < until_ns}
        return [] if pull.owing else self._end_pull(pull, now_ns)

    def _end_pull(self, pull: _Pull, now_ns: int) -> list[Effect]:
        self._pull = None
        effects: list[Effect] = [replace(answer, asked_ns=pull.asked_ns) for answer in pull.answers]
        if self._next_pull:
            effects += self._start_pull(now_ns)
        return effects

    # ------------------------------------------------------------------------------------------- reload

    def _reload_asked(self, event: ReloadAsked, now_ns: int) -> list[Effect]:
        refusal = (
            _wrong_version(event.client, event.version)
            or _not_root(event.client, event.uid, "reload the configuration")
            or _too_many(event.client, self._next_reload)
        )
        if refusal is not None:
            return [refusal]
        if impossible := self._why_no_reload(event.confirm_s, now_ns):
            return [Answer(client=event.client, reply=ReloadReply(ok=False, report=impossible))]
        self._next_reload.append(event.client)
        return [] if self._reload is not None else self._start_reload(now_ns, event.confirm_s)

    def _why_no_reload(self, confirm_s: int, now_ns: int) -> str:
        """Nothing is remembered beside a reload that is to be confirmed: it must stay clear what goes back to what."""
        if self.board.confirm_until_ns:
            left_s = max(0, self.board.confirm_until_ns - now_ns) // 1_000_000_000
            when = f"it goes back by itself in {left_s} s" if left_s else "it goes back just now"
            return f"a reload waits for its confirmation: `pyhadctl reload confirm` first, or wait: {when}"
        if confirm_s > CONFIRM_MOST_S or confirm_s < 0:
            return f"between 1 s and {CONFIRM_MOST_S} s can be given for the confirmation"
        return "another reload is under way: ask again" if confirm_s and self._reload is not None else ""

    def _confirmation_shown(self, notice: ConfirmationNotice, now_ns: int) -> None:
        match notice.state:
            case ConfirmationState.WAITING:
                self.board.confirm_until_ns = notice.until_ns
            case ConfirmationState.GOING_BACK:
                self.board.confirm_until_ns = min(self.board.confirm_until_ns, now_ns) or now_ns
            case ConfirmationState.NONE | ConfirmationState.CONFIRMED:
                self.board.confirm_until_ns = 0
            case _:
                assert_never(notice.state)

    def _start_reload(self, now_ns: int, confirm_s: int = 0) -> list[Effect]:
        clients, self._next_reload = self._next_reload, []
        self._reload = _Reload(until_ns=now_ns + RELOAD_WITHIN_NS, clients=clients)
        return [AskReload(confirm_s=confirm_s)]

    def _reload_over(self, ok: bool, report: str, now_ns: int) -> list[Effect]:
        reload = self._reload
        if reload is None:  # not asked for here: SIGHUP
            return []
        self._reload = None
        reply = ReloadReply(ok=ok, report=report)
        effects: list[Effect] = [Answer(client=client, reply=reply) for client in reload.clients]
        if self._next_reload:
            effects += self._start_reload(now_ns)
        return effects

    # ------------------------------------------------------------------------------------------ standby

    def _standby_asked(self, event: StandbyAsked, now_ns: int) -> list[Effect]:
        request, client = event.request, event.client
        refusal = (
            _wrong_version(client, request.version)
            or _not_root(client, event.uid, "hold virtual routers back")
            or _too_many(client, [waiting for waiting, _ in self._orders.values()])
        )
        if refusal is not None:
            return [refusal]
        sender = self._senders.get(ProcessName.VRRP)
        if sender is None:
            return [_refuse(client, _NO_VRRP)]
        self._ticket += 1
        self._orders[self._ticket] = client, now_ns + ORDER_WITHIN_NS
        order = StandbyOrdered(
            ticket=self._ticket, name=request.name, standby=request.standby, for_ns=max(0, request.for_ns)
        )
        return [OrderStandby(sender=sender, order=order)]

    def _standby_answered(self, event: StandbyAnswered) -> list[Effect]:
        client, _ = self._orders.pop(event.ticket, (b"", 0))
        if not client:
            return []
        if event.names is None:
            return [_refuse(client, _NO_VRRP)]
        return [Answer(client=client, reply=StandbyReply(names=event.names))]

    # ------------------------------------------------------------------------------------------ deadline

    def _deadline_reached(self, now_ns: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._pull is not None and now_ns >= self._pull.until_ns:
            effects += self._late(self._pull, now_ns)
        if self._reload is not None and now_ns >= self._reload.until_ns:
            seconds = RELOAD_WITHIN_NS // 1_000_000_000
            effects += self._reload_over(
                False, f"no result after {seconds} s: see the log for what became of it", now_ns
            )
        for ticket in [ticket for ticket, (_, until_ns) in self._orders.items() if now_ns >= until_ns]:
            effects += self._standby_answered(StandbyAnswered(ticket=ticket, names=None))
        return effects


def _wrong_version(client: bytes, version: int) -> Answer | None:
    if version == VERSION:
        return None
    return _refuse(
        client, f"this daemon speaks version {VERSION} of the protocol, the question came in version {version}"
    )


def _not_root(client: bytes, uid: int, what: str) -> Answer | None:
    return None if uid == 0 else _refuse(client, f"only root may {what}, and the question came from uid {uid}")


def _too_many(client: bytes, waiting: Sequence[object]) -> Answer | None:
    return (
        None
        if len(waiting) < WAITING_MAX
        else _refuse(client, f"{WAITING_MAX} operators are waiting already: ask again later")
    )


def _refuse(client: bytes, reason: str) -> Answer:
    return Answer(client=client, reply=RequestRefused(reason=reason))

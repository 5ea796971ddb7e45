"""The desk: tickets, who is waited for, who is answered, and reloads."""

from __future__ import annotations

import dataclasses

import pytest

from pyhad.common.config.model import ControlDocument
from pyhad.common.confirmation import ConfirmationNotice, ConfirmationState
from pyhad.common.messages import (
    AtWork,
    CheckerStatus,
    IpvsStatus,
    ReloadReply,
    RequestRefused,
    StandbyOrdered,
    StandbyReply,
    StandbyRequest,
    VersionReply,
    VrrpStatus,
)
from pyhad.common.states import ProcessName, ProcessState
from pyhad.control_proc.core.board import StatusBoard
from pyhad.control_proc.core.desk import Desk
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
    PeerAtWork,
    PeerUnreachable,
    ProcessSeen,
    ReloadAsked,
    ReloadDone,
    ReloadUnsent,
    Report,
    ReportReceived,
    StandbyAnswered,
    StandbyAsked,
    StatusAsked,
    VersionAsked,
)

MS = 1_000_000
S = 1_000 * MS
T0 = 1000 * S
VRRP, CHECKER, IPVS = ProcessName.VRRP, ProcessName.CHECKER, ProcessName.IPVS
DOCUMENT = ControlDocument(schema=1, generation=1, router_id="lb1", files=(), instances=(), services=())


def report(process: ProcessName, ticket: int) -> Report:
    if process is VRRP:
        return VrrpStatus(ticket=ticket, taken_ns=T0, generation=1, routers=(), counters={})
    if process is CHECKER:
        return CheckerStatus(ticket=ticket, taken_ns=T0, generation=1, servers=(), counters={})
    return IpvsStatus(ticket=ticket, taken_ns=T0, generation=1, data_plane="", services=(), counters={})


def says(process: ProcessName, ticket: int) -> ReportReceived:
    return ReportReceived(process=process, sender=process.encode(), report=report(process, ticket))


def page(silent: tuple[ProcessName, ...] = (), dead: tuple[ProcessName, ...] = ()) -> tuple[ProcessSeen, ...]:
    return tuple(
        ProcessSeen(
            name=name, state=ProcessState.RUNNING, pid=0 if name in dead else 9, started_ns=1, restarts=0,
            turn_ns=T0 - (5 * S if name in silent else 0), late_ns=0,
        )
        for name in ProcessName
    )  # fmt: skip


def asks(client: bytes, processes: tuple[ProcessSeen, ...] | None = None, version: int = 1) -> StatusAsked:
    return StatusAsked(client=client, version=version, processes=page() if processes is None else processes)


def question(process: ProcessName, ticket: int) -> AskReport:
    return AskReport(process=process, sender=process.encode(), ticket=ticket)


def answer(client: bytes, asked_ns: int = T0) -> AnswerStatus:
    return AnswerStatus(client=client, asked_ns=asked_ns)


@pytest.fixture
def desk() -> Desk:
    """A desk whose three peers have spoken."""
    desk = Desk(StatusBoard(DOCUMENT, "1.2.3"), "1.2.3")
    for process in (VRRP, CHECKER, IPVS):
        assert desk.handle(says(process, 0), T0 - S) == []
    return desk


def test_all_peers_are_asked_with_one_ticket(desk: Desk) -> None:
    assert desk.handle(asks(b"a"), T0) == [question(VRRP, 1), question(CHECKER, 1), question(IPVS, 1)]
    assert desk.next_deadline_ns() == T0 + 300 * MS


def test_the_operator_is_answered_when_the_last_peer_has_answered(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    assert desk.handle(says(VRRP, 1), T0 + MS) == []
    assert desk.handle(says(IPVS, 1), T0 + MS) == []
    assert desk.handle(says(CHECKER, 1), T0 + MS) == [answer(b"a")]
    assert desk.next_deadline_ns() is None


def test_the_operator_is_answered_after_300_ms_whoever_is_missing(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    assert desk.handle(DeadlineReached(), T0 + 300 * MS - 1) == []
    assert desk.handle(DeadlineReached(), T0 + 300 * MS) == [answer(b"a")]
    assert desk.next_deadline_ns() is None


def test_an_answer_to_an_old_ticket_counts_for_nothing(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    desk.handle(DeadlineReached(), T0 + 300 * MS)
    desk.handle(asks(b"b"), T0 + 400 * MS)
    for process in (VRRP, CHECKER, IPVS):
        assert desk.handle(says(process, 1), T0 + 401 * MS) == []
    assert desk.handle(says(VRRP, 0), T0 + 402 * MS) == []
    assert [desk.handle(says(process, 2), T0 + 403 * MS) for process in (VRRP, CHECKER)] == [[], []]
    assert desk.handle(says(IPVS, 2), T0 + 403 * MS) == [answer(b"b", T0 + 400 * MS)]


def test_silent_and_dead_peers_are_not_waited_for(desk: Desk) -> None:
    assert desk.handle(asks(b"a", page(silent=(VRRP,), dead=(CHECKER,))), T0) == [question(IPVS, 1)]
    assert desk.handle(says(IPVS, 1), T0 + MS) == [answer(b"a")]


def test_a_peer_that_is_not_needed_any_more_is_not_waited_for(desk: Desk) -> None:
    processes = tuple(
        dataclasses.replace(seen, state=ProcessState.ABSENT, pid=0, turn_ns=0) if seen.name is CHECKER else seen
        for seen in page()
    )
    assert desk.handle(asks(b"a", processes), T0) == [question(VRRP, 1), question(IPVS, 1)]


def test_with_nobody_to_ask_the_answer_comes_at_once(desk: Desk) -> None:
    dead = page(dead=(VRRP, CHECKER, IPVS))
    assert desk.handle(asks(b"a", dead), T0) == [answer(b"a", 0)]
    fresh = Desk(StatusBoard(DOCUMENT, "1.2.3"), "1.2.3")
    assert fresh.handle(asks(b"a"), T0) == [answer(b"a", 0)]
    assert fresh.next_deadline_ns() is None


def test_a_peer_that_cannot_be_reached_is_not_waited_for_nor_asked_again(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    desk.handle(says(CHECKER, 1), T0)
    desk.handle(says(IPVS, 1), T0)
    assert desk.handle(PeerUnreachable(process=VRRP, ticket=1), T0) == [answer(b"a")]
    assert desk.handle(asks(b"a"), T0) == [question(CHECKER, 2), question(IPVS, 2)]
    desk.handle(says(VRRP, 0), T0)
    desk.handle(DeadlineReached(), T0 + 300 * MS)
    assert question(VRRP, 3) in desk.handle(asks(b"a"), T0 + 301 * MS)


def test_who_asks_during_a_pull_gets_the_next_one_together_with_the_others(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    assert desk.handle(asks(b"b"), T0 + MS) == []
    assert desk.handle(asks(b"c"), T0 + MS) == []
    desk.handle(says(VRRP, 1), T0 + 2 * MS)
    desk.handle(says(CHECKER, 1), T0 + 2 * MS)
    expected: list[Effect] = [
        answer(b"a"), question(VRRP, 2), question(CHECKER, 2), question(IPVS, 2),
    ]  # fmt: skip
    assert desk.handle(says(IPVS, 1), T0 + 3 * MS) == expected
    assert desk.next_deadline_ns() == T0 + 303 * MS
    assert desk.handle(DeadlineReached(), T0 + 303 * MS) == [answer(b"b", T0 + 3 * MS), answer(b"c", T0 + 3 * MS)]


def test_operators_beyond_the_bound_are_refused(desk: Desk) -> None:
    desk.handle(asks(b"first"), T0)
    for number in range(256):
        assert desk.handle(asks(b"%d" % number), T0) == []
    [answer] = desk.handle(asks(b"too many"), T0)
    assert isinstance(answer, Answer)
    assert answer.client == b"too many"
    assert isinstance(answer.reply, RequestRefused)


def test_a_question_of_another_protocol_is_refused(desk: Desk) -> None:
    [answer] = desk.handle(asks(b"a", version=2), T0)
    reason = "this daemon speaks version 1 of the protocol, the question came in version 2"
    assert answer == Answer(client=b"a", reply=RequestRefused(reason=reason))


def test_version_is_answered_at_once(desk: Desk) -> None:
    reply = VersionReply(daemon="1.2.3", protocol=1)
    assert desk.handle(VersionAsked(client=b"a"), T0) == [Answer(client=b"a", reply=reply)]


def reload_by(client: bytes, uid: int = 0) -> ReloadAsked:
    return ReloadAsked(client=client, version=1, uid=uid)


def test_only_root_may_reload(desk: Desk) -> None:
    reason = "only root may reload the configuration, and the question came from uid 33"
    expected = [Answer(client=b"a", reply=RequestRefused(reason=reason))]
    assert desk.handle(reload_by(b"a", uid=33), T0) == expected
    assert desk.next_deadline_ns() is None


def test_a_reload_is_answered_with_its_report_and_remembered(desk: Desk) -> None:
    assert desk.handle(reload_by(b"a"), T0) == [AskReload()]
    assert desk.next_deadline_ns() == T0 + 120 * S
    reply = ReloadReply(ok=False, report="x.conf:3:1: no")
    done = ReloadDone(ok=False, report="x.conf:3:1: no")
    assert desk.handle(done, T0 + S) == [JournalReload(ok=False, at_ns=T0 + S), Answer(client=b"a", reply=reply)]
    assert desk.next_deadline_ns() is None
    shown = desk.board.reply((), {}, T0 + 2 * S)
    assert (shown.last_reload_ok, shown.last_reload_error, shown.last_reload_ns) == (False, "x.conf:3:1: no", T0 + S)


def test_who_asks_during_a_reload_gets_the_next_one(desk: Desk) -> None:
    desk.handle(reload_by(b"a"), T0)
    assert desk.handle(reload_by(b"b"), T0 + S) == []
    assert desk.handle(reload_by(b"c"), T0 + S) == []
    done = ReloadReply(ok=True, report="")
    first = [JournalReload(ok=True, at_ns=T0 + 2 * S), Answer(client=b"a", reply=done), AskReload()]
    assert desk.handle(ReloadDone(ok=True, report=""), T0 + 2 * S) == first
    journal = JournalReload(ok=True, at_ns=T0 + 3 * S)
    expected = [journal, Answer(client=b"b", reply=done), Answer(client=b"c", reply=done)]
    assert desk.handle(ReloadDone(ok=True, report=""), T0 + 3 * S) == expected


def test_a_reload_by_signal_is_remembered_and_answers_nobody(desk: Desk) -> None:
    assert desk.handle(ReloadDone(ok=True, report=""), T0) == [JournalReload(ok=True, at_ns=T0)]
    assert desk.board.reply((), {}, T0).last_reload_ns == T0


def test_a_reload_without_result_is_given_up_after_120_s(desk: Desk) -> None:
    desk.handle(reload_by(b"a"), T0)
    assert desk.handle(DeadlineReached(), T0 + 120 * S - 1) == []
    [answer] = desk.handle(DeadlineReached(), T0 + 120 * S)
    reply = ReloadReply(ok=False, report="no result after 120 s: see the log for what became of it")
    assert answer == Answer(client=b"a", reply=reply)


def to_confirm(client: bytes, confirm_s: int) -> ReloadAsked:
    return ReloadAsked(client=client, version=1, uid=0, confirm_s=confirm_s)


def shown(state: ConfirmationState, until_ns: int = 0) -> ConfirmationShown:
    return ConfirmationShown(notice=ConfirmationNotice(state=state, until_ns=until_ns))


def refused(client: bytes, report: str) -> list[Effect]:
    return [Answer(client=client, reply=ReloadReply(ok=False, report=report))]


def test_the_seconds_for_a_confirmation_go_to_the_parent(desk: Desk) -> None:
    assert desk.handle(to_confirm(b"a", 60), T0) == [AskReload(confirm_s=60)]
    assert desk.handle(to_confirm(b"b", 60), T0) == refused(b"b", "another reload is under way: ask again")
    assert desk.handle(reload_by(b"c"), T0) == []


def test_more_than_a_day_for_a_confirmation_is_refused(desk: Desk) -> None:
    text = "between 1 s and 86400 s can be given for the confirmation"
    assert desk.handle(to_confirm(b"a", 86_401), T0) == refused(b"a", text)
    assert desk.handle(to_confirm(b"a", -1), T0) == refused(b"a", text)
    assert desk.handle(to_confirm(b"a", 86_400), T0) == [AskReload(confirm_s=86_400)]


def test_while_a_reload_waits_for_its_confirmation_another_is_refused(desk: Desk) -> None:
    assert desk.handle(shown(ConfirmationState.WAITING, T0 + 42 * S), T0) == []
    assert desk.board.reply((), {}, T0).confirm_until_ns == T0 + 42 * S
    first = "a reload waits for its confirmation: `pyhadctl reload confirm` first, or wait: "
    assert desk.handle(reload_by(b"a"), T0 + S) == refused(b"a", f"{first}it goes back by itself in 41 s")
    desk.handle(shown(ConfirmationState.GOING_BACK), T0 + 42 * S)
    assert desk.handle(reload_by(b"a"), T0 + 42 * S) == refused(b"a", f"{first}it goes back just now")
    desk.handle(shown(ConfirmationState.NONE), T0 + 43 * S)
    assert desk.handle(reload_by(b"a"), T0 + 43 * S) == [AskReload()]


def test_a_confirmed_reload_waits_for_nothing(desk: Desk) -> None:
    desk.handle(shown(ConfirmationState.WAITING, T0 + 42 * S), T0)
    desk.handle(shown(ConfirmationState.CONFIRMED), T0)
    assert desk.board.reply((), {}, T0).confirm_until_ns == 0


def test_a_control_process_born_on_the_way_back_knows_it(desk: Desk) -> None:
    desk.handle(shown(ConfirmationState.GOING_BACK), T0)
    assert desk.board.reply((), {}, T0).confirm_until_ns == T0


def test_a_wish_that_the_parent_does_not_take_is_answered_with_its_reason(desk: Desk) -> None:
    desk.handle(reload_by(b"a"), T0)
    assert desk.handle(ReloadUnsent(reason="not now"), T0) == refused(b"a", "not now")
    assert desk.board.reply((), {}, T0).last_reload_ok  # no file was looked at


def test_a_parent_that_cannot_be_asked_is_said(desk: Desk) -> None:
    desk.handle(reload_by(b"a"), T0)
    reply = ReloadReply(ok=False, report="the parent process could not be asked for a reload")
    assert desk.handle(ReloadUnsent(), T0) == [Answer(client=b"a", reply=reply)]


def test_a_reload_and_a_pull_under_way_do_not_disturb_each_other(desk: Desk) -> None:
    desk.handle(reload_by(b"a"), T0)
    desk.handle(asks(b"b"), T0)
    assert desk.next_deadline_ns() == T0 + 300 * MS
    assert desk.handle(DeadlineReached(), T0 + 300 * MS) == [answer(b"b")]
    assert desk.next_deadline_ns() == T0 + 120 * S


def test_a_new_configuration_is_shown(desk: Desk) -> None:
    assert desk.handle(ConfigurationReceived(document=dataclasses.replace(DOCUMENT, generation=2)), T0) == []
    assert desk.board.reply((), {}, T0).config_generation == 2


# ------------------------------------------------------------------------------------------------- standby

ORDER = StandbyRequest(version=1, name="VI_1", standby=True, for_ns=5 * S)


def test_an_order_goes_to_the_vrrp_process_and_its_answer_to_the_operator(desk: Desk) -> None:
    [effect] = desk.handle(StandbyAsked(client=b"a", uid=0, request=ORDER), T0)
    assert effect == OrderStandby(
        sender=b"vrrp", order=StandbyOrdered(ticket=1, name="VI_1", standby=True, for_ns=5 * S)
    )
    [answer] = desk.handle(StandbyAnswered(ticket=1, names=("VI_1",)), T0)
    assert answer == Answer(client=b"a", reply=StandbyReply(names=("VI_1",)))
    assert desk.handle(StandbyAnswered(ticket=1, names=("VI_1",)), T0) == []
    assert desk.next_deadline_ns() is None


def test_only_root_may_order(desk: Desk) -> None:
    [answer] = desk.handle(StandbyAsked(client=b"a", uid=1000, request=ORDER), T0)
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, RequestRefused)


def test_an_order_that_nobody_answers_is_refused_in_the_end(desk: Desk) -> None:
    desk.handle(StandbyAsked(client=b"a", uid=0, request=ORDER), T0)
    assert desk.next_deadline_ns() == T0 + 2 * S
    assert desk.handle(DeadlineReached(), T0 + S) == []
    [answer] = desk.handle(DeadlineReached(), T0 + 2 * S)
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, RequestRefused)


def test_without_a_vrrp_process_an_order_is_refused_at_once() -> None:
    desk = Desk(StatusBoard(DOCUMENT, "1.2.3"), "1.2.3")
    [answer] = desk.handle(StandbyAsked(client=b"a", uid=0, request=ORDER), T0)
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, RequestRefused)


def test_who_says_that_it_is_at_work_is_waited_for_and_only_that_one(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    asks_again = desk.handle(asks(b"b"), T0)
    assert asks_again == []
    desk.handle(says(VRRP, 1), T0 + 10 * MS)
    waiting = [Answer(client=b"a", reply=AtWork()), Answer(client=b"b", reply=AtWork())]
    assert desk.handle(PeerAtWork(process=IPVS, ticket=1), T0 + 200 * MS) == waiting
    assert desk.handle(DeadlineReached(), T0 + 300 * MS) == []  # the checker is late, the IPVS owner is at it
    assert desk.next_deadline_ns() == T0 + 5200 * MS
    assert desk.handle(PeerAtWork(process=CHECKER, ticket=1), T0 + 400 * MS) == []
    effects = desk.handle(says(IPVS, 1), T0 + 1900 * MS)
    assert effects[0] == answer(b"a")


def test_a_promise_is_not_waited_for_without_end(desk: Desk) -> None:
    desk.handle(asks(b"a"), T0)
    desk.handle(PeerAtWork(process=IPVS, ticket=1), T0 + 200 * MS)
    assert desk.handle(DeadlineReached(), T0 + 5200 * MS) == [answer(b"a")]
    assert desk.handle(PeerAtWork(process=IPVS, ticket=1), T0 + 5300 * MS) == []

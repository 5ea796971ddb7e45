"""Who asks for the differences of the table, and what becomes of it."""

from __future__ import annotations

from pyhad.common.messages import VERSION, AtWork, RequestRefused, TableLook, TableLookReply
from pyhad.control_proc.core.effects import Answer, AskLook
from pyhad.control_proc.core.looks import WAITING_MAX, LookDesk

S = 1_000_000_000
T0 = 1000 * S


def look(ticket: int) -> TableLook:
    return TableLook(ticket=ticket, taken_ns=T0, data_plane="ipvs")


def failed(client: bytes, problem: str, now_ns: int) -> list[Answer]:
    return [Answer(client=client, reply=TableLookReply(problem=problem, look=None, taken_ns=now_ns))]


def test_the_owner_is_asked_and_the_answer_handed_on_once() -> None:
    desk = LookDesk()
    assert desk.asked(b"a", VERSION, b"ipvs", T0) == [AskLook(sender=b"ipvs", ticket=-1)]
    assert desk.asked(b"b", VERSION, b"ipvs", T0) == [AskLook(sender=b"ipvs", ticket=-2)]
    reply = TableLookReply(problem="", look=look(-2), taken_ns=T0 + S)
    assert desk.answered(look(-2), T0 + S) == [Answer(client=b"b", reply=reply)]
    assert desk.answered(look(-2), T0 + S) == []
    assert desk.next_deadline_ns() == T0 + 5 * S


def test_who_is_at_work_is_waited_for_and_who_says_nothing_is_not() -> None:
    desk = LookDesk()
    desk.asked(b"a", VERSION, b"ipvs", T0)
    assert desk.at_work(-1, T0 + S) == [Answer(client=b"a", reply=AtWork())]
    assert desk.at_work(5, T0 + S) == []
    assert desk.expire(T0 + 5 * S) == []
    assert desk.expire(T0 + 6 * S) == failed(b"a", "the IPVS owner did not answer in time", T0 + 6 * S)
    assert desk.next_deadline_ns() is None


def test_without_an_owner_the_answer_is_that() -> None:
    desk = LookDesk()
    assert desk.asked(b"a", VERSION, None, T0) == failed(b"a", "the IPVS owner does not run, or has not spoken yet", T0)
    desk.asked(b"a", VERSION, b"ipvs", T0)
    assert desk.unsent(-1, T0) == failed(b"a", "the IPVS owner cannot be reached", T0)
    assert desk.unsent(-1, T0) == []


def test_another_version_and_too_many_are_refused() -> None:
    desk = LookDesk()
    [answer] = desk.asked(b"a", VERSION + 1, b"ipvs", T0)
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, RequestRefused)
    for _ in range(WAITING_MAX):
        desk.asked(b"a", VERSION, b"ipvs", T0)
    [answer] = desk.asked(b"b", VERSION, b"ipvs", T0)
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, RequestRefused)

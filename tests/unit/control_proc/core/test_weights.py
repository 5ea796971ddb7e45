"""Weights that operators set: who may, who answers, who waits."""

from __future__ import annotations

import pytest

from pyhad.common.codec import encode
from pyhad.common.messages import VERSION, RequestRefused, WeightReply, WeightRequest, WeightWanted
from pyhad.control_proc.core.effects import Answer, AskWeight
from pyhad.control_proc.core.weights import ANSWER_WITHIN_NS, WAITING_MAX, WeightDesk

DRAIN = WeightRequest(
    version=VERSION, service="10.0.0.1:80/tcp", server="10.1.0.1:80", weight=0, deadline_ns=0, for_ns=0
)


def refused(effects: list[Answer | AskWeight]) -> str:
    [answer] = effects
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, RequestRefused)
    return answer.reply.reason


def test_the_owner_is_asked_and_its_answer_goes_to_who_wanted_it() -> None:
    desk = WeightDesk()
    wanted = WeightWanted(ticket=1, service="10.0.0.1:80/tcp", server="10.1.0.1:80", weight=0, deadline_ns=0, for_ns=0)
    assert desk.asked(b"client", 0, DRAIN, b"ipvs", 100) == [AskWeight(sender=b"ipvs", wanted=wanted)]
    assert desk.next_deadline_ns() == 100 + ANSWER_WITHIN_NS
    assert desk.answered(1, "") == [Answer(client=b"client", reply=WeightReply(problem=""))]
    assert desk.next_deadline_ns() is None
    assert desk.answered(1, "") == []


@pytest.mark.parametrize(
    ("uid", "owner", "version", "word"),
    [
        (1000, b"ipvs", VERSION, "only root"),
        (0, None, VERSION, "does not run"),
        (0, b"ipvs", VERSION + 1, "protocol"),
    ],
)
def test_who_may_not_is_told_why_and_nobody_is_asked(uid: int, owner: bytes | None, version: int, word: str) -> None:
    request = WeightRequest(version=version, service="s", server="r", weight=0, deadline_ns=0, for_ns=0)
    assert word in refused(WeightDesk().asked(b"client", uid, request, owner, 0))


def test_every_field_of_an_order_is_sent_for_who_is_older_takes_no_less() -> None:
    [asked] = WeightDesk().asked(b"client", 0, DRAIN, b"ipvs", 0)
    assert isinstance(asked, AskWeight)
    for message in (DRAIN, asked.wanted):
        assert all(name in encode(message) for name in (b"deadline_ns", b"for_ns"))


def test_a_silent_owner_is_said_after_its_time() -> None:
    desk = WeightDesk()
    desk.asked(b"client", 0, DRAIN, b"ipvs", 0)
    assert desk.expire(ANSWER_WITHIN_NS - 1) == []
    [answer] = desk.expire(ANSWER_WITHIN_NS)
    assert isinstance(answer, Answer)
    assert isinstance(answer.reply, WeightReply)
    assert "did not answer" in answer.reply.problem


def test_the_number_of_waiting_operators_is_bounded() -> None:
    desk = WeightDesk()
    for number in range(WAITING_MAX):
        desk.asked(b"%d" % number, 0, DRAIN, b"ipvs", 0)
    assert "too many" in refused(desk.asked(b"one more", 0, DRAIN, b"ipvs", 0))

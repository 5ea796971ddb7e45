"""Operators who confirm a reload: who may, who waits, what they hear."""

from __future__ import annotations

import pytest

from pyhad.common.confirmation import ConfirmationState
from pyhad.common.messages import VERSION, ReloadConfirmRequest, ReloadReply, RequestRefused
from pyhad.control_proc.core.confirmations import TOO_LATE, WAITING_MAX, ConfirmDesk
from pyhad.control_proc.core.effects import Answer

ASKED = ReloadConfirmRequest(version=VERSION)


@pytest.mark.parametrize(
    ("state", "ok", "report"),
    [
        (ConfirmationState.CONFIRMED, True, ""),
        (
            ConfirmationState.GOING_BACK,
            False,
            TOO_LATE,
        ),
        (ConfirmationState.NONE, False, "no reload waits for its confirmation"),
    ],
)
def test_who_confirms_hears_the_parents_word_once(state: ConfirmationState, ok: bool, report: str) -> None:
    desk = ConfirmDesk()
    assert desk.asked(b"one", 0, ASKED) == []
    assert desk.told(ConfirmationState.WAITING) == []
    assert desk.told(state) == [Answer(client=b"one", reply=ReloadReply(ok=ok, report=report))]
    assert desk.told(state) == []


@pytest.mark.parametrize(("uid", "version", "word"), [(1000, VERSION, "only root"), (0, VERSION + 1, "protocol")])
def test_who_may_not_is_told_why(uid: int, version: int, word: str) -> None:
    desk = ConfirmDesk()
    [answer] = desk.asked(b"one", uid, ReloadConfirmRequest(version=version))
    assert isinstance(answer.reply, RequestRefused)
    assert word in answer.reply.reason
    assert desk.told(ConfirmationState.CONFIRMED) == []


def test_the_number_of_waiting_operators_is_bounded() -> None:
    desk = ConfirmDesk()
    assert all(desk.asked(b"one", 0, ASKED) == [] for _ in range(WAITING_MAX))
    assert len(desk.asked(b"one", 0, ASKED)) == 1

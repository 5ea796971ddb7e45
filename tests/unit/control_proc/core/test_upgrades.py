"""Upgrades that operators ask for: who may, who waits."""

from __future__ import annotations

import pytest

from pyhad.common.messages import VERSION, RequestRefused, UpgradeReply, UpgradeRequest
from pyhad.control_proc.core.effects import Answer
from pyhad.control_proc.core.upgrades import WAITING_MAX, UpgradeDesk

ASKED = UpgradeRequest(version=VERSION)


def test_all_who_wait_hear_of_the_trial_once() -> None:
    desk = UpgradeDesk()
    assert desk.asked(b"one", 0, ASKED) == []
    assert desk.asked(b"two", 0, ASKED) == []
    reply = UpgradeReply(ok=False, report="no such module\n")
    assert desk.tried(False, "no such module\n") == [
        Answer(client=b"one", reply=reply),
        Answer(client=b"two", reply=reply),
    ]
    assert desk.tried(True, "") == []


@pytest.mark.parametrize(("uid", "version", "word"), [(1000, VERSION, "only root"), (0, VERSION + 1, "protocol")])
def test_who_may_not_is_told_why(uid: int, version: int, word: str) -> None:
    desk = UpgradeDesk()
    [answer] = desk.asked(b"one", uid, UpgradeRequest(version=version))
    assert isinstance(answer.reply, RequestRefused)
    assert word in answer.reply.reason
    assert desk.tried(True, "") == []


def test_the_number_of_waiting_operators_is_bounded() -> None:
    desk = UpgradeDesk()
    assert all(desk.asked(b"one", 0, ASKED) == [] for _ in range(WAITING_MAX))
    assert len(desk.asked(b"one", 0, ASKED)) == 1

"""Chores in due order."""

from __future__ import annotations

from pyhad.vrrp_proc.core.states import Chore, scheduled


def test_chores_are_kept_soonest_first_and_once_each() -> None:
    chores = scheduled((), Chore.REFRESH, 30)
    chores = scheduled(chores, Chore.ANNOUNCE_AGAIN, 10)
    assert chores == ((10, Chore.ANNOUNCE_AGAIN), (30, Chore.REFRESH))
    assert scheduled(chores, Chore.ANNOUNCE_AGAIN, 40) == ((30, Chore.REFRESH), (40, Chore.ANNOUNCE_AGAIN))

"""Levels and edges as the receiver follows them."""

from __future__ import annotations

from pyhad.common.following import Following


def test_changes_count_only_after_a_snapshot_and_in_order() -> None:
    following = Following()
    assert not following.edge(7, 1)
    following.snapshot(7, 0)
    assert following.edge(7, 1)
    assert not following.edge(7, 1)
    assert not following.edge(7, 3)
    assert following.edge(7, 2)


def test_a_change_of_another_generation_is_refused() -> None:
    following = Following()
    following.snapshot(7, 4)
    assert not following.edge(8, 5)


def test_a_beat_shows_a_gap_and_an_unknown_generation() -> None:
    following = Following()
    assert not following.beat(7, 0)
    following.snapshot(7, 3)
    assert following.beat(7, 3)
    assert not following.beat(7, 4)
    assert not following.beat(9, 3)

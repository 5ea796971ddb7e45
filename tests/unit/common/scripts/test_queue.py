"""The order in which programs that tell of changes run."""

from __future__ import annotations

import pytest

from pyhad.common.scripts.queue import ScriptQueue


@pytest.mark.behaviour("NTF-3")
def test_one_at_a_time_in_the_order_of_the_changes() -> None:
    queue: ScriptQueue[str] = ScriptQueue()
    queue.put("VI_1", ("backup", "notify b"))
    assert queue.next_of("VI_1") == "backup"
    queue.put("VI_1", ("master",))
    assert queue.next_of("VI_1") is None
    assert [queue.ended("VI_1"), queue.ended("VI_1"), queue.ended("VI_1")] == ["notify b", "master", None]
    assert queue.is_idle


def test_others_do_not_wait_for_it() -> None:
    queue: ScriptQueue[str] = ScriptQueue()
    queue.put("VI_1", ("a",))
    queue.put("VI_2", ("b",))
    assert (queue.next_of("VI_1"), queue.next_of("VI_2")) == ("a", "b")
    assert not queue.is_idle


def test_the_last_change_is_always_told_however_many_wait() -> None:
    queue: ScriptQueue[str] = ScriptQueue()
    for number in range(10):
        queue.put("VI_1", (f"{number}",))
    started = [queue.next_of("VI_1")]
    while (job := queue.ended("VI_1")) is not None:
        started.append(job)
    assert started == ["6", "7", "8", "9"]
    assert queue.left_out == 6


def test_a_change_that_nobody_is_told_of_is_none() -> None:
    queue: ScriptQueue[str] = ScriptQueue()
    queue.put("VI_1", ())
    assert queue.is_idle
    assert queue.next_of("VI_1") is None

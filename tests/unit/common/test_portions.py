"""Long work, and a loop that turns between its portions."""

from __future__ import annotations

from collections.abc import Generator

from pyhad.common.loop import Loop
from pyhad.common.portions import PORTION_NS, Portions


def work(done: list[str], name: str, loop: Loop, steps: int, step_ns: int) -> Generator[None, None, None]:
    """`steps` steps, each of which takes so long."""
    for _ in range(steps):
        until_ns = loop.now_ns() + step_ns
        while loop.now_ns() < until_ns:
            pass
        yield
    done.append(name)


def test_short_work_is_done_at_once() -> None:
    loop = Loop()
    done: list[str] = []
    portions = Portions(loop)
    portions.begin(work(done, "a", loop, 3, 0))
    assert (done, portions.is_busy) == (["a"], False)
    loop.close()


def test_long_work_lets_the_loop_turn_and_what_comes_after_it_waits() -> None:
    loop = Loop()
    done: list[str] = []
    turns: list[bool] = []
    portions = Portions(loop)
    portions.begin(work(done, "long", loop, 3, PORTION_NS))
    portions.begin(work(done, "after", loop, 1, 0))
    assert done == []
    while portions.is_busy:
        loop.turn(0)
        turns.append(portions.is_busy)
    assert done == ["long", "after"]
    assert len(turns) >= 2
    assert portions.longest_ns >= PORTION_NS
    loop.close()

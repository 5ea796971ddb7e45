"""The loop: timers, descriptors, hooks. Every run is bounded by a timer."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pyhad.common.loop import WRITE, Loop

MS = 1_000_000


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    made.after(2_000 * MS, made.stop)  # no test may hang
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_timers_run_in_the_order_of_their_deadlines_then_of_their_making(loop: Loop) -> None:
    ran: list[str] = []
    now_ns = loop.now_ns()
    for at_ms, name in ((6, "d"), (2, "b"), (2, "c"), (0, "a")):
        loop.at(now_ns + at_ms * MS, lambda name=name: ran.append(name))  # type: ignore[misc]
    loop.at(now_ns + 8 * MS, loop.stop)
    loop.run()
    assert ran == ["a", "b", "c", "d"]


def test_a_timer_never_runs_early(loop: Loop) -> None:
    late_ns: list[int] = []
    for number in range(20):
        due_ns = loop.now_ns() + number * 333_333
        loop.at(due_ns, lambda due_ns=due_ns: late_ns.append(loop.now_ns() - due_ns))  # type: ignore[misc]
    loop.after(8 * MS, loop.stop)
    loop.run()
    assert len(late_ns) == 20
    assert min(late_ns) >= 0


def test_a_cancelled_timer_never_runs_and_may_be_cancelled_again(loop: Loop) -> None:
    ran: list[str] = []
    timer = loop.after(0, lambda: ran.append("cancelled"))
    timer.cancel()
    timer.cancel()
    done = loop.after(0, lambda: ran.append("done"))
    loop.after(2 * MS, loop.stop)
    loop.run()
    done.cancel()
    assert ran == ["done"]


def test_a_timer_can_be_cancelled_by_another_that_is_due_at_the_same_moment(loop: Loop) -> None:
    ran: list[str] = []
    now_ns = loop.now_ns()
    loop.at(now_ns, lambda: victim.cancel())
    victim = loop.at(now_ns, lambda: ran.append("victim"))
    loop.after(2 * MS, loop.stop)
    loop.run()
    assert ran == []


def test_a_timer_made_earlier_than_the_armed_one_comes_first(loop: Loop, pipe: tuple[int, int]) -> None:
    ran: list[str] = []
    loop.after(1_000 * MS, lambda: ran.append("late"))
    reader, writer = pipe

    def heard(_events: int) -> None:
        loop.unwatch(reader)
        loop.after(MS, lambda: (ran.append("early"), loop.stop())[0])

    loop.watch(reader, heard)
    os.write(writer, b"x")
    loop.run()
    assert ran == ["early"]


def test_a_deadline_in_the_past_runs_at_once(loop: Loop) -> None:
    ran: list[str] = []
    loop.at(-5, lambda: ran.append("past"))
    loop.after(0, loop.stop)
    loop.run()
    assert ran == ["past"]


def test_a_timer_that_starts_one_due_at_once_does_not_starve_the_descriptors(loop: Loop, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    loop.watch(reader, lambda _events: loop.stop())
    os.write(writer, b"x")
    turns = 0

    def again() -> None:
        nonlocal turns
        turns += 1
        if turns < 10_000:
            loop.after(0, again)

    loop.after(0, again)
    loop.run()
    assert turns < 10_000


def test_every_keeps_its_rhythm_however_long_its_action_takes() -> None:
    def deadlines() -> list[int]:
        """Of the second to fourth tick, each set by the one before it, whose action takes 2 ms."""
        loop = Loop()
        found: list[int] = []

        def tick() -> None:
            found.append(loop._heap[0][0])
            spin_until(loop, loop.now_ns() + 2 * MS)
            if len(found) == 3:
                loop.stop()

        loop.every(20 * MS, tick)
        loop.run()
        loop.close()
        return found

    for _ in range(50):  # on a busy machine a tick may come more than half a period late: then it may shift
        second, third, fourth = deadlines()
        if third - second == fourth - third == 20 * MS:
            return
    pytest.fail("it drifts")


def test_every_does_not_catch_up_after_a_stall(loop: Loop) -> None:
    ran = 0
    stalled_ns = 0

    def tick() -> None:
        nonlocal ran, stalled_ns
        ran += 1
        if ran == 1:
            stalled_ns = loop.now_ns() + 100 * MS
            spin_until(loop, stalled_ns)
            loop.after(5 * MS, loop.stop)

    loop.every(MS // 2, tick)  # 200 of them are missed
    loop.run()
    assert ran <= 3 + (loop.now_ns() - stalled_ns) // (MS // 4)


def spin_until(loop: Loop, end_ns: int) -> None:
    while loop.now_ns() < end_ns:
        pass


def test_lateness_is_measured(loop: Loop) -> None:
    now_ns = loop.now_ns()
    loop.at(now_ns - 7 * MS, lambda: None)
    loop.after(0, loop.stop)
    loop.run()
    assert 7 * MS <= loop.lateness.worst_ns < 1_000 * MS


def test_a_descriptor_is_watched_until_it_is_unwatched(loop: Loop, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    heard: list[bytes] = []

    def read(_events: int) -> None:
        heard.append(os.read(reader, 1))
        if len(heard) == 2:
            loop.unwatch(reader)
            loop.unwatch(reader)
            loop.after(2 * MS, loop.stop)

    loop.watch(reader, read)
    os.write(writer, b"abc")
    loop.run()
    assert heard == [b"a", b"b"]


def test_a_descriptor_unwatched_by_another_of_the_same_turn_is_left_alone(loop: Loop) -> None:
    pipes = [os.pipe() for _ in range(2)]
    ran: list[int] = []

    def action(me: int) -> None:
        ran.append(me)
        for reader, _ in pipes:
            loop.unwatch(reader)
        loop.after(MS, loop.stop)

    for number, (reader, writer) in enumerate(pipes):
        loop.watch(reader, lambda _events, number=number: action(number))  # type: ignore[misc]
        os.write(writer, b"x")
    loop.run()
    for pair in pipes:
        for fd in pair:
            os.close(fd)
    assert len(ran) == 1


def test_a_descriptor_that_is_closed_need_not_be_taken_out_of_epoll(loop: Loop) -> None:
    ran: list[str] = []
    reader, writer = os.pipe2(os.O_NONBLOCK)
    loop.watch(reader, lambda _events: ran.append("old"))
    loop.unwatch_closing(reader)
    os.close(reader)
    os.close(writer)
    reader, writer = os.pipe2(os.O_NONBLOCK)
    os.write(writer, b"x")
    loop.watch(reader, lambda _events: ran.append("new"))
    loop.turn()
    loop.unwatch_closing(reader)
    os.close(reader)
    os.close(writer)
    loop.turn()
    assert ran == ["new"]


def test_watching_again_replaces_action_and_events(loop: Loop, pipe: tuple[int, int]) -> None:
    _, writer = pipe
    ran: list[str] = []
    loop.watch(writer, lambda _events: ran.append("first"))
    loop.watch(writer, lambda events: (ran.append("second"), loop.unwatch(writer), loop.stop())[0], WRITE)
    loop.run()
    assert ran == ["second"]


def test_the_end_of_a_turn_comes_after_descriptors_and_timers(loop: Loop, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    order: list[str] = []
    loop.each_turn(lambda: order.append("end"))
    loop.watch(reader, lambda _events: (order.append("descriptor"), os.read(reader, 9))[0])
    loop.at(loop.now_ns(), lambda: order.append("timer"))
    os.write(writer, b"x")
    loop.turn(0)
    assert order == ["descriptor", "timer", "end"]


def test_who_wants_hears_of_every_callback_done(loop: Loop, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    order: list[str] = []
    loop.each_action = lambda: order.append("done")
    loop.watch(reader, lambda _events: (order.append("descriptor"), os.read(reader, 9))[0])
    loop.at(loop.now_ns(), lambda: order.append("timer"))
    os.write(writer, b"x")
    loop.turn(0)
    assert order == ["descriptor", "done", "timer", "done"]


def test_what_a_callback_raises_ends_the_run(loop: Loop) -> None:
    def fail() -> None:
        raise RuntimeError("bug")

    loop.after(0, fail)
    with pytest.raises(RuntimeError, match="bug"):
        loop.run()


def test_a_loop_can_run_again_after_it_was_stopped(loop: Loop) -> None:
    for _ in range(3):
        loop.after(0, loop.stop)
        loop.run()


def test_what_was_ready_when_its_descriptor_was_closed_is_not_told_to_the_next_of_that_number(loop: Loop) -> None:
    pipes = [os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) for _ in range(2)]
    told: list[str] = []
    opened: list[int] = []

    def close_the_other(reader: int) -> None:
        told.append("first")
        loop.unwatch(reader)
        os.close(reader)
        opened.extend(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        assert reader in opened, "the lowest free number is given again"
        loop.watch(reader, lambda _events: told.append("stale"))

    for (reader, writer), (other, _) in zip(pipes, reversed(pipes), strict=True):
        os.write(writer, b"x")
        loop.watch(reader, lambda _events, other=other: close_the_other(other))  # type: ignore[misc]
    loop.turn()
    assert told == ["first"]
    for fd in {fd for pair in pipes for fd in pair} | set(opened):
        os.close(fd)


def test_what_arrives_may_gather_but_deadlines_are_kept(loop: Loop) -> None:
    reader, writer = os.pipe()
    read: list[int] = []
    loop.watch(reader, lambda _events: read.append(len(os.read(reader, 100))))
    loop.gather_ns = 200 * MS
    loop.turn(0)  # looks, and from now on not before 200 ms have passed
    os.write(writer, b"a")
    ran_ns: list[int] = []
    due_ns = loop.now_ns() + 20 * MS
    loop.at(due_ns, lambda: ran_ns.append(loop.now_ns()))
    while not ran_ns:
        loop.turn(0)
        os.write(writer, b"b")
    assert ran_ns[0] >= due_ns
    assert len(read) <= 1
    loop.gather_ns = 0
    loop.unwatch(reader)
    os.close(reader)
    os.close(writer)

"""The socket between the checker and a worker: messages of every length, and its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pyhad.checker_proc.workers.worker_line import Line, pair
from pyhad.checker_proc.workers.worker_words import FROM_WORKER, Crashed
from pyhad.common.loop import Loop


class Ends:
    """Two lines that talk to one another."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.heard: list[Any] = []
        self.ended: list[str] = []
        self.sockets = pair()
        one, two = self.sockets
        self.one = Line(self.loop, one, FROM_WORKER, self.heard.append, lambda: self.ended.append("one"))
        self.two = Line(self.loop, two, FROM_WORKER, self.heard.append, lambda: self.ended.append("two"))

    def until(self, messages: int) -> None:
        for _ in range(2000):
            if len(self.heard) >= messages:
                return
            self.loop.turn(0.01)


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.one.close()
    made.two.close()
    made.loop.close()


@pytest.mark.parametrize("length", [0, 59_000, 60_000, 61_000, 119_999, 3_000_000])
def test_a_message_of_any_length_arrives_whole_and_in_its_place(ends: Ends, length: int) -> None:
    said = [Crashed(error="before"), Crashed(error="x" * length), Crashed(error="after")]
    for message in said:
        ends.one.send(message)
    ends.until(3)
    assert (ends.heard, ends.ended) == (said, [])


def test_what_was_said_last_is_heard_before_the_end(ends: Ends) -> None:
    ends.one.send(Crashed(error="good bye"))
    ends.one.close()
    ends.two.send(Crashed(error="to nobody"))
    ends.loop.turn(1)
    ends.loop.turn(0)
    assert (ends.heard, ends.ended) == ([Crashed(error="good bye")], ["two"])


class Poor(socket.socket):
    """The kernel has no memory for it."""

    def send(self, *_: Any) -> int:
        raise OSError(105, "No buffer space available")


def test_what_the_kernel_has_no_memory_for_ends_the_line_in_place_of_losing_a_message() -> None:
    loop, ended = Loop(), []
    one, two = pair()
    poor = Poor(fileno=one.detach())
    line = Line(loop, poor, FROM_WORKER, print, lambda: ended.append("one"))
    line.send(Crashed(error="lost"))
    loop.turn(1)
    assert (ended, line.is_open) == (["one"], False)
    two.close()
    loop.close()

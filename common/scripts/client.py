"""The side of the script helper's master: orders out, answers in, nothing that waits. Decides nothing.

The helper has rights that this process gave up, so it cannot be forked again: when it is gone this process ends, and
its successor, which goes on without anybody noticing, comes with another. Not in the first minute: whatever kills the
helper at once must not kill the virtual routers again and again.
"""

from __future__ import annotations

import collections
import errno
import os
import select
import socket
from collections.abc import Callable
from typing import assert_never

from pyhad.common.codec import encode
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import READ, WRITE, Loop, Timer
from pyhad.common.scripts.orders import (
    ANSWERS,
    MOST_BYTES,
    Answer,
    Ended,
    FifoOpened,
    FileRead,
    Finish,
    Finished,
    LedgerFound,
    Order,
    ProcessesCounted,
    TimedOut,
    Trouble,
)

FINISH_NS = 1_000_000_000
"""How long an orderly stop waits for what is to be told; it goes on without us then."""
YOUNG_NS = 60_000_000_000
_ANSWERS_PER_TURN = 64
_MOST_WAITING = 100_000


class Scripts:
    """Sends orders. Set the `on_…` before anything is sent."""

    def __init__(self, channel: socket.socket, loop: Loop, logger: FilteringBoundLogger) -> None:
        self.on_ended: Callable[[Ended], None] = lambda answer: None
        self.on_timed_out: Callable[[TimedOut], None] = lambda answer: None
        self.on_file: Callable[[FileRead], None] = lambda answer: None
        self.on_processes: Callable[[ProcessesCounted], None] = lambda answer: None
        self.on_ledger: Callable[[int], None] = lambda descriptor: None
        self.on_fifo: Callable[[FifoOpened, int], None] = lambda answer, descriptor: None
        self._channel = channel
        self._loop = loop
        self._logger = logger
        self._waiting: collections.deque[tuple[bytes, int]] = collections.deque()
        self._stuck = False
        self._born_ns = loop.now_ns()
        self.is_lost = False
        self._then: Callable[[], None] | None = None
        self._timer: Timer | None = None
        loop.watch(channel.fileno(), self._ready)

    def send(self, order: Order, descriptor: int = -1) -> None:
        """Now, or when there is room. `descriptor` goes along; it stays the caller's."""
        if self.is_lost:
            return
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append((encode(order), os.dup(descriptor) if descriptor >= 0 else -1))
        self._flush()

    def finish(self, then: Callable[[], None]) -> None:
        """Run `then` once everything that was to be told has been, or after a second."""
        self._then = then
        self._timer = self._loop.after(FINISH_NS, self._finished)
        self.send(Finish())
        if self.is_lost:
            self._finished()

    def wait(self, enough: Callable[[], bool], most_ns: int) -> None:
        """At the start only, while nothing depends on the loop yet: take answers in until `enough()`."""
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        end_ns = self._loop.now_ns() + most_ns
        while not self.is_lost and not enough() and (left_ns := end_ns - self._loop.now_ns()) > 0:
            if poll.poll(left_ns // 1_000_000 + 1):
                self._ready(READ)

    def _flush(self) -> None:
        while self._waiting:
            frame, descriptor = self._waiting[0]
            try:
                socket.send_fds(self._channel, [frame], [descriptor] if descriptor >= 0 else [])
            except BlockingIOError:
                self._stuck = True
                self._loop.watch(self._channel.fileno(), self._ready, READ | WRITE)
                return
            except OSError:
                self._lost()
                return
            self._waiting.popleft()
            if descriptor >= 0:
                os.close(descriptor)
        if self._stuck:
            self._stuck = False
            self._loop.watch(self._channel.fileno(), self._ready, READ)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        for _ in range(_ANSWERS_PER_TURN):
            try:
                frame, descriptors, _, _ = socket.recv_fds(self._channel, MOST_BYTES, 1)
            except BlockingIOError:
                return
            except OSError:
                frame, descriptors = b"", []
            if not frame:
                self._lost()
                return
            self._take(ANSWERS.decode(frame), descriptors)

    def _take(self, answer: Answer, descriptors: list[int]) -> None:
        descriptor = descriptors[0] if descriptors else -1
        match answer:
            case Ended():
                self.on_ended(answer)
            case TimedOut():
                self.on_timed_out(answer)
            case FileRead():
                self.on_file(answer)
            case ProcessesCounted():
                self.on_processes(answer)
            case FifoOpened():
                self.on_fifo(answer, descriptor)
                descriptor = -1
            case LedgerFound():
                self.on_ledger(descriptor)
            case Trouble():
                self._logger.warning(answer.event, path=answer.path, detail=answer.detail)
            case Finished():
                self._finished()
            case _:
                assert_never(answer)
        if descriptor >= 0:
            os.close(descriptor)

    def _finished(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _lost(self) -> None:
        self._loop.unwatch(self._channel.fileno())
        for _, descriptor in self._waiting:
            if descriptor >= 0:
                os.close(descriptor)
        self._waiting.clear()
        self.is_lost = True
        if self._then is not None:
            self._finished()
            return
        if self._loop.now_ns() - self._born_ns > YOUNG_NS:
            raise KernelError("script helper", errno.EPIPE)
        self._logger.error("script_helper_lost", detail="no script runs any more; what they found last stays")

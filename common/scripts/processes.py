"""Processes as the script helper follows them: the kernel's news, /proc where those do not suffice. Weighs nothing.

It is the helper's work so that no number of processes reaches the VRRP loop. The work has bounds: so many news and so
many looks in a twentieth of a second. What is born and gone between two of them is never looked at; what does not fit
is left in the socket until the kernel drops it, and then the whole /proc is looked through, at most once a second.
Where the kernel tells nothing (no CONFIG_PROC_EVENTS, a container, no right) /proc is looked through each second.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

from pyhad.common.errors import KernelError
from pyhad.common.loop import Loop
from pyhad.common.scripts import process_events as news
from pyhad.common.scripts.census import Census, Description
from pyhad.common.scripts.orders import Answer, FollowProcesses, ProcessesCounted, Trouble

WINDOW_NS = 50_000_000
NEWS_PER_WINDOW = 1000
BUSY = 100
"""After so many in one window the rest is left to gather until its end: waking is what costs."""
LOOKS_PER_WINDOW = 200
SLICE = 250
"""Processes looked at in a row when the whole machine is: a few milliseconds."""
LOOK_EACH_NS = 1_000_000_000
"""Least time between two looks through /proc."""
CONFIRM_NS = 1_000_000_000
COMPLAIN_EACH_NS = 60_000_000_000
_MOST_WAITING = 4000
_MOST_BYTES = 32768
_DEAD = (b"Z", b"X", b"x")


class HelperProcesses:
    """Follows the processes of the last `FollowProcesses`."""

    def __init__(self, loop: Loop, answer: Callable[[Answer], None]) -> None:
        self._loop = loop
        self._answer = answer
        self._order = FollowProcesses(processes=())
        self._census = Census(())
        self._events: socket.socket | None = None
        self._confirmed = False
        self._waiting: dict[int, None] = {}
        """Processes to look at; one that ends before its turn is not."""
        self._left = NEWS_PER_WINDOW
        self._window_ns = 0
        self._generation = 0
        self._due: set[str] = set()
        """Which of the three (`look`, `census`, `say`) has its timer running."""
        self._said: dict[str, int] = {}
        self._is_complete = False
        """All of /proc was looked through since the processes were named: before that no count is true."""
        self._said_ns = self._census_ns = 0
        self._complained_ns = -COMPLAIN_EACH_NS

    def follow(self, order: FollowProcesses) -> None:
        """Another set of processes; they are counted afresh."""
        had = self._order
        self._order, self._census = order, Census(order.processes)
        self._generation += 1
        self._waiting.clear()
        self._due.clear()
        self._said, self._is_complete = {}, False
        if self._events is not None and (not order.processes or had.watch != order.watch):
            self._close()
        if not order.processes:
            return
        if self._events is None:
            self._open()
        self._look_through()

    # ------------------------------------------------------------------------------------------ news

    def _open(self) -> None:
        watch = self._order.watch
        try:
            self._events = news.open_events(watch.size_bytes, beyond_limit=watch.beyond_limit)
        except KernelError as error:
            self._without_news(str(error))
            return
        self._confirmed = False
        self._loop.watch(self._events.fileno(), self._read)
        self._loop.after(CONFIRM_NS, self._confirm)

    def _confirm(self) -> None:
        if self._events is not None and not self._confirmed:
            self._close()
            self._without_news("the kernel does not answer: CONFIG_PROC_EVENTS is missing, or this is a container")

    def _without_news(self, why: str) -> None:
        self._answer(
            Trouble(event="process_events_unavailable", path="", detail=f"{why}; /proc is read each second instead")
        )  # fmt: skip
        self._look_through_later()

    def _close(self) -> None:
        if self._events is not None:
            self._loop.unwatch(self._events.fileno())
            self._events.close()
            self._events = None

    def _read(self, _events: int = 0) -> None:
        now_ns = self._loop.now_ns()
        if now_ns - self._window_ns >= WINDOW_NS:
            self._window_ns, self._left = now_ns, NEWS_PER_WINDOW
        while self._events is not None:
            if not self._left:
                self._pause(now_ns)
                return
            self._left -= 1
            try:
                self._take(news.read(self._events))
            except BlockingIOError:
                if NEWS_PER_WINDOW - self._left >= BUSY:
                    self._pause(now_ns)
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    self._close()
                    self._without_news(os.strerror(error.errno or errno.EIO))
                    return
                self._lost()

    def _pause(self, now_ns: int) -> None:
        """Enough for this while."""
        paused = self._events
        if paused is None:
            return

        def resume() -> None:
            if self._events is paused:
                self._loop.watch(paused.fileno(), self._read)

        self._loop.unwatch(paused.fileno())
        self._loop.at(max(self._window_ns + WINDOW_NS, now_ns), resume)

    def _lost(self) -> None:
        now_ns = self._loop.now_ns()
        if now_ns - self._complained_ns >= COMPLAIN_EACH_NS:
            self._complained_ns = now_ns
            self._answer(
                Trouble(
                    event="process_events_lost", path="",
                    detail="more processes came and went than fit the buffer (process_monitor_rcv_bufs): /proc is read",
                )
            )  # fmt: skip
        self._look_through_later()

    def _take(self, found: news.News | None) -> None:
        match found:
            case news.Born(parent, child):
                if self._census.is_known(parent):
                    self._census.born(parent, child)
                    self._say_soon()
            case news.Gone(pid):
                self._waiting.pop(pid, None)
                if self._census.is_known(pid):
                    self._census.ended(pid)
                    self._say_soon()
            case news.Renamed(pid):
                self._waiting[pid] = None
                self._once("look", self._loop.now_ns() + WINDOW_NS // 2, self._look_at_waiting)
            case news.Confirmed():
                self._confirmed = True
            case None:
                pass

    # ----------------------------------------------------------------------------------------- looking

    def _look_at_waiting(self) -> None:
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.clear()
            self._lost()
            return
        for pid in list(self._waiting)[:LOOKS_PER_WINDOW]:
            del self._waiting[pid]
            self._look_at(pid)
        self._say_soon()
        if self._waiting:
            self._once("look", self._loop.now_ns() + WINDOW_NS, self._look_at_waiting)

    def _look_at(self, pid: int) -> None:
        self._census.looked(pid, describe(pid, with_command_line=self._census.needs_command_lines))

    def _look_through(self) -> None:
        """All of /proc, in slices."""
        self._census_ns = self._loop.now_ns()
        self._census.begin_look()
        try:
            names = os.listdir("/proc")
        except OSError as error:
            self._answer(Trouble(event="processes_not_read", path="/proc", detail=error.strerror or ""))
            names = []
        self._look_on([int(name) for name in names if name.isdigit()], 0, self._generation)

    def _look_on(self, pids: list[int], start: int, generation: int) -> None:
        if generation != self._generation:
            return
        for pid in pids[start : start + SLICE]:
            self._look_at(pid)
        if start + SLICE < len(pids):
            self._loop.after(0, lambda: self._look_on(pids, start + SLICE, generation))
            return
        self._census.end_look()
        self._is_complete = True
        self._say_soon()
        if self._events is None and self._order.processes:
            self._look_through_later()

    def _look_through_later(self) -> None:
        self._once("census", max(self._loop.now_ns(), self._census_ns + LOOK_EACH_NS), self._look_through)

    # ------------------------------------------------------------------------------------------ telling

    def _say_soon(self) -> None:
        if self._is_complete and self._census.counts != self._said:
            self._once("say", max(self._loop.now_ns(), self._said_ns + WINDOW_NS), self._say)

    def _say(self) -> None:
        counts = self._census.counts
        if counts != self._said:
            self._said, self._said_ns = counts, self._loop.now_ns()
            self._answer(ProcessesCounted(counts=counts))

    def _once(self, what: str, at_ns: int, action: Callable[[], None]) -> None:
        """Have `action` run then, unless it is going to already."""
        if what in self._due:
            return
        self._due.add(what)
        generation = self._generation

        def due() -> None:
            if generation == self._generation:
                self._due.discard(what)
                action()

        self._loop.at(at_ns, due)


def describe(pid: int, *, with_command_line: bool) -> Description | None:
    """The process as /proc has it; None when nothing lives there."""
    stat = _read(f"/proc/{pid}/stat")
    begin, end = stat.find(b"(") + 1, stat.rfind(b")")
    if not 0 < begin <= end or stat[end + 2 : end + 3] in _DEAD:
        return None
    argv: tuple[str, ...] = ()
    if with_command_line:
        words = _read(f"/proc/{pid}/cmdline").split(b"\0")
        argv = tuple(os.fsdecode(word) for word in words[: -1 if words[-1] == b"" else None])
    return Description(os.fsdecode(stat[begin:end]), argv)


def _read(path: str) -> bytes:
    """Beginning of the file, empty when it is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, _MOST_BYTES)
    except OSError:
        return b""
    finally:
        os.close(fd)

"""Interfaces whose carrier is asked for once a second instead of taken from netlink (FSM-49). Decides nothing.

A thread asks, because a driver may take its time, and does nothing else: it writes what it was told into a pipe that
the loop reads. Both sides share no object that changes. A thread that hangs in a driver is given up for a new one
with the next configuration; meanwhile netlink's word counts again.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable

from pyhad.common.config.model.lookout import LinkPoll, PollMethod
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.kernel.carrier import ask, first_that_works
from pyhad.vrrp_proc.kernel.links import Changes, Links

POLL_S = 1.0
PATIENCE_NS = 5_000_000_000
FIRST_WAIT_S = 0.02
"""A driver that answers by then is heard before a router looks: a successor must not begin with netlink's word."""
_REPORT = struct.Struct("=ib")  # index of the interface; 1 carrier, 0 none, -1 cannot be asked
_REPORTS_AT_ONCE = 512  # 2560 bytes: a pipe takes up to 4096 whole
_READ_BYTES = 65535  # whole reports
_STACK_BYTES = 256 * 1024  # memory that does not swap is counted whole


class LinkBeat:
    """All polled interfaces of the process. `on_change(changes)` runs when one of them counts otherwise."""

    def __init__(
        self, loop: Loop, logger: FilteringBoundLogger, links: Links, on_change: Callable[[Changes], None]
    ) -> None:
        self._loop = loop
        self._logger = logger
        self._links = links
        self._on_change = on_change
        self._polls: dict[str, PollMethod] = {}
        self._descriptor = -1
        self._heard_ns = 0
        self._complaints: set[str] = set()
        self._watching = False

    def configure(self, polls: tuple[LinkPoll, ...]) -> Changes:
        """As of the last (re)load. Returns what counts otherwise now."""
        wanted = {poll.interface: poll.method for poll in polls}
        changes = Changes()
        if wanted == self._polls:
            return changes
        self.close()
        for name in self._polls.keys() - wanted.keys():
            self._set(name, None, changes)
        self._polls = wanted
        self._complaints &= wanted.keys()
        if wanted:
            self._begin()
            if select.select([self._descriptor], [], [], FIRST_WAIT_S)[0]:
                self._take(changes)
        return changes

    def close(self) -> None:
        """The thread ends by itself: it finds nobody at the other end of its pipe."""
        if self._descriptor >= 0:
            self._loop.unwatch(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _begin(self) -> None:
        self._descriptor, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._loop.watch(self._descriptor, self._read)
        self._heard_ns = self._loop.now_ns()
        former = threading.stack_size(_STACK_BYTES)
        try:
            threading.Thread(target=_poll, args=(theirs, tuple(self._polls.items())), daemon=True).start()
        finally:
            threading.stack_size(former)
        if not self._watching:
            self._watching = True
            self._loop.every(PATIENCE_NS, self._look_for_silence)

    def _read(self, _events: int = 0) -> None:
        changes = Changes()
        self._take(changes)
        if changes:
            self._on_change(changes)

    def _take(self, changes: Changes) -> None:
        try:
            reports = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not reports:  # the thread is gone: no more than netlink's word
            self.close()
            return
        self._heard_ns = self._loop.now_ns()
        self._complaints.discard("")
        for index, state in _REPORT.iter_unpack(reports):
            interface = self._links.by_index.get(index)
            if interface is not None and interface.name in self._polls:
                self._complain(interface.name, state)
                self._set(interface.name, None if state < 0 else bool(state), changes)

    def _set(self, name: str, carrier: bool | None, changes: Changes) -> None:
        interface = self._links.by_name.get(name)
        if interface is None:
            return
        before = interface.is_usable
        interface.polled = carrier
        if interface.is_usable != before:
            changes.links.add(name)
            if interface.is_usable:
                changes.carried.add(name)

    def _complain(self, name: str, state: int) -> None:
        """Once, until it answers again."""
        if state >= 0:
            self._complaints.discard(name)
        elif name not in self._complaints:
            self._complaints.add(name)
            self._logger.warning(
                "linkbeat_without_answer", interface=name, method=self._polls[name].value,
                remedy="the driver cannot be asked so: netlink's word counts instead; name another method",
            )  # fmt: skip

    def _look_for_silence(self) -> None:
        """Not after a pause of our own: what waits is read first."""
        if self._descriptor >= 0:
            self._read()
        if self._descriptor < 0 and not any(one.polled is not None for one in self._links.by_index.values()):
            return
        if self._descriptor >= 0 and self._loop.now_ns() - self._heard_ns < PATIENCE_NS:
            return
        changes = Changes()
        for name in self._polls:
            self._set(name, None, changes)
        if "" not in self._complaints:
            self._complaints.add("")
            self._logger.error("linkbeat_silent", remedy="a driver does not return: netlink's word counts meanwhile")
        if changes:
            self._on_change(changes)


def _poll(pipe: int, polls: tuple[tuple[str, PollMethod], ...]) -> None:
    """The thread: until nobody reads any more. Touches nothing but its own arguments, the pipe and the kernel."""
    found: dict[str, PollMethod] = {}
    gone = select.poll()
    gone.register(pipe, 0)  # reports the end of the reader, and nothing else
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        while True:
            reports = b"".join(_report(sock.fileno(), name, method, found) for name, method in polls)
            size = _REPORTS_AT_ONCE * _REPORT.size
            with contextlib.suppress(BlockingIOError):  # a loop that is late gets fresher news in a second
                for start in range(0, len(reports), size):
                    try:
                        os.write(pipe, reports[start : start + size])
                    except BrokenPipeError:
                        os.close(pipe)
                        return
            if gone.poll(POLL_S * 1000):
                os.close(pipe)
                return


def _report(descriptor: int, name: str, method: PollMethod, found: dict[str, PollMethod]) -> bytes:
    """Nothing of an interface that is not there. `found` keeps what worked last where any method will do."""
    try:
        index = socket.if_nametoindex(name)
    except OSError:
        found.pop(name, None)
        return b""
    answer = ask(descriptor, name, found.get(name, method))
    if answer is None and method is PollMethod.ANY:
        found[name], answer = first_that_works(descriptor, name)
    return _REPORT.pack(index, -1 if answer is None else int(answer))

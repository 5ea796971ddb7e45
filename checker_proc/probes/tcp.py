"""TCP_CHECK: one non-blocking connect (CHK-30). Sends nothing, reads nothing.

Probes of all kinds start from timers, which run after all ready descriptors of a turn: so an event already on its way
for a descriptor that was just closed can never be taken for one of the next probe that gets its number.
"""

from __future__ import annotations

import socket

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.probe import Owner
from pyhad.checker_proc.probes.sockets import begin_connect, error_of, failure_of
from pyhad.common.config.model import Target
from pyhad.common.loop import WRITE, Loop


class TcpProbe:
    """One connect under way. It holds one descriptor until it is done."""

    __slots__ = ("_loop", "_owner", "_socket", "_started_ns", "expires_ns", "is_done")

    def __init__(self, loop: Loop, owner: Owner, sock: socket.socket, started_ns: int) -> None:
        self._loop = loop
        self._owner = owner
        self._socket = sock
        self._started_ns = started_ns
        self.expires_ns = 0
        self.is_done = False
        loop.watch(sock.fileno(), self._ready, WRITE)

    def expire(self) -> None:
        """No answer in time."""
        self.cancel()
        self._owner.take(ProbeFailed(reason=Reason.TIMEOUT, latency_ns=self._loop.now_ns() - self._started_ns))

    def cancel(self) -> None:
        """Close it, whatever it was doing."""
        if not self.is_done:
            self.is_done = True
            self._loop.unwatch_closing(self._socket.fileno())
            self._socket.close()

    def _ready(self, events: int) -> None:
        number = error_of(self._socket, events)
        self.cancel()
        latency_ns = self._loop.now_ns() - self._started_ns
        self._owner.take(failure_of(number, latency_ns) if number else ProbeSucceeded(latency_ns=latency_ns))


def start(
    loop: Loop, deadlines: Deadlines, target: Target, owner: Owner, now_ns: int
) -> TcpProbe | ProbeFailed | ProbeImpossible:
    """Begin to connect; the owner hears of it within `connect_timeout_ns`. A result instead of a probe is the end."""
    sock = begin_connect(target, is_brief=True)
    if not isinstance(sock, socket.socket):
        return sock
    probe = TcpProbe(loop, owner, sock, now_ns)
    deadlines.add(probe, target.connect_timeout_ns, now_ns)
    return probe

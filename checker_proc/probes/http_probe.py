"""HTTP_GET: one connection, one exchange over it (CHK-20 to CHK-25). What the bytes mean is the exchange's.

Two deadlines of connect_timeout each: to be connected, and from then on to have the whole response.
"""

from __future__ import annotations

import socket

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.exchange import Exchange
from pyhad.checker_proc.probes.probe import Owner
from pyhad.checker_proc.probes.sockets import begin_connect, error_of, failure_of
from pyhad.common.config.model import Target
from pyhad.common.loop import READ, WRITE, Loop

READ_BYTES = 16 * 1024
"""At once, and a record of TLS. Others wait while they are read: for hostile ones some 10 ms."""


class HttpProbe:
    """One exchange under way. It holds one descriptor until it is done."""

    __slots__ = (
        "_deadlines", "_exchange", "_is_connected", "_loop", "_owner", "_socket", "_started_ns", "_timeout_ns",
        "_unsent", "expires_ns", "is_done",
    )  # fmt: skip

    def __init__(self, loop: Loop, deadlines: Deadlines, owner: Owner, sock: socket.socket, exchange: Exchange) -> None:
        self._loop = loop
        self._deadlines = deadlines
        self._owner = owner
        self._socket = sock
        self._exchange = exchange
        self._unsent = exchange.to_send()
        self._is_connected = False
        self._started_ns = 0
        self._timeout_ns = 0
        self.expires_ns = 0
        self.is_done = False

    def begin(self, now_ns: int, timeout_ns: int) -> None:
        """Wait for the connection."""
        self._started_ns = now_ns
        self._timeout_ns = timeout_ns
        self._loop.watch(self._socket.fileno(), self._writable, WRITE)
        self._deadlines.add(self, timeout_ns, now_ns)

    def expire(self) -> None:
        """Not connected, or no whole response, in time."""
        self._finish(ProbeFailed(reason=Reason.TIMEOUT, latency_ns=self._loop.now_ns() - self._started_ns))

    def cancel(self) -> None:
        """Close it, whatever it was doing."""
        if not self.is_done:
            self.is_done = True
            self._loop.unwatch_closing(self._socket.fileno())
            self._socket.close()

    def _finish(self, result: Result) -> None:
        self.cancel()
        self._owner.take(result)

    def _fail(self, number: int) -> None:
        self._finish(failure_of(number, self._loop.now_ns() - self._started_ns))

    def _connected(self, events: int) -> bool:
        """The connection is there, or failed; in the first case the next step has its own deadline."""
        number = error_of(self._socket, events)
        if number:
            self._fail(number)
            return False
        self._is_connected = True
        self._deadlines.add(self, self._timeout_ns, self._loop.now_ns())
        return True

    def _writable(self, events: int) -> None:
        if not (self._is_connected or self._connected(events)):
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error.errno or 0)
            return
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._loop.watch(self._socket.fileno(), self._readable, READ)

    def _readable(self, _events: int) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error.errno or 0)
            return
        exchange = self._exchange
        if not data:
            exchange.end()
        elif not exchange.feed(data):
            self._unsent = exchange.to_send()
            if self._unsent:
                self._loop.watch(self._socket.fileno(), self._writable, WRITE)
            return
        self._conclude()

    def _conclude(self) -> None:
        """The response is whole, or all there will be: judge it."""
        latency_ns = self._loop.now_ns() - self._started_ns
        reason = self._exchange.verdict()
        if reason is None:
            self._finish(self._success(latency_ns))
        else:
            self._finish(ProbeFailed(reason=reason, latency_ns=latency_ns, detail=self._exchange.detail(reason)))

    def _success(self, latency_ns: int) -> ProbeSucceeded:
        return ProbeSucceeded(latency_ns=latency_ns, remark=self._exchange.remark)


def start(
    loop: Loop, deadlines: Deadlines, target: Target, exchange: Exchange, owner: Owner, now_ns: int
) -> HttpProbe | ProbeFailed | ProbeImpossible:
    """Begin to connect and ask. A result instead of a probe is the end."""
    sock = begin_connect(target)
    if not isinstance(sock, socket.socket):
        return sock
    probe = HttpProbe(loop, deadlines, owner, sock, exchange)
    probe.begin(now_ns, target.connect_timeout_ns)
    return probe

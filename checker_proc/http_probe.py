"""HTTP_GET: one connection, one request, one response (CHK-20 to CHK-25). What the bytes mean is `core.http`'s.

Two deadlines of connect_timeout each: to be connected, and from then on to have the whole response.
"""

from __future__ import annotations

import socket

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.http import ResponseReader, judge
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.deadlines import Deadlines
from pyhad.checker_proc.probe import Owner
from pyhad.checker_proc.sockets import begin_connect, failure_of
from pyhad.common.config.model import HttpUrl, Target
from pyhad.common.loop import READ, WRITE, Loop
from pyhad.common.pcre import pattern_of

READ_BYTES = 64 * 1024


class HttpProbe:
    """One request under way. It holds one descriptor until it is done."""

    __slots__ = (
        "_deadlines", "_is_connected", "_loop", "_owner", "_reader", "_socket", "_started_ns", "_timeout_ns", "_unsent",
        "_url", "expires_ns", "is_done",
    )  # fmt: skip

    def __init__(
        self, loop: Loop, deadlines: Deadlines, owner: Owner, sock: socket.socket, request: bytes, url: HttpUrl
    ) -> None:
        self._loop = loop
        self._deadlines = deadlines
        self._owner = owner
        self._socket = sock
        self._unsent = request
        self._url = url
        self._reader = ResponseReader(wants_digest=bool(url.digest), wants_body=url.regex is not None)
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
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()

    def _finish(self, result: Result) -> None:
        self.cancel()
        self._owner.take(result)

    def _fail(self, number: int) -> None:
        self._finish(failure_of(number, self._loop.now_ns() - self._started_ns))

    def _connected(self) -> bool:
        """The connection is there, or failed; in the first case the next step has its own deadline."""
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._fail(number)
            return False
        self._is_connected = True
        self._deadlines.add(self, self._timeout_ns, self._loop.now_ns())
        return True

    def _writable(self, _events: int) -> None:
        if not (self._is_connected or self._connected()):
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
        reader = self._reader
        if data:
            if not reader.feed(data):
                return
        else:
            reader.end()
        self._conclude()

    def _conclude(self) -> None:
        """The response is whole, or all there will be: judge it."""
        latency_ns = self._loop.now_ns() - self._started_ns
        regex = self._url.regex
        reason = judge(self._url, self._reader, pattern_of(regex).search if regex is not None else None)
        if reason is None:
            self._finish(ProbeSucceeded(latency_ns=latency_ns, remark=self._reader.remark))
        else:
            self._finish(ProbeFailed(reason=reason, latency_ns=latency_ns))


def start(
    loop: Loop, deadlines: Deadlines, target: Target, request: bytes, url: HttpUrl, owner: Owner, now_ns: int
) -> HttpProbe | ProbeFailed | ProbeImpossible:
    """Begin to connect and ask. A result instead of a probe is the end."""
    sock = begin_connect(target)
    if not isinstance(sock, socket.socket):
        return sock
    probe = HttpProbe(loop, deadlines, owner, sock, request, url)
    probe.begin(now_ns, target.connect_timeout_ns)
    return probe

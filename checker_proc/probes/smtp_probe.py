"""SMTP_CHECK: one connection, one short dialogue (CHK-40). What is said and heard is `core.smtp`'s.

A deadline of connect_timeout each: to be connected, and for each of the three replies.
"""

from __future__ import annotations

import socket

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.smtp import SmtpDialogue, Step
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.probe import Owner
from pyhad.checker_proc.probes.sockets import begin_connect, failure_of
from pyhad.common.config.model import SmtpCheck
from pyhad.common.loop import READ, WRITE, Loop

READ_BYTES = 4096


class SmtpProbe:
    """One dialogue under way. It holds one descriptor until it is done."""

    __slots__ = ("_deadlines", "_dialogue", "_loop", "_owner", "_socket", "_started_ns", "_timeout_ns", "_unsent",
                 "expires_ns", "is_done")  # fmt: skip

    def __init__(
        self, loop: Loop, deadlines: Deadlines, owner: Owner, sock: socket.socket, check: SmtpCheck, now_ns: int
    ) -> None:
        self._loop = loop
        self._deadlines = deadlines
        self._owner = owner
        self._socket = sock
        self._dialogue = SmtpDialogue(check.helo_name)
        self._unsent = b""
        self._started_ns = now_ns
        self._timeout_ns = check.target.connect_timeout_ns
        self.expires_ns = 0
        self.is_done = False
        loop.watch(sock.fileno(), self._connected, WRITE)
        deadlines.add(self, self._timeout_ns, now_ns)

    def expire(self) -> None:
        """Not connected, or no whole reply, in time."""
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

    def _connected(self, _events: int) -> None:
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._fail(number)
            return
        self._await_reply()

    def _await_reply(self) -> None:
        self._deadlines.add(self, self._timeout_ns, self._loop.now_ns())
        self._loop.watch(self._socket.fileno(), self._readable, READ)

    def _readable(self, _events: int) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if self._dialogue.step is not Step.QUIT:
                self._fail(error.errno or 0)
                return
            data = b""  # said all we wanted to hear, and hung up rudely
        dialogue = self._dialogue
        if data:
            self._unsent = dialogue.feed(data)
        else:
            dialogue.end()
        if dialogue.is_done:
            latency_ns = self._loop.now_ns() - self._started_ns
            if dialogue.problem is None:
                self._finish(ProbeSucceeded(latency_ns=latency_ns))
            else:
                self._finish(ProbeFailed(reason=dialogue.problem, latency_ns=latency_ns, detail=dialogue.detail))
        elif self._unsent:
            self._writable(0)

    def _writable(self, _events: int) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(error.errno or 0)
            return
        if self._unsent:
            self._loop.watch(self._socket.fileno(), self._writable, WRITE)
        else:
            self._await_reply()


def start(
    loop: Loop, deadlines: Deadlines, check: SmtpCheck, owner: Owner, now_ns: int
) -> SmtpProbe | ProbeFailed | ProbeImpossible:
    """Begin to connect. A result instead of a probe is the end."""
    sock = begin_connect(check.target)
    if not isinstance(sock, socket.socket):
        return sock
    return SmtpProbe(loop, deadlines, owner, sock, check, now_ns)

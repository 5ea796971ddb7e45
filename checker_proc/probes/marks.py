"""Probes with a mark: their socket goes to the helper that sets it, and comes into use when that has answered.

Nothing waits for the helper but these probes themselves. When it is gone this process ends, as for the scripts' helper:
its successor, which goes on without anybody noticing, comes with another.
"""

from __future__ import annotations

import collections
import signal
import socket
from collections.abc import Callable
from dataclasses import replace

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.marks import ANSWER, WISH
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.mark_helper import MarkTools
from pyhad.checker_proc.probes.probe import Owner, Probe
from pyhad.checker_proc.probes.sockets import DATAGRAM, STREAM, MarkedTarget
from pyhad.common.config.model import Check, DnsCheck, GrpcCheck, HttpCheck, SmtpCheck, Target, TcpCheck, UdpCheck
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop

WAIT_NS = 1_000_000_000
"""For an answer. The helper takes some 50 us."""
PATIENCE = 3
"""So many waits in vain, one after the other, and it is taken for hung. Those of one moment are one."""
YOUNG_NS = 60_000_000_000
"""In so young a process what ended the helper may end the next one, too."""
_AT_ONCE = 64

Marked = TcpCheck | HttpCheck | GrpcCheck | SmtpCheck | DnsCheck | UdpCheck
Go = Callable[[Marked], Probe | Result]


def needs_mark(check: Check) -> bool:
    """Its probes begin with a socket that has a mark. Pings have one of their own."""
    return isinstance(check, Marked) and check.target.fwmark != 0


class Marks:
    """`tools.channel`: None where there is no helper, then no mark can be set. `on_lost`: it is time to end."""

    def __init__(self, tools: MarkTools, loop: Loop, logger: FilteringBoundLogger, on_lost: Callable[[], None]) -> None:
        self._channel = tools.channel
        self._pidfd = tools.pidfd
        self._loop = loop
        self._logger = logger
        self._on_lost = on_lost
        self._deadlines = Deadlines(loop)
        self._born_ns = loop.now_ns()
        self._number = 0
        self._waiting: collections.deque[_Marking] = collections.deque()
        self._sent: dict[int, _Marking] = {}
        self._in_vain = 0
        self._counted_ns = self._born_ns
        if self._channel is not None:
            loop.watch(self._channel.fileno(), self._hear)

    def start(self, check: Marked, owner: Owner, now_ns: int, go: Go) -> Probe | Result:
        """As `Prober.start`: have its socket marked, then `go` with the check that has it."""
        if self._channel is None:
            return ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED)
        kind = DATAGRAM if isinstance(check, DnsCheck | UdpCheck) else STREAM
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in check.target.address else socket.AF_INET, kind)
        except OSError:
            return ProbeImpossible(reason=Reason.NO_RESOURCES)
        marking = _Marking(check, sock, owner, go, self._give_up)
        self._deadlines.add(marking, WAIT_NS, now_ns)
        self._waiting.append(marking)
        self._send()
        return marking

    def _send(self) -> None:
        while self._channel is not None and self._waiting and len(self._sent) < _AT_ONCE:
            marking = self._waiting.popleft()
            if marking.is_done:
                continue
            self._number += 1
            wish = WISH.pack(self._number, marking.check.target.fwmark)
            try:
                socket.send_fds(self._channel, [wish], [marking.sock.fileno()])
            except BlockingIOError:
                self._waiting.appendleft(marking)  # its answers make room
                return
            except OSError:
                self._waiting.appendleft(marking)
                self._lost()
                return
            self._sent[self._number] = marking

    def _hear(self, _events: int) -> None:
        while self._channel is not None:
            try:
                frame = self._channel.recv(ANSWER.size + 1)
            except BlockingIOError:
                break
            except OSError:
                frame = b""
            if len(frame) != ANSWER.size:
                self._lost()
                return
            number, problem = ANSWER.unpack(frame)
            marking = self._sent.pop(number, None)
            self._in_vain = 0
            if marking is not None:
                marking.answered(problem)
        self._send()

    def _give_up(self) -> None:
        """An answer did not come."""
        now_ns = self._loop.now_ns()
        if now_ns - self._counted_ns < WAIT_NS:
            return
        self._counted_ns = now_ns
        self._in_vain += 1
        if self._in_vain >= PATIENCE and self._channel is not None:
            self._logger.error("mark_helper_hung", waits=self._in_vain)
            try:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)  # the end of its socket tells us the rest
            except ProcessLookupError:
                pass

    def _lost(self) -> None:
        assert self._channel is not None
        self._loop.unwatch(self._channel.fileno())
        self._channel.close()
        self._channel = None
        self._logger.error("mark_helper_lost")
        for marking in [*self._sent.values(), *self._waiting]:
            self._loop.after(0, marking.expire)
        self._sent.clear()
        self._waiting.clear()
        self._loop.at(max(self._loop.now_ns(), self._born_ns + YOUNG_NS), self._on_lost)


class _Marking:
    """A probe whose socket is being marked, and then that probe."""

    __slots__ = ("_go", "_on_silence", "_owner", "_probe", "check", "expires_ns", "is_done", "sock")

    def __init__(
        self, check: Marked, sock: socket.socket, owner: Owner, go: Go, on_silence: Callable[[], None]
    ) -> None:
        self.check = check
        self.sock = sock
        self._owner = owner
        self._go = go
        self._on_silence = on_silence
        self._probe: Probe | None = None
        self.expires_ns = 0
        self.is_done = False
        """Of the marking; the probe itself may go on."""

    def answered(self, problem: int) -> None:
        """The helper has spoken."""
        if self.is_done:
            return
        self.is_done = True
        if problem:
            self.sock.close()
            self._owner.take(ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED))
            return
        target = self.check.target
        marked = MarkedTarget(**{name: getattr(target, name) for name in Target.__slots__}, opened=self.sock)
        started = self._go(replace(self.check, target=marked))
        if isinstance(started, ProbeSucceeded | ProbeFailed | ProbeImpossible):
            self.sock.close()  # nobody else did where it did not come to a probe
            self._owner.take(started)
        else:
            self._probe = started

    def expire(self) -> None:
        """No answer in time: the helper hangs or is gone."""
        if self.is_done:
            return
        self.cancel()
        self._on_silence()
        self._owner.take(ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED))

    def cancel(self) -> None:
        """Whichever of both it is."""
        if not self.is_done:
            self.is_done = True
            self.sock.close()
        elif self._probe is not None:
            self._probe.cancel()

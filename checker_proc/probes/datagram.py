"""UDP_CHECK and DNS_CHECK: one datagram out, and what comes back until it decides. What it means is the cores'.

The socket is connected, so only the server's own datagrams and the ICMP errors about ours arrive.
"""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable

from pyhad.checker_proc.core import dns, udp
from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.probe import Owner
from pyhad.checker_proc.probes.sockets import DATAGRAM, begin_connect, failure_of
from pyhad.common.config.model import DnsCheck, Target, UdpCheck
from pyhad.common.loop import Loop

DATAGRAM_MAX = 65_535
_RANDOM_BYTES = 16

Judge = Callable[[bytes], Reason | None]


class DatagramProbe:
    """One question under way. It holds one descriptor until it is done."""

    __slots__ = ("_in_silence", "_judge", "_loop", "_owner", "_socket", "_started_ns", "expires_ns", "is_done")

    def __init__(
        self, loop: Loop, owner: Owner, sock: socket.socket, judge: Judge, in_silence: Reason | None, now_ns: int
    ) -> None:
        self._loop = loop
        self._owner = owner
        self._socket = sock
        self._judge = judge
        self._in_silence = in_silence
        """What it means that nothing came in time; None: all is well."""
        self._started_ns = now_ns
        self.expires_ns = 0
        self.is_done = False
        loop.watch(sock.fileno(), self._readable)

    def expire(self) -> None:
        """No answer in time. Where that is good it took no time: nothing was waited for."""
        if self._in_silence is None:
            self._finish(ProbeSucceeded(latency_ns=0))
        else:
            self._conclude(self._in_silence)

    def cancel(self) -> None:
        """Close it, whatever it was doing."""
        if not self.is_done:
            self.is_done = True
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()

    def _conclude(self, reason: Reason | None, detail: str = "") -> None:
        latency_ns = self._loop.now_ns() - self._started_ns
        if reason is None:
            self._finish(ProbeSucceeded(latency_ns=latency_ns))
        else:
            self._finish(ProbeFailed(reason=reason, latency_ns=latency_ns, detail=detail))

    def _finish(self, result: Result) -> None:
        self.cancel()
        self._owner.take(result)

    def _readable(self, _events: int) -> None:
        try:
            data = self._socket.recv(DATAGRAM_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._finish(failure_of(error.errno or 0, self._loop.now_ns() - self._started_ns))
            return
        reason = self._judge(data)
        if reason is Reason.DNS_OTHER_ID:  # somebody else's: ours may still come
            self._in_silence = reason
            return
        self._conclude(reason, dns.rcode_of(data) if reason is Reason.DNS_RCODE else "")


def start_udp(
    loop: Loop, deadlines: Deadlines, check: UdpCheck, owner: Owner, now_ns: int
) -> DatagramProbe | ProbeFailed | ProbeImpossible:
    """Send the payload. Without `needs_reply` silence is good, and an ICMP error the only failure (CHK-80)."""
    payload = check.payload or os.urandom(_RANDOM_BYTES).hex().encode()
    judge = functools.partial(udp.judge_reply, check) if check.needs_reply else _anything
    in_silence = Reason.TIMEOUT if check.needs_reply else None
    return _start(loop, deadlines, check.target, payload, judge, in_silence, owner, now_ns)


def start_dns(
    loop: Loop, deadlines: Deadlines, check: DnsCheck, owner: Owner, now_ns: int
) -> DatagramProbe | ProbeFailed | ProbeImpossible:
    """Ask the question with an identity that nobody can guess."""
    identity = int.from_bytes(os.urandom(2), "big")
    question = dns.question_bytes(check.name, check.record_type, identity)
    judge = functools.partial(dns.judge_reply, identity=identity)
    return _start(loop, deadlines, check.target, question, judge, Reason.TIMEOUT, owner, now_ns)


def _anything(_data: bytes) -> None:
    return None


def _start(
    loop: Loop,
    deadlines: Deadlines,
    target: Target,
    payload: bytes,
    judge: Judge,
    in_silence: Reason | None,
    owner: Owner,
    now_ns: int,
) -> DatagramProbe | ProbeFailed | ProbeImpossible:
    sock = begin_connect(target, DATAGRAM)
    if not isinstance(sock, socket.socket):
        return sock
    try:
        sock.send(payload)
    except OSError as error:
        sock.close()
        return failure_of(error.errno or 0)
    probe = DatagramProbe(loop, owner, sock, judge, in_silence, now_ns)
    deadlines.add(probe, target.connect_timeout_ns, now_ns)
    return probe

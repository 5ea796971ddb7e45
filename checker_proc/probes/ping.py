"""PING_CHECK: all pings of one family through one shared ICMP socket (CHK-70).

The raw sockets are opened by the parent and inherited; where there is none, a datagram ICMP socket is tried, which the
kernel allows to the groups of net.ipv4.ping_group_range. That range is never changed here (QRK-11).
"""

from __future__ import annotations

import os
import socket
import struct

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible, ProbeSucceeded
from pyhad.checker_proc.core.icmp import EchoRequests, reply_index
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.probe import Owner
from pyhad.checker_proc.probes.sockets import failure_of, peer_of
from pyhad.common.config.model import Target
from pyhad.common.loop import Loop

RECEIVE_BUFFER_BYTES = 1024 * 1024
REPLIES_PER_WAKE = 4096
"""So many are read before deadlines are looked at: after a pause nobody is late whose reply waits here."""
_SOL_RAW = 255
_ICMP_FILTER = 1
_ICMP6_FILTER = 1
_IP_PKTINFO = 8
_IPV6_PKTINFO = 50
_REPLIES_ONLY = {
    4: (_SOL_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFF ^ 1 << 0)),
    6: (
        socket.IPPROTO_ICMPV6,
        _ICMP6_FILTER,
        struct.pack("=8I", *(0xFFFFFFFF ^ (1 << 129 % 32 if word == 129 // 32 else 0) for word in range(8))),
    ),
}


class PingProbe:
    """One echo request that waits for its reply. It holds no descriptor."""

    __slots__ = ("_index", "_owner", "_pinger", "_started_ns", "expires_ns", "is_done")

    def __init__(self, pinger: Pinger, owner: Owner, index: int, started_ns: int) -> None:
        self._pinger = pinger
        self._owner = owner
        self._index = index
        self._started_ns = started_ns
        self.expires_ns = 0
        self.is_done = False

    def answered(self, now_ns: int) -> None:
        """Its reply is there."""
        self.is_done = True
        self._owner.take(ProbeSucceeded(latency_ns=now_ns - self._started_ns))

    def expire(self) -> None:
        """No reply in time."""
        self.cancel()
        self._owner.take(ProbeFailed(reason=Reason.TIMEOUT, latency_ns=self._pinger.now_ns() - self._started_ns))

    def cancel(self) -> None:
        """Forget it; a late reply means nothing."""
        if not self.is_done:
            self.is_done = True
            self._pinger.forget(self._index)


class Pinger:
    """The shared socket of one family and the requests that wait on it. Opened at the first ping."""

    def __init__(self, loop: Loop, deadlines: Deadlines, family: int, inherited_fd: int, mark: int = 0) -> None:
        """`mark`: that the inherited socket has; there is no other then."""
        self._loop = loop
        self._deadlines = deadlines
        self._family = family
        self._inherited_fd = inherited_fd
        self._mark = mark
        self._socket: socket.socket | None = None
        self._waiting: dict[int, PingProbe] = {}
        self._nonce = int.from_bytes(os.urandom(8), "big")
        self._requests = EchoRequests(family, self._nonce & 0xFFFF, self._nonce)
        self._next_index = 0

    def start(self, target: Target, owner: Owner, now_ns: int) -> PingProbe | ProbeFailed | ProbeImpossible:
        """Send one echo request. A result instead of a probe is the end."""
        if self._mark and self._inherited_fd < 0:
            return ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED)
        sock = self._open()
        if sock is None:
            return ProbeImpossible(reason=Reason.NO_ICMP_SOCKET)
        index = self._next_index
        self._next_index += 1
        packet = self._requests.build(index)
        try:
            peer = peer_of(target)
            address = (peer[0], 0, *peer[2:])
            if target.bind_address or target.bind_interface:
                sock.sendmsg([packet], [self._origin(target)], 0, address)
            else:
                sock.sendto(packet, address)
        except OSError as error:
            return failure_of(error.errno or 0)
        probe = self._waiting[index] = PingProbe(self, owner, index, now_ns)
        self._deadlines.add(probe, target.connect_timeout_ns, now_ns)
        return probe

    def now_ns(self) -> int:
        """The loop's clock."""
        return self._loop.now_ns()

    def forget(self, index: int) -> None:
        """Nobody waits for this reply any more."""
        self._waiting.pop(index, None)

    def _origin(self, target: Target) -> tuple[int, int, bytes]:
        """Source address and interface of one packet (bindto, bind_if). Raises OSError for what does not exist."""
        interface = socket.if_nametoindex(target.bind_interface) if target.bind_interface else 0
        if self._family == 4:
            source = socket.inet_aton(target.bind_address or "0")
            return socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=i4s4s", interface, source, bytes(4))
        source = socket.inet_pton(socket.AF_INET6, target.bind_address or "::")
        return socket.IPPROTO_IPV6, _IPV6_PKTINFO, struct.pack("=16si", source, interface)

    def _open(self) -> socket.socket | None:
        if self._socket is not None:
            return self._socket
        family = socket.AF_INET if self._family == 4 else socket.AF_INET6
        protocol = socket.IPPROTO_ICMP if self._family == 4 else socket.IPPROTO_ICMPV6
        try:
            if self._inherited_fd >= 0:
                sock = socket.socket(family, socket.SOCK_RAW, protocol, fileno=os.dup(self._inherited_fd))
                sock.setsockopt(*_REPLIES_ONLY[self._family])
            else:
                sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, protocol)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < RECEIVE_BUFFER_BYTES:  # the parent can give more
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        except OSError:
            return None
        sock.setblocking(False)
        self._socket = sock
        self._loop.watch(sock.fileno(), self._readable)
        return sock

    def _readable(self, _events: int) -> None:
        assert self._socket is not None
        now_ns = self._loop.now_ns()
        for _ in range(REPLIES_PER_WAKE):
            try:
                packet = self._socket.recv(2048)
            except OSError:  # nothing more, or an ICMP error told by the kernel: the deadline decides
                return
            index = reply_index(self._family, packet, self._nonce)
            probe = self._waiting.pop(index, None) if index is not None else None
            if probe is not None:
                probe.answered(now_ns)

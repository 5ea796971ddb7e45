"""Speaks for a dead VRRP process until its successor can: the adverts of its masters, as the black box has them.

A successor of a thousand routers takes a while to read its configuration and to look at the machine, and at 10 ms the
peers' patience is over in 30. What the dead one sent last is sent again, first to whom patience ends first, and then
each interval, from a timer's signal: whatever the start is busy with. It is as if the dead one had lived on a little.
It decides nothing but whether patience is still there, by the rule of core/restart.py; a router that begins speaks for
itself. Adverts with a sequence or a signature are not repeated: each of those is another one.
"""

from __future__ import annotations

import signal
import socket
import struct
import time
from collections.abc import Sequence

from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.errors import KernelError
from pyhad.common.packet_filter import attach
from pyhad.common.records import dataclass
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.journal import unpack
from pyhad.vrrp_proc.wire.filters import filter_nothing
from pyhad.vrrp_proc.wire.sockets import IPPROTO_RAW, PRIORITY_CONTROL, raw_socket

_HEAD = struct.Struct("=IBBQQ16s")  # interface, family, length of destination, interval, patience (ns), destination
_IP_PKTINFO, _IPV6_HDRINCL = 8, 36
_TICK_LEAST_NS, _TICK_MOST_NS = 2_000_000, 50_000_000


@dataclass(frozen=True, slots=True)
class Template:
    """One router's advertisement, and how to send it."""

    interface: int
    family: int
    interval_ns: int
    patience_ns: int
    """Of the quickest peer."""
    destination: str
    packet: bytes


def pack(template: Template) -> bytes:
    """As a note in the black box."""
    family = socket.AF_INET if template.family == 4 else socket.AF_INET6
    packed = socket.inet_pton(family, template.destination)
    head = (template.interface, template.family, len(packed), template.interval_ns, template.patience_ns, packed)
    return _HEAD.pack(*head) + template.packet


def unpack_template(payload: bytes) -> Template | None:
    """None when it is something else."""
    if len(payload) <= _HEAD.size:
        return None
    interface, family, length, interval_ns, patience_ns, packed = _HEAD.unpack_from(payload)
    if (family, length) not in ((4, 4), (6, 16)) or not interval_ns:
        return None
    destination = socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6, packed[:length])
    return Template(interface, family, interval_ns, patience_ns, destination, payload[_HEAD.size :])


def key_for(identity: bytes) -> bytes:
    """Under which the template of a router's journal key stands."""
    return key_of("advert", identity)


@dataclass(slots=True)
class _Voice:
    template: Template
    sent_ns: int

    def has_patience(self, now_ns: int) -> bool:
        return now_ns - self.sent_ns < self.template.patience_ns


class Stopgap:
    """Made first thing in a successor, before rights are given up. It opens nothing where nobody needs it."""

    def __init__(self, box: BlackBox) -> None:
        self.sent = 0
        """How many adverts."""
        self._box = box
        self._voices = _voices_in(box)
        self._sockets: dict[int, socket.socket] = {}

    def begin(self) -> None:
        """Speak for all at once, then each interval until `end`."""
        if not self._voices:
            return
        try:
            for family in {voice.template.family for voice in self._voices.values()}:
                self._sockets[family] = _open(family)
        except KernelError:  # not permitted: the successor will speak, if later
            self._close()
            return
        self._speak(list(self._voices))
        shortest_ns = min(voice.template.interval_ns for voice in self._voices.values())
        tick_s = min(max(shortest_ns // 5, _TICK_LEAST_NS), _TICK_MOST_NS) / 1_000_000_000
        signal.signal(signal.SIGALRM, lambda _number, _frame: self.speak_in_time())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
        signal.setitimer(signal.ITIMER_REAL, tick_s, tick_s)

    def speak_in_time(self) -> None:
        """For each whose interval is over, by a tick at most too early."""
        now_ns = time.monotonic_ns()
        due = [
            identity
            for identity, voice in self._voices.items()
            if now_ns - voice.sent_ns >= voice.template.interval_ns * 4 // 5
        ]
        self._speak(due)

    def release(self, identity: bytes) -> None:
        """This router speaks for itself from now on, or is silent."""
        self._voices.pop(identity, None)

    def end(self) -> None:
        """Everybody speaks for himself."""
        if self._sockets:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)  # one that is on its way must not end us
        self._voices.clear()
        self._close()

    def _speak(self, identities: Sequence[bytes]) -> None:
        for identity in identities:
            voice, now_ns = self._voices.get(identity), time.monotonic_ns()
            if voice is None:
                continue
            if not voice.has_patience(now_ns):
                self.release(identity)
            elif self._send(voice.template):
                voice.sent_ns = now_ns
                self._box.touch(identity, now_ns)

    def _send(self, template: Template) -> bool:
        sock = self._sockets[template.family]
        try:
            if template.family == 4:
                where = struct.pack("=i4s4s", template.interface, bytes(4), bytes(4))
                beside = [(socket.IPPROTO_IP, _IP_PKTINFO, where)]
                sock.sendmsg([template.packet], beside, 0, (template.destination, 0))
            else:
                sock.sendto(template.packet, (template.destination, 0, 0, template.interface))
        except OSError:
            return False
        self.sent += 1
        return True

    def _close(self) -> None:
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()


def _voices_in(box: BlackBox) -> dict[bytes, _Voice]:
    """Who was master and whose peers are still patient, the least patient first."""
    notes, now_ns = box.load(), time.monotonic_ns()
    found: dict[bytes, _Voice] = {}
    for identity, payload in notes.items():
        record = unpack(payload)
        if record is None or record.state is not RouterState.MASTER:
            continue
        template = unpack_template(notes.get(key_for(identity), b""))
        if template is not None:
            voice = _Voice(template, max(record.last_sent_ns, box.moment(identity)))
            if voice.has_patience(now_ns):
                found[identity] = voice
    return dict(sorted(found.items(), key=lambda item: item[1].sent_ns + item[1].template.patience_ns))


def _open(family: int) -> socket.socket:
    sock = raw_socket(IPPROTO_RAW, socket.AF_INET if family == 4 else socket.AF_INET6)
    attach(sock, filter_nothing())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, PRIORITY_CONTROL)
    if family == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_HDRINCL, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    return sock

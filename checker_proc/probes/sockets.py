"""Sockets for TCP probes: opened, bound and connecting, never waiting. Maps the kernel's answers to reasons."""

from __future__ import annotations

import errno
import select
import socket
import struct

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible
from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import Target
from pyhad.common.records import dataclass

_TROUBLE = select.EPOLLERR | select.EPOLLHUP
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC

DATAGRAM = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedTarget(Target):
    """A target with the socket that goes there: it has its mark already (`marks.py`)."""

    opened: socket.socket


_FAILURES = {
    errno.ECONNREFUSED: Reason.CONNECT_REFUSED,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.ENETUNREACH: Reason.NO_ROUTE,
    errno.EHOSTUNREACH: Reason.HOST_UNREACHABLE,
    errno.EHOSTDOWN: Reason.HOST_UNREACHABLE,
    errno.ECONNRESET: Reason.CONNECTION_RESET,
    errno.EPIPE: Reason.CONNECTION_RESET,
    errno.ENOTCONN: Reason.CONNECTION_RESET,
    errno.EPERM: Reason.NOT_PERMITTED,
    errno.EACCES: Reason.NOT_PERMITTED,
}
_OUR_OWN = {
    errno.EMFILE: Reason.NO_RESOURCES,
    errno.ENFILE: Reason.NO_RESOURCES,
    errno.ENOBUFS: Reason.NO_RESOURCES,
    errno.ENOMEM: Reason.NO_RESOURCES,
    errno.EAGAIN: Reason.NO_RESOURCES,
    errno.EADDRNOTAVAIL: Reason.BIND_FAILED,
    errno.EADDRINUSE: Reason.BIND_FAILED,
}


def failure_of(number: int, latency_ns: int = 0) -> ProbeFailed | ProbeImpossible:
    """What an errno says: about the server, or about ourselves (then nothing is said about the server)."""
    ours = _OUR_OWN.get(number)
    if ours is not None:
        return ProbeImpossible(reason=ours)
    return ProbeFailed(reason=_FAILURES.get(number, Reason.CONNECT_FAILED), latency_ns=latency_ns)


def error_of(sock: socket.socket, events: int) -> int:
    """The errno of a socket of which epoll says `events`; 0: none. Asked for only where there is one to be had."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if events & _TROUBLE else 0


def begin_connect(
    target: Target, kind: int = STREAM, *, is_brief: bool = False
) -> socket.socket | ProbeFailed | ProbeImpossible:
    """A socket that is connecting or connected, or why there is none. Never waits, looks no name up.

    `is_brief`: it is closed as soon as it is there. Then its ACK goes with its FIN, which saves both sides a packet.
    """
    is_v6 = ":" in target.address
    try:
        sock = _marked(target) if target.fwmark else socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, kind)
    except OSError as error:
        return failure_of(error.errno or 0)
    if sock is None:
        return ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED)
    problem = _set_origin(sock, target) if _has_origin(target) else None
    if problem is None:
        if is_brief and not target.bind_port:  # whose end is a reset: the server would never see the connection
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        try:
            number = sock.connect_ex(peer_of(target))
        except (OSError, OverflowError, ValueError):  # not an address, or its zone has no interface
            problem = ProbeImpossible(reason=Reason.BAD_TARGET)
        else:
            if number in (0, errno.EINPROGRESS):
                return sock
            sock.close()
            return failure_of(number)
    sock.close()
    return problem


def peer_of(target: Target) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address for connect and sendto. Raises OSError when a zone (`fe80::1%eth0`) names no interface."""
    if ":" not in target.address:
        return target.address, target.port
    address, _, zone = target.address.partition("%")
    return address, target.port, 0, socket.if_nametoindex(zone) if zone else 0


def _marked(target: Target) -> socket.socket | None:
    return target.opened if isinstance(target, MarkedTarget) else None


def _has_origin(target: Target) -> bool:
    return bool(target.bind_address or target.bind_port or target.bind_interface)


def _set_origin(sock: socket.socket, target: Target) -> ProbeImpossible | None:
    """bindto, bind_port, bind_if (CHK-9). An interface needs a kernel from 5.7 on."""
    if target.bind_interface:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, target.bind_interface.encode() + b"\0")
        except OSError:
            return ProbeImpossible(reason=Reason.BIND_INTERFACE_FAILED)
    if not (target.bind_address or target.bind_port):
        return None
    try:
        if target.bind_port:  # the one port must be free again for the next probe
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        sock.bind((target.bind_address, target.bind_port))  # "" is any address
    except (OSError, OverflowError):
        return ProbeImpossible(reason=Reason.BIND_FAILED)
    return None

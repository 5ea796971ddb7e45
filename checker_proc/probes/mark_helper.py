"""The process that marks sockets, for the checker has no right to (docs/decisions/0021). It can do nothing else.

Forked by the checker before that gives its rights up, only where the configuration has probes with a mark. It keeps
CAP_NET_ADMIN alone, sets those marks and no others, and only on sockets that are sent to it. When the checker is gone
it ends.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Mapping

from pyhad.checker_proc.core.marks import ANSWER, WISH, marks_of, ping_marks_of
from pyhad.checker_proc.nursery import become, guard
from pyhad.checker_proc.probes.mark_filter import SO_MARK, shut_in
from pyhad.common import privileges
from pyhad.common.config.model import CheckerDocument
from pyhad.common.records import dataclass, field
from pyhad.common.title import title_of

_libc = ctypes.CDLL(None, use_errno=True)
_NOT_PERMITTED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkTools:
    """What sets marks in the life of this checker: made before it gives its rights up."""

    channel: socket.socket | None = None
    """Our end of the helper's socket; None where no probe has a mark, or there was no process to be had."""
    pidfd: int = -1
    marks: frozenset[int] = frozenset()
    pings: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Raw sockets by family and mark; -1: the kernel refused it."""

    def covers(self, document: CheckerDocument) -> bool:
        """All marks of it can be set."""
        return marks_of(document) <= self.marks and ping_marks_of(document) <= self.pings.keys()


def mark_tools(document: CheckerDocument, account: tuple[str, int, int], daemon: str) -> MarkTools:
    """Those that this document needs. Raises OSError when there is no process to be had."""
    marks = marks_of(document)
    pings = {(family, mark): _marked_icmp(family, mark) for family, mark in sorted(ping_marks_of(document))}
    if not marks:
        return MarkTools(pings=pings)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        guard(lambda: _live(theirs, account, daemon, marks))
    theirs.close()
    ours.setblocking(False)
    return MarkTools(channel=ours, pidfd=os.pidfd_open(pid), marks=marks, pings=pings)


def _marked_icmp(family: int, mark: int) -> int:
    protocol = socket.IPPROTO_ICMP if family == 4 else socket.IPPROTO_ICMPV6
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    try:
        with socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind, protocol) as made:
            made.setsockopt(socket.SOL_SOCKET, SO_MARK, struct.pack("=I", mark))
            return made.detach()
    except OSError:  # not permitted, or no IPv6 here: the check says so
        return -1


def _live(channel: socket.socket, account: tuple[str, int, int], daemon: str, marks: frozenset[int]) -> None:
    become("pyhad_marks", title_of("checker marks", daemon), keep=channel.fileno())
    _, uid, gid = account
    privileges.drop(uid=uid, gid=gid, keep=frozenset({privileges.CAP_NET_ADMIN}))
    privileges.no_new_privileges()
    shut_in()
    while obey(channel, marks):
        pass


def obey(channel: socket.socket, marks: frozenset[int]) -> bool:
    """One wish; False at the end of the socket."""
    frame, descriptors, _, _ = socket.recv_fds(channel, WISH.size + 1, 1)
    number, mark = WISH.unpack(frame) if len(frame) == WISH.size else (0, 0)
    problem = _set(descriptors, mark) if mark in marks else _NOT_PERMITTED
    for descriptor in descriptors:  # before the answer: then nobody holds it but the checker, and its close is the end
        os.close(descriptor)
    if len(frame) == WISH.size:
        try:
            channel.send(ANSWER.pack(number, problem))
        except OSError:  # nobody is there any more
            return False
    return bool(frame)


def _set(descriptors: list[int], mark: int) -> int:
    """The errno of it. By the C library: a socket object would ask the kernel what kind of socket it is."""
    value = ctypes.c_uint32(mark)
    for descriptor in descriptors:
        if _libc.setsockopt(descriptor, socket.SOL_SOCKET, SO_MARK, ctypes.byref(value), 4):
            return ctypes.get_errno()
    return 0 if descriptors else _NOT_PERMITTED

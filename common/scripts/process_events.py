"""The kernel's own news of processes (proc connector): the socket, its filter, and what its datagrams say. No /proc.

The kernel tells of births, of new programs, new names and ends. The filter leaves out threads and whatever else it
tells, so that on a busy machine fewer wake us. News that found no room are lost, and the socket says so (ENOBUFS).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
import threading

from pyhad.common.errors import KernelError
from pyhad.common.packet_filter import assemble, attach
from pyhad.common.records import dataclass

DEFAULT_BUFFER_BYTES = 1024 * 1024
_NETLINK_CONNECTOR = 11
_CN_IDX_PROC = _CN_VAL_PROC = 1
_LISTEN = 1
_NLMSG_DONE = 3
_SO_RCVBUFFORCE = 33
_CLONE_NEWNET = 0x40000000
_HEADS = struct.Struct("=IHHII IIIIHH")  # nlmsghdr, cn_msg
_EVENT = struct.Struct("=I4xQ4I")
"""what, cpu, time; then of a birth parent (process, group) and child (process, group), else process and group."""
_WHAT_AT = _HEADS.size
_DATA_AT = _WHAT_AT + 16
_READ_BYTES = 1024
_LOAD, _A_TO_X, _EQUALS, _EQUALS_X, _RETURN = 0x20, 0x07, 0x15, 0x1D, 0x06
_ACK, _FORK, _EXEC, _COMM, _EXIT = 0, 1, 2, 0x200, 0x80000000


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The kernel tells us from now on."""


@dataclass(frozen=True, slots=True)
class Born:
    """`parent` forked."""

    parent: int
    child: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """It became another program, or took another name."""

    pid: int


@dataclass(frozen=True, slots=True)
class Gone:
    """It ended."""

    pid: int


News = Confirmed | Born | Renamed | Gone


def parse(datagram: bytes) -> News | None:
    """What one datagram says; None: nothing that matters."""
    if len(datagram) < _WHAT_AT + _EVENT.size:
        return None
    what, _, first, second, third, fourth = _EVENT.unpack_from(datagram, _WHAT_AT)
    if what == _FORK:
        return Born(second, fourth) if third == fourth else None
    if what == _EXIT:
        return Gone(first) if first == second else None
    if what in (_EXEC, _COMM):
        return Renamed(second)
    return Confirmed() if what == _ACK else None


def open_events(buffer_bytes: int, *, beyond_limit: bool) -> socket.socket:
    """The socket, subscribed; `Confirmed` comes if the kernel has such news for us. Raises KernelError.

    Only the machine's first network namespace has them: in another one the socket is made there, if we may.
    """
    try:
        return _open(buffer_bytes, beyond_limit)
    except OSError as error:
        if error.errno != errno.ECONNREFUSED:
            raise KernelError("process events", error.errno or errno.EIO) from error
    made: list[socket.socket | OSError] = []
    # A thread of its own is what changes its namespace: nobody else of us ever leaves ours.
    thread = threading.Thread(target=lambda: made.append(_open_in_first(buffer_bytes, beyond_limit)))
    thread.start()
    thread.join()
    result = made[0] if made else OSError(errno.EIO, "")
    if isinstance(result, OSError):
        raise KernelError("process events", result.errno or errno.EIO) from result
    return result


def _open_in_first(buffer_bytes: int, beyond_limit: bool) -> socket.socket | OSError:
    try:
        there = os.open("/proc/1/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(there, _CLONE_NEWNET) != 0:
                return OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(there)
        return _open(buffer_bytes, beyond_limit)
    except OSError as error:
        return error


def _open(buffer_bytes: int, beyond_limit: bool) -> socket.socket:
    made = socket.socket(
        socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _NETLINK_CONNECTOR
    )
    try:
        attach(made, _filter())
        option = _SO_RCVBUFFORCE if beyond_limit else socket.SO_RCVBUF
        try:
            made.setsockopt(socket.SOL_SOCKET, option, buffer_bytes or DEFAULT_BUFFER_BYTES)
        except PermissionError:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes or DEFAULT_BUFFER_BYTES)
        made.bind((0, _CN_IDX_PROC))
        length = _HEADS.size + 4
        made.sendto(
            _HEADS.pack(length, _NLMSG_DONE, 0, 0, 0, _CN_IDX_PROC, _CN_VAL_PROC, 0, 0, 4, 0)
            + struct.pack("=I", _LISTEN),
            (0, 0),
        )
    except OSError:
        made.close()
        raise
    return made


def read(events: socket.socket) -> News | None:
    """The next piece of news, None if it does not matter.

    Raises BlockingIOError when there is none, and OSError (ENOBUFS) where some were lost.
    """
    datagram, sender = events.recvfrom(_READ_BYTES)
    return parse(datagram) if sender[0] == 0 else None  # whoever else writes to our address is not the kernel


def _filter() -> bytes:
    """Pass confirmations, new programs and names; of births and ends only those of whole processes."""
    drop, accept = 14, 15
    steps = (
        (_LOAD, 0, 0, _WHAT_AT),
        (_EQUALS, 4, 0, _swapped(_FORK)),
        (_EQUALS, 7, 0, _swapped(_EXIT)),
        (_EQUALS, accept - 4, 0, _swapped(_EXEC)),
        (_EQUALS, accept - 5, 0, _swapped(_COMM)),
        (_EQUALS, accept - 6, drop - 6, _swapped(_ACK)),
        (_LOAD, 0, 0, _DATA_AT + 8),  # of a birth: is the child a process, or a thread of one?
        (_A_TO_X, 0, 0, 0),
        (_LOAD, 0, 0, _DATA_AT + 12),
        (_EQUALS_X, accept - 10, drop - 10, 0),
        (_LOAD, 0, 0, _DATA_AT),  # of an end
        (_A_TO_X, 0, 0, 0),
        (_LOAD, 0, 0, _DATA_AT + 4),
        (_EQUALS_X, accept - 14, drop - 14, 0),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, 0xFFFF),
    )
    return assemble(steps)


def _swapped(value: int) -> int:
    """The filter reads in network order what the kernel wrote in its own."""
    return int.from_bytes(value.to_bytes(4, sys.byteorder), "big")

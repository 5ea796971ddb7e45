"""One generic netlink socket for one family: orders in batches, dumps. Knows nothing of what the family does.

The kernel does what a message asks inside `sendmsg`, so answers lie in the receive buffer when it returns: the socket
is non-blocking, and an empty buffer means that there is no answer.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from pyhad.common.errors import KernelError, WireError
from pyhad.ipvs_proc.core import genl

BATCH_MESSAGES = 200
"""Messages per `sendmsg`. The errors of a whole batch must fit the receive buffer, its work the watchdog's patience."""
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
_READ_BYTES = 64 * 1024
_NETLINK_GENERIC = 16
_SO_RCVBUFFORCE = 33
_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_LAST_SEQUENCE = 0x7FFFFFFF

Order = tuple[int, bytes]
"""A command and its attributes."""


class GenericSocket:
    """Requests to `family`. `breathe` is called with each batch and each dump. Raises `KernelError`."""

    def __init__(self, family: str, breathe: Callable[[], None]) -> None:
        self._breathe = breathe
        self._sequence = 0
        self._family = genl.CONTROL_FAMILY
        try:
            self._socket = _open()
        except OSError as error:
            raise KernelError("generic netlink socket", error.errno or errno.EIO) from None
        try:
            request = genl.family_request(family, self._next())
            answer = self._one(f"find {family} in the kernel", request)
            self._family = genl.family_from(answer)
        except (KernelError, WireError):
            self.close()
            raise

    def order(self, orders: list[Order]) -> list[int]:
        """Send all, in batches; the errno of each, 0 for done, EIO where the answer was lost.

        Only the last message of a batch asks for an acknowledgement: the kernel reports an error in any case.
        """
        errors: list[int] = []
        for start in range(0, len(orders), BATCH_MESSAGES):
            self._begin()
            errors += self._batch(orders[start : start + BATCH_MESSAGES])
        return errors

    def ask(self, command: int) -> bytes:
        """A question with one answer; its attributes."""
        self._begin()
        return self._one("ask", genl.message(self._family, command, self._next(), 0))

    def dump(self, command: int, attributes: bytes = b"") -> list[bytes]:
        """The attributes of each answer. Read to the end, so that the next dump finds the socket free."""
        self._begin()
        sequence = self._next()
        found: list[bytes] = []
        self._send(genl.message(self._family, command, sequence, genl.DUMP, attributes))
        while True:
            try:
                code = genl.dumped(self._read("dump"), sequence, found)
            except WireError as error:
                raise KernelError("dump", errno.EBADMSG, str(error)) from None
            if code:
                raise KernelError("dump", code)
            if code == 0:
                return found

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()

    def _begin(self) -> None:
        self._breathe()
        if self._sequence > _LAST_SEQUENCE:
            self._sequence = 0

    def _batch(self, orders: list[Order]) -> list[int]:
        first = self._sequence + 1
        parts: list[bytes] = []
        for index, (command, attributes) in enumerate(orders):
            flags = genl.ACK if index == len(orders) - 1 else 0
            parts.append(genl.message(self._family, command, self._next(), flags, attributes))
        errors = [0] * len(orders)
        try:
            self._send(b"".join(parts))
            answered = False
            while not answered:
                for answer in self._receive("acknowledgement"):
                    if first <= answer.sequence <= self._sequence:
                        errors[answer.sequence - first] = answer.errno
                        answered |= answer.done and answer.sequence == self._sequence
        except KernelError as error:  # what was done before is seen when the table is read again
            return [error.errno] * len(orders)
        return errors

    def _one(self, operation: str, request: bytes) -> bytes:
        self._send(request)
        for answer in self._receive(operation):
            if answer.sequence == self._sequence:
                if answer.errno:
                    raise KernelError(operation, answer.errno)
                return answer.payload
        raise KernelError(operation, errno.EIO, "no answer")

    def _send(self, request: bytes) -> None:
        try:
            self._socket.sendto(request, (0, 0))
        except OSError as error:
            raise KernelError("send to the kernel", error.errno or errno.EIO) from None

    def _receive(self, operation: str) -> list[genl.Answer]:
        """The messages of one datagram. Raises when there is none."""
        try:
            return genl.answers_from(self._read(operation))
        except WireError as error:
            raise KernelError(operation, errno.EBADMSG, str(error)) from None

    def _read(self, operation: str) -> bytes:
        """One datagram of the kernel. Raises when there is none."""
        while True:
            try:
                datagram, sender = self._socket.recvfrom(_READ_BYTES)
            except OSError as error:  # nothing there, or ENOBUFS: some were lost
                code = errno.EIO if isinstance(error, BlockingIOError) else error.errno or errno.EIO
                raise KernelError(operation, code, "the kernel's answer is missing") from None
            if sender[0] == 0:  # else: not from the kernel
                return datagram

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence


def _open() -> socket.socket:
    sock = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _NETLINK_GENERIC
    )
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    sock.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
    sock.bind((0, 0))
    return sock

"""One NETLINK_ROUTE socket for questions and orders: batches with their answers, dumps. Never waits.

The kernel does what a netlink message asks inside `sendmsg`, so answers lie in the receive buffer when it returns:
the socket is non-blocking and an empty buffer means that there is no answer.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from pyhad.common.errors import KernelError
from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.netlink import AddressSeen, Answer, DumpDone, LinkSeen

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
BATCH_MESSAGES = 500
"""Messages per `sendmsg`: the answers of a batch must fit the receive buffer."""
_READ_BYTES = 256 * 1024
_DUMP_ATTEMPTS = 50  # a host where containers come and go interrupts many
_SO_RCVBUFFORCE = 33
_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11


class RouteSocket:
    """Requests to rtnetlink. `refused` counts datagrams that did not come from the kernel or made no sense."""

    def __init__(self) -> None:
        self.refused = 0
        self.details: dict[int, str] = {}
        """What the kernel said in words about the refusals of the last order, by sequence."""
        self._sequence = 0
        self._buffer = bytearray(_READ_BYTES)
        self._socket = open_socket(0)

    @property
    def port(self) -> int:
        """By which the kernel knows it: the port id of notifications about what it ordered."""
        found: int = self._socket.getsockname()[0]
        return found

    def next_sequence(self) -> int:
        """A number for the next message, which its answer will carry."""
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        return self._sequence

    def order(self, messages: list[tuple[int, bytes]]) -> dict[int, int]:
        """Send (sequence, message) pairs in batches; errno by sequence, 0 for done, EIO where no answer came."""
        answers: dict[int, int] = {}
        self.details.clear()
        for start in range(0, len(messages), BATCH_MESSAGES):
            batch = messages[start : start + BATCH_MESSAGES]
            try:
                self._socket.sendto(b"".join(message for _, message in batch), (0, 0))
            except OSError as error:
                answers.update((sequence, error.errno or errno.EIO) for sequence, _ in batch)
                continue
            for seen in self._receive():
                if isinstance(seen, Answer):
                    answers[seen.sequence] = seen.errno
                    if seen.detail:
                        self.details[seen.sequence] = seen.detail
        return {sequence: answers.get(sequence, errno.EIO) for sequence, _ in messages}

    def tell(self, messages: bytes) -> int:
        """Send messages that ask for no acknowledgement; returns how many the kernel refused."""
        if not messages:
            return 0
        try:
            self._socket.sendto(messages, (0, 0))
        except OSError:
            return 1
        return sum(isinstance(seen, Answer) and seen.errno != 0 for seen in self._receive())

    def dump(self) -> tuple[list[LinkSeen], list[AddressSeen]]:
        """All links and all IPv4 and IPv6 addresses, asked again while something changes under the dump.

        Raises KernelError when the kernel refuses or never gives a whole one.
        """
        links = [seen for seen in self._dump_of(netlink.encode_link_dump) if isinstance(seen, LinkSeen)]
        addresses = [seen for seen in self._dump_of(netlink.encode_address_dump) if isinstance(seen, AddressSeen)]
        return links, addresses

    def _dump_of(self, encode: Callable[[int], bytes]) -> list[netlink.Seen]:
        for _ in range(_DUMP_ATTEMPTS):
            sequence = self.next_sequence()
            self._socket.sendto(encode(sequence), (0, 0))
            found = self._receive()
            for seen in found:
                if isinstance(seen, Answer) and seen.sequence == sequence and seen.errno:
                    raise KernelError("netlink dump", seen.errno)
            ends = [seen for seen in found if isinstance(seen, DumpDone) and seen.sequence == sequence]
            if ends and not ends[0].interrupted:
                return found
        raise KernelError("netlink dump", errno.EINTR, f"not whole in {_DUMP_ATTEMPTS} attempts")

    def _receive(self) -> list[netlink.Seen]:
        found: list[netlink.Seen] = []
        while True:
            try:
                datagram = read_datagram(self._socket, self._buffer)
            except BlockingIOError:
                return found
            except OSError:  # ENOBUFS: some answers are lost, read the others
                self.refused += 1
                continue
            if datagram is None:
                self.refused += 1
                continue
            seen, malformed = netlink.parse(datagram)
            self.refused += malformed
            found += seen

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def open_socket(groups: int) -> socket.socket:
    """A non-blocking NETLINK_ROUTE socket with a large receive buffer, subscribed to `groups`. Raises KernelError."""
    try:
        sock = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        force_receive_buffer(sock, RECEIVE_BUFFER_BYTES)
        sock.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        sock.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        sock.bind((0, groups))
    except OSError as error:
        raise KernelError("netlink socket", error.errno or errno.EIO) from error
    return sock


def force_receive_buffer(sock: socket.socket, size: int, *, beyond_limit: bool = True) -> None:
    """As large as wanted; without the right to go beyond the machine's limit, up to that."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE if beyond_limit else socket.SO_RCVBUF, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def read_datagram(sock: socket.socket, buffer: bytearray) -> bytes | None:
    """One datagram, None when it is not from the kernel (nl_pid other than 0) or larger than `buffer`.

    Raises BlockingIOError when nothing waits and OSError (ENOBUFS) when some were lost.
    """
    length, sender = sock.recvfrom_into(buffer, len(buffer), socket.MSG_TRUNC)
    if sender[0] != 0 or length > len(buffer):
        return None
    return bytes(memoryview(buffer)[:length])


def is_overrun(error: OSError) -> bool:
    """Whether a receive error says that messages were lost, rather than that the socket is broken."""
    return error.errno == errno.ENOBUFS

"""Many packets out of a socket with one system call: `recvmmsg` into buffers that were made once for all sockets.

Nothing here waits.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import socket
from collections.abc import Callable

from pyhad.vrrp_proc.wire.mailing import IoVector, Message

PACKETS_AT_ONCE = 64
"""At most so many packets are read per wake-up: a flood must not keep the timers waiting."""
PACKET_BYTES = 4352
"""What is longer is cut off: no advertisement is, with 255 IPv6 addresses it has 4128 bytes."""
MOST_ROUNDS = 32
NAME_BYTES = 32
"""Room for the sender's address."""
BESIDE_BYTES = 64
"""Room for what the kernel says beside: for IPv6 exactly what is asked for, IPV6_PKTINFO and IPV6_HOPLIMIT."""

_libc = ctypes.CDLL(None, use_errno=True)
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_STRIDE = ctypes.sizeof(Message) // 4
_LENGTH = Message.length.offset // 4
_HEAD_BYTES = NAME_BYTES + BESIDE_BYTES
_ROOM_BYTES = 8192
_PLACES = range(_HEAD_BYTES, PACKETS_AT_ONCE * _ROOM_BYTES, _ROOM_BYTES)


class Intake:
    """Buffers for `PACKETS_AT_ONCE` packets. Those that were never filled take no memory."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PACKETS_AT_ONCE * _ROOM_BYTES)
        self._vectors = (IoVector * PACKETS_AT_ONCE)()
        self._messages = (Message * PACKETS_AT_ONCE)()
        self._whole = (ctypes.c_char * len(self._memory)).from_buffer(self._memory)  # keeps it where it is
        start = ctypes.addressof(self._whole)
        for place, vector, message in zip(_PLACES, self._vectors, self._messages, strict=True):
            vector.base, vector.length = start + place, PACKET_BYTES
            message.head.vectors, message.head.vector_count = ctypes.addressof(vector), 1
        self._start = ctypes.addressof(self._messages)
        self._bytes = memoryview(self._messages).cast("B")
        self._words = self._bytes.cast("I")

    def receive(self, fd: int) -> list[bytes]:
        """What waits at `fd`, the first first; more comes with the next call. Raises OSError when the socket fails."""
        count = self._fill(fd)
        memory, lengths = self._memory, self._words[_LENGTH::_STRIDE].tolist()
        return [memory[at : at + length] for at, length in zip(_PLACES[:count], lengths, strict=False)]

    def _fill(self, fd: int) -> int:
        """How many came."""
        count: int = _recvmmsg(fd, self._start, PACKETS_AT_ONCE, socket.MSG_DONTWAIT, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return 0
            raise OSError(number, "recvmmsg")
        return count


class IntakeWithHeads(Intake):
    """Says of each packet also who sent it, and what the kernel says beside."""

    def __init__(self) -> None:
        super().__init__()
        start = ctypes.addressof(self._whole)
        for place, message in zip(_PLACES, self._messages, strict=True):
            head = message.head
            head.name, head.name_bytes = start + place - NAME_BYTES, NAME_BYTES
            head.control, head.control_bytes = start + place - _HEAD_BYTES, BESIDE_BYTES
        self._fresh = bytes(self._bytes)
        """The kernel notes in the heads how much of them it filled."""

    def receive(self, fd: int) -> list[bytes]:
        """The same, each behind `BESIDE_BYTES` and `NAME_BYTES` of what belongs to it (and rests of others)."""
        self._bytes[:] = self._fresh
        count = self._fill(fd)
        memory, lengths = self._memory, self._words[_LENGTH::_STRIDE].tolist()
        return [memory[at - _HEAD_BYTES : at + length] for at, length in zip(_PLACES[:count], lengths, strict=False)]


INTAKE = Intake()
"""Of this process: what was received is copied before anybody else receives."""
INTAKE_WITH_HEADS = IntakeWithHeads()


def read_on(read: Callable[[], int], goes_on: Callable[[], bool]) -> None:
    """`read` until nothing more waits or it need not go on; a flood ends it too, after `MOST_ROUNDS`."""
    for _ in range(MOST_ROUNDS):
        if read() < PACKETS_AT_ONCE or not goes_on():
            return

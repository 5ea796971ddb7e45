"""Many packets out of a socket with one system call: `recvmmsg` into buffers that were made once for all sockets.

Nothing here waits.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import socket

from pyhad.vrrp_proc.mailing import IoVector, Message

PACKETS_AT_ONCE = 64
"""At most so many packets are read per wake-up: a flood must not keep the timers waiting."""
PACKET_BYTES = 4096
"""What is longer is cut off."""

_libc = ctypes.CDLL(None, use_errno=True)
_recvmmsg = _libc.recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_STRIDE = ctypes.sizeof(Message) // 4
_LENGTH = Message.length.offset // 4
_PLACES = range(0, PACKETS_AT_ONCE * PACKET_BYTES, PACKET_BYTES)


class Intake:
    """Buffers for `PACKETS_AT_ONCE` packets. Those that were never filled take no memory."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PACKETS_AT_ONCE * PACKET_BYTES)
        self._vectors = (IoVector * PACKETS_AT_ONCE)()
        self._messages = (Message * PACKETS_AT_ONCE)()
        self._whole = (ctypes.c_char * len(self._memory)).from_buffer(self._memory)  # keeps it where it is
        start = ctypes.addressof(self._whole)
        for place, (vector, message) in enumerate(zip(self._vectors, self._messages, strict=True)):
            vector.base, vector.length = start + place * PACKET_BYTES, PACKET_BYTES
            message.head.vectors, message.head.vector_count = ctypes.addressof(vector), 1
        self._start = ctypes.addressof(self._messages)
        self._words = memoryview(self._messages).cast("B").cast("I")

    def receive(self, fd: int) -> list[bytes]:
        """What waits at `fd`, the first first; more comes with the next call. Raises OSError when the socket fails."""
        count = _recvmmsg(fd, self._start, PACKETS_AT_ONCE, socket.MSG_DONTWAIT, None)
        if count < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(number, "recvmmsg")
        memory, lengths = self._memory, self._words[_LENGTH::_STRIDE].tolist()
        return [memory[at : at + length] for at, length in zip(_PLACES[:count], lengths, strict=False)]


INTAKE = Intake()
"""Of this process: what was received is copied before anybody else receives."""

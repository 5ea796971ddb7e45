"""One end of the socket between the checker and a worker: whole messages, nothing that waits. Decides nothing.

A message longer than a part goes in parts: how much the socket takes at once is the machine's to say
(`net.core.wmem_max`).
"""

from __future__ import annotations

import collections
import socket
from collections.abc import Callable
from typing import Any

from pyhad.common.codec import Decoder, encode
from pyhad.common.loop import READ, WRITE, Loop

_BUFFER_BYTES = 4 * 1024 * 1024
_PER_TURN = 256
PART_BYTES = 60_000
"""Every machine's socket takes so much at once."""
_READ_BYTES = PART_BYTES + 1
_MORE, _LAST = b"\x01", b"\x02"
"""Before a part; no whole message begins so."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends. Raises OSError."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return ends


class Line:
    """`on_message` hears what comes, `on_end` that the other side is gone; then nothing more comes."""

    def __init__(
        self,
        loop: Loop,
        end: socket.socket,
        decoder: Decoder,
        on_message: Callable[[Any], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._end = end
        self._decoder = decoder
        self._on_message = on_message
        self._on_end = on_end
        self._waiting: collections.deque[bytes] = collections.deque()
        self._parts: list[bytes] = []
        self._is_stuck = False
        """The socket was full: the loop tells us when there is room."""
        self.is_open = True
        loop.watch(end.fileno(), self._ready)

    def send(self, message: object) -> None:
        """Now, or when there is room."""
        if not self.is_open:
            return
        was_waiting = bool(self._waiting)
        frame = encode(message)
        if len(frame) <= PART_BYTES:
            self._waiting.append(frame)
        else:
            parts = [frame[at : at + PART_BYTES] for at in range(0, len(frame), PART_BYTES)]
            self._waiting += [_MORE + part for part in parts[:-1]]
            self._waiting.append(_LAST + parts[-1])
        if not was_waiting:
            self._flush()

    def close(self) -> None:
        """Nothing more is said or heard. Harmless when it is closed."""
        if self.is_open:
            self.is_open = False
            self._waiting.clear()
            self._loop.unwatch(self._end.fileno())
            self._end.close()

    def _flush(self) -> None:
        while self._waiting:
            try:
                self._end.send(self._waiting[0])
            except BlockingIOError:
                self._is_stuck = True
                self._loop.watch(self._end.fileno(), self._ready, READ | WRITE)
                return
            except (BrokenPipeError, ConnectionResetError):  # reading says so too, after what the other side said last
                self._waiting.clear()
                break
            except OSError:  # no memory: what is lost here the other side would never know
                self._loop.after(0, self._end_it)
                return
            self._waiting.popleft()
        if self._is_stuck:
            self._is_stuck = False
            self._loop.watch(self._end.fileno(), self._ready, READ)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        for _ in range(_PER_TURN):
            try:
                frame = self._end.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                frame = b""
            if not frame:
                self._end_it()
                return
            whole = frame if frame[:1] not in (_MORE, _LAST) else self._joined(frame)
            if whole is not None:
                self._on_message(self._decoder.decode(whole))
            if not self.is_open:
                return

    def _joined(self, part: bytes) -> bytes | None:
        """The message that ends with this part; None: it does not."""
        self._parts.append(part[1:])
        if part[:1] == _MORE:
            return None
        whole, self._parts = b"".join(self._parts), []
        return whole

    def _end_it(self) -> None:
        if self.is_open:
            self.close()
            self._on_end()

"""A server that notes how long it waits between two checks."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import struct
import time

MS = 1_000_000


class Live:
    """A server in a process of its own that notes how long it waits between two connections."""

    _FIELDS = struct.Struct("=QQ")  # the last one, and the longest wait since `forget`, ns

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._FIELDS.size)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.pid = os.fork()
        if self.pid == 0:
            self._serve()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            now_ns = time.monotonic_ns()
            connection.close()
            last_ns, worst_ns = self._FIELDS.unpack(self._memory[:])
            self._memory[:] = self._FIELDS.pack(now_ns, max(worst_ns, now_ns - last_ns if last_ns else 0))

    def forget(self) -> None:
        """Count anew from the last connection on."""
        self._memory[8:] = bytes(8)

    @property
    def worst_ms(self) -> float:
        """The longest wait, also one that is not over."""
        last_ns, worst_ns = self._FIELDS.unpack(self._memory[:])
        return max(worst_ns, time.monotonic_ns() - last_ns) / MS

    def close(self) -> None:
        """It is gone."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._listener.close()

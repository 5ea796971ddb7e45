"""The client of the demonstration: a new HTTP request to the virtual address every 10 ms, without a pause.

`python -m demo.client ADDRESS PORT` prints one line per request when its fate is known:
`START_NS END_NS ok SERVER` or `START_NS END_NS lost REASON`. Each request is independent of the others and is lost
when it has no whole answer after one second. Times are CLOCK_MONOTONIC.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time

from pyhad.common.loop import READ, WRITE, Loop, Timer

PACE_NS = 10_000_000
PATIENCE_NS = 1_000_000_000
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


class Request:
    """One connection from its first SYN to its fate."""

    def __init__(self, loop: Loop, address: tuple[str, int]) -> None:
        self._loop = loop
        self._start_ns = time.monotonic_ns()
        self._answer = b""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._timer: Timer = loop.after(PATIENCE_NS, lambda: self._end("lost", "timeout"))
        code = self._socket.connect_ex(address)
        if code == errno.EINPROGRESS:
            loop.watch(self._socket.fileno(), self._connected, WRITE)
        else:
            self._end("lost", errno.errorcode.get(code, str(code)))

    def _connected(self, _events: int) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._end("lost", errno.errorcode.get(code, str(code)))
            return
        self._socket.send(REQUEST)
        self._loop.watch(self._socket.fileno(), self._readable, READ)

    def _readable(self, _events: int) -> None:
        try:
            piece = self._socket.recv(4096)
        except OSError as error:
            self._end("lost", errno.errorcode.get(error.errno or 0, "error"))
            return
        self._answer += piece
        if piece:
            return
        head, _, body = self._answer.partition(b"\r\n\r\n")
        if b" 200 " in head.split(b"\r\n")[0]:
            self._end("ok", body.decode())
        else:
            self._end("lost", "bad_answer")

    def _end(self, fate: str, detail: str) -> None:
        self._timer.cancel()
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        os.write(1, f"{self._start_ns} {time.monotonic_ns()} {fate} {detail}\n".encode())


def main() -> None:
    address = (sys.argv[1], int(sys.argv[2]))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    loop = Loop()

    def begin() -> None:
        Request(loop, address)

    loop.every(PACE_NS, begin)
    loop.run()


if __name__ == "__main__":
    main()

"""Metrics by HTTP (`pyhad_metrics`): `GET /metrics` and nothing else. Renders nothing, keeps no connection open.

Whoever connects gets little: a bounded request, a deadline, few at once. The virtual routers do not notice.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.control_proc.core.metrics import CONTENT_TYPE

CONNECTIONS_MAX = 32
REQUEST_MAX = 8192
PATIENCE_NS = 5_000_000_000
RETRY_NS = 5_000_000_000
BACKLOG = 64


class MetricsServer:
    """`order(deliver)` has the page made; `deliver(page)` runs when it is there."""

    def __init__(
        self, loop: Loop, logger: FilteringBoundLogger, order: Callable[[Callable[[str], None]], None]
    ) -> None:
        self._loop = loop
        self._logger = logger
        self._order = order
        self._place = ("", 0)
        self._listener: socket.socket | None = None
        self._retry: Timer | None = None
        self._said = ""
        self.connections = 0

    def configure(self, address: str, port: int) -> None:
        """Listen there from now on; with an empty address nowhere."""
        if (address, port) != self._place:
            self._place = (address, port)
            self._close()
            self._open()

    def _open(self) -> None:
        """Where the address is not there yet it is tried again."""
        self._retry = None
        address, port = self._place
        if not address:
            return
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self._place)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if self._said != str(error):
                self._said = str(error)
                self._logger.error("metrics_not_served", address=address, port=port, error=str(error))
            self._retry = self._loop.after(RETRY_NS, self._open)
            return
        self._said = ""
        self._listener = listener
        self._loop.watch(listener.fileno(), self._accept)
        self._logger.info("metrics_served", address=address, port=port)

    def _close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        if self._listener is not None:
            self._loop.unwatch(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def _accept(self, _events: int) -> None:
        assert self._listener is not None
        try:
            made, _ = self._listener.accept()
        except OSError:  # it went away again
            return
        if self.connections >= CONNECTIONS_MAX:
            made.close()
            return
        made.setblocking(False)
        _Connection(self, made)

    def begin(self, connection: _Connection) -> Timer:
        """One more; returns its deadline."""
        self.connections += 1
        return self.give_time(connection)

    def give_time(self, connection: _Connection) -> Timer:
        """It is closed at the end of its patience."""
        return self._loop.after(PATIENCE_NS, connection.close)

    def watch(self, made: socket.socket, action: Callable[[int], None], events: int) -> None:
        """As the loop's."""
        self._loop.watch(made.fileno(), action, events)

    def end(self, made: socket.socket) -> None:
        """One less."""
        self.connections -= 1
        self._loop.unwatch(made.fileno())
        made.close()

    def order(self, deliver: Callable[[str], None]) -> None:
        """Have the page made."""
        self._order(deliver)


class _Connection:
    """From its first byte to its last."""

    def __init__(self, server: MetricsServer, made: socket.socket) -> None:
        self._server = server
        self._socket: socket.socket | None = made
        self._request = b""
        self._answer = memoryview(b"")
        self._deadline = server.begin(self)
        server.watch(made, self._read, select.EPOLLIN)

    def close(self) -> None:
        """At its end, or when its time is over."""
        if self._socket is not None:
            self._deadline.cancel()
            self._server.end(self._socket)
            self._socket = None

    def _read(self, _events: int) -> None:
        assert self._socket is not None
        try:
            received = self._socket.recv(REQUEST_MAX)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        self._request += received
        if not received or len(self._request) > REQUEST_MAX:
            self.close()
        elif b"\r\n\r\n" in self._request or b"\n\n" in self._request:
            self._server.watch(self._socket, lambda _events: self.close(), select.EPOLLRDHUP)
            self._respond(self._request.split(b"\n", 1)[0].split())

    def _respond(self, words: list[bytes]) -> None:
        method, path = (*words[:2], b"", b"")[:2]
        if method not in (b"GET", b"HEAD"):
            self._send(b"405 Method Not Allowed", "", is_head=False)
        elif path.split(b"?")[0] != b"/metrics":
            self._send(b"404 Not Found", "metrics are at /metrics\n", is_head=method == b"HEAD")
        else:
            self._deadline.cancel()  # it takes as long as it takes; then who asked has the time to take it
            self._server.order(lambda page: self._send(b"200 OK", page, is_head=method == b"HEAD"))

    def _send(self, status: bytes, text: str, *, is_head: bool) -> None:
        if self._socket is None:  # gone while the page was made
            return
        self._deadline.cancel()
        self._deadline = self._server.give_time(self)
        body = text.encode("utf-8", "replace")
        kind = CONTENT_TYPE.encode() if status.startswith(b"200") else b"text/plain; charset=utf-8"
        head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        self._answer = memoryview(head % (status, kind, len(body)) + (b"" if is_head else body))
        self._server.watch(self._socket, self._write, select.EPOLLOUT)

    def _write(self, _events: int) -> None:
        assert self._socket is not None
        try:
            self._answer = self._answer[self._socket.send(self._answer) :]
        except BlockingIOError:
            return
        except OSError:
            self._answer = memoryview(b"")
        if not self._answer:
            self.close()

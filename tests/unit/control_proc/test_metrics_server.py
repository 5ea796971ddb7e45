"""Metrics by HTTP: one path, bounded requests, nobody waits for anybody."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import Loop
from pyhad.control_proc.metrics_server import CONNECTIONS_MAX, REQUEST_MAX, MetricsServer


class Served:
    """A server with its loop; what is ordered is delivered at once, unless `late` collects it."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.late: list[Callable[[str], None]] | None = None
        logger = ProcessLog("test", LogSettings(syslog=False)).logger
        self.server = MetricsServer(self.loop, logger, self._order)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.server.configure("127.0.0.1", self.port)

    def _order(self, deliver: Callable[[str], None]) -> None:
        if self.late is None:
            deliver("page\n" * 100_000)
        else:
            self.late.append(deliver)

    def connect(self, request: bytes) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), 40)
        made.sendall(request)
        made.setblocking(False)
        return made

    def answer(self, made: socket.socket) -> bytes:
        """Turn until the server closes."""
        received, end = b"", time.monotonic() + 40
        while time.monotonic() < end:
            self.loop.turn(0.01)
            try:
                got = made.recv(1 << 20)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                return received
            if not got:
                return received
            received += got
        raise AssertionError("the server did not close")


@pytest.fixture
def served() -> Iterator[Served]:
    """Listening on loopback."""
    made = Served()
    yield made
    for _ in range(100):
        if made.server.connections:
            made.loop.turn(0.02)
    assert made.server.connections == 0
    made.server.configure("", 0)
    made.loop.close()


def test_the_page_is_served_whole(served: Served) -> None:
    with served.connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") as made:
        head, _, body = served.answer(made).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert b"Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8" in head
    assert body == b"page\n" * 100_000
    assert served.server.connections == 0


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200"),
        (b"GET /metrics?x=1 HTTP/1.0\n\n", b"200"),
    ],
)
def test_other_questions_have_other_answers(served: Served, request_: bytes, status: bytes) -> None:
    with served.connect(request_) as made:
        assert served.answer(made).split()[1] == status


def test_a_question_without_end_is_cut_off(served: Served) -> None:
    with served.connect(b"GET /" + b"x" * (REQUEST_MAX + 1)) as made:
        assert served.answer(made) == b""


def test_who_goes_before_the_answer_harms_nobody(served: Served) -> None:
    served.late = []
    made = served.connect(b"GET /metrics HTTP/1.1\r\n\r\n")
    while not served.late:
        served.loop.turn(0.01)
    made.close()
    for _ in range(3):
        served.loop.turn(0.01)
    served.late[0]("page")
    assert served.server.connections == 0


def test_only_so_many_are_served_at_once(served: Served) -> None:
    held = [served.connect(b"") for _ in range(CONNECTIONS_MAX)]
    while served.server.connections < CONNECTIONS_MAX:
        served.loop.turn(0.01)
    with served.connect(b"GET /metrics HTTP/1.1\r\n\r\n") as made:
        assert served.answer(made) == b""
    for one in held:
        one.close()

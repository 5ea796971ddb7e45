"""A TLS probe leaves nothing behind in the loop when TLS cannot even begin."""

from __future__ import annotations

import select
import socket
import struct

from pyhad.checker_proc.core.events import ProbeFailed, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.deadlines import Deadlines
from pyhad.checker_proc.sockets import begin_connect
from pyhad.checker_proc.tls_probe import TlsProbe
from pyhad.common.config.model import HttpUrl, Target, TlsClient
from pyhad.common.loop import Loop
from pyhad.common.tls import client_context


class Heard:
    """An owner that remembers."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def take(self, result: Result) -> None:
        self.results.append(result)


def reset_with_data() -> socket.socket:
    """A connection that was made, got a byte, and was reset; the kernel's error has been asked for already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = begin_connect(Target(address="127.0.0.1", port=listener.getsockname()[1]))
        assert isinstance(client, socket.socket)
        server = listener.accept()[0]
        server.send(b"x")
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
    poll = select.poll()
    poll.register(client, 0)
    assert poll.poll(5000), "the reset arrives"
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
    return client


def test_a_connection_lost_just_before_the_handshake_fails_and_frees_its_descriptor() -> None:
    loop, heard = Loop(), Heard()
    client = reset_with_data()
    number = client.fileno()
    context = client_context(TlsClient())
    probe = TlsProbe(loop, Deadlines(loop), heard, client, b"GET / HTTP/1.0\r\n\r\n", HttpUrl(path="/"), context)
    probe.begin(loop.now_ns(), 1_000_000_000)
    loop.turn(1)
    [result] = heard.results
    assert isinstance(result, ProbeFailed)
    assert result.reason is Reason.TLS_HANDSHAKE
    assert probe.is_done
    again, other = socket.socketpair()
    with again, other:
        assert number in (again.fileno(), other.fileno()), "the number is free again"
        loop.watch(number, lambda _events: None)  # raises if the loop still believes in the old one
        loop.unwatch(number)
    loop.close()

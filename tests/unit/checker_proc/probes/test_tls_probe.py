"""A TLS probe leaves nothing behind in the loop when TLS cannot even begin."""

from __future__ import annotations

import os
import select
import socket
import struct

from hypothesis import given, settings, strategies as st

from pyhad.checker_proc.core.events import ProbeFailed, Result
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.exchange import Http1Exchange
from pyhad.checker_proc.probes.sockets import begin_connect
from pyhad.checker_proc.probes.tls_probe import TlsManner, TlsProbe
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
    exchange = Http1Exchange(b"GET / HTTP/1.0\r\n\r\n", HttpUrl(path="/"))
    probe = TlsProbe(loop, Deadlines(loop), heard, client, exchange, TlsManner(context=context))
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


RECORDS = st.sampled_from(
    [
        b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", b"\x16\x03\x03\xff\xff", b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x14\x03\x03\x00\x01\x01", b"\x17\x03\x03\x40\x00", b"\x16\x03\x01\x00\x00", b"HTTP/1.0 200 OK\r\n\r\n",
    ]
)  # fmt: skip
"""A ServerHello of no length, one too long, an alert, a change of ciphers, data before keys, nothing, no TLS."""


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.lists(st.one_of(RECORDS, st.binary(max_size=200)), max_size=6))
def test_whatever_a_server_says_instead_of_tls_is_one_failure_and_leaves_no_descriptor(pieces: list[bytes]) -> None:
    loop, heard = Loop(), Heard()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    before = len(os.listdir("/proc/self/fd"))
    context = client_context(TlsClient())
    exchange = Http1Exchange(b"GET / HTTP/1.0\r\n\r\n", HttpUrl(path="/"))
    probe = TlsProbe(loop, Deadlines(loop), heard, ours, exchange, TlsManner(context=context))
    probe.begin(loop.now_ns(), 100_000_000)
    for piece in pieces:
        theirs.sendall(piece)
    theirs.close()
    end_ns = loop.now_ns() + 5_000_000_000
    while not heard.results and loop.now_ns() < end_ns:
        loop.turn(0.05)
    assert [type(result) for result in heard.results] == [ProbeFailed]
    assert probe.is_done
    assert len(os.listdir("/proc/self/fd")) == before - 2
    loop.close()

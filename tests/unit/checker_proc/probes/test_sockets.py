"""What errnos mean, and targets that cannot be asked."""

from __future__ import annotations

import errno
import select
import socket
import struct

import pytest

from pyhad.checker_proc.core.events import ProbeFailed, ProbeImpossible
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes.sockets import begin_connect, error_of, failure_of, peer_of
from pyhad.common.config.model import Target


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, ProbeFailed(reason=Reason.CONNECT_REFUSED, latency_ns=9)),
        (errno.ETIMEDOUT, ProbeFailed(reason=Reason.TIMEOUT, latency_ns=9)),
        (errno.ENETUNREACH, ProbeFailed(reason=Reason.NO_ROUTE, latency_ns=9)),
        (errno.EHOSTUNREACH, ProbeFailed(reason=Reason.HOST_UNREACHABLE, latency_ns=9)),
        (errno.ECONNRESET, ProbeFailed(reason=Reason.CONNECTION_RESET, latency_ns=9)),
        (errno.EPROTO, ProbeFailed(reason=Reason.CONNECT_FAILED, latency_ns=9)),
        (errno.EMFILE, ProbeImpossible(reason=Reason.NO_RESOURCES)),
        (errno.EADDRNOTAVAIL, ProbeImpossible(reason=Reason.BIND_FAILED)),
    ],
)
def test_an_errno_speaks_of_the_server_or_of_us(number: int, expected: ProbeFailed | ProbeImpossible) -> None:
    assert failure_of(number, 9) == expected


def test_the_error_of_a_socket_is_asked_for_where_there_is_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    begun = begin_connect(Target(address="127.0.0.1", port=port))
    assert isinstance(begun, socket.socket)
    with begun, select.epoll() as epoll:
        epoll.register(begun, select.EPOLLOUT)
        ((_, events),) = epoll.poll(5)
        assert error_of(begun, select.EPOLLOUT) == 0
        assert error_of(begun, events) == errno.ECONNREFUSED


def test_a_peer_is_numeric_and_a_zone_becomes_its_interface() -> None:
    assert peer_of(Target(address="10.0.0.1", port=80)) == ("10.0.0.1", 80)
    assert peer_of(Target(address="fd00::1", port=80)) == ("fd00::1", 80, 0, 0)
    assert peer_of(Target(address="fe80::1%lo", port=80)) == ("fe80::1", 80, 0, 1)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target(address="127.0.0.1", port=9, bind_address="192.0.2.77"), Reason.BIND_FAILED),
        (Target(address="127.0.0.1", port=9, bind_interface="no-such-if0"), Reason.BIND_INTERFACE_FAILED),
        (Target(address="fe80::1%no-such-if0", port=9), Reason.BAD_TARGET),
        (Target(address="127.0.0.1", port=70_000), Reason.BAD_TARGET),
    ],
)
def test_what_cannot_be_asked_says_why_and_leaves_no_socket(target: Target, reason: Reason) -> None:
    assert begin_connect(target) == ProbeImpossible(reason=reason)


def test_bind_port_and_bind_address_are_where_the_connection_comes_from() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target(address="127.0.0.1", port=server.getsockname()[1], bind_address="127.0.0.9", bind_port=port)
        for _ in range(3):  # the port is free again each time
            begun = begin_connect(target)
            assert isinstance(begun, socket.socket)
            assert begun.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0)
            connection, origin = server.accept()
            assert origin == ("127.0.0.9", port)
            begun.close()
            connection.close()

"""What the service manager hears."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyhad.parent.systemd import ServiceManager


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def test_each_word_is_one_datagram(ear: socket.socket) -> None:
    manager = ServiceManager(ear.getsockname())
    manager.ready("serving", 42)
    manager.beat()
    manager.failed(4)
    manager.stopping()
    manager.close()
    assert [ear.recv(1000) for _ in range(4)] == [
        b"READY=1\nMAINPID=42\nSTATUS=serving",
        b"WATCHDOG=1",
        b"ERRNO=4",
        b"STOPPING=1\nSTATUS=stopping",
    ]


def test_a_reload_is_said_with_its_moment(ear: socket.socket) -> None:
    manager = ServiceManager(ear.getsockname())
    manager.reloading()
    manager.close()
    lines = ear.recv(1000).decode().splitlines()
    assert lines[0] == "RELOADING=1"
    assert lines[1].startswith("MONOTONIC_USEC=")
    assert int(lines[1].removeprefix("MONOTONIC_USEC=")) > 0


def test_the_watchdog_waits_longer_while_the_program_is_replaced(ear: socket.socket) -> None:
    manager = ServiceManager(ear.getsockname(), watchdog_ns=10_000_000_000)
    manager.away()
    manager.back()
    manager.close()
    assert [ear.recv(1000) for _ in range(2)] == [
        b"WATCHDOG_USEC=60000000\nWATCHDOG=1",
        b"WATCHDOG_USEC=10000000\nWATCHDOG=1",
    ]


def test_a_manager_without_a_watchdog_hears_nothing_of_it(ear: socket.socket) -> None:
    manager = ServiceManager(ear.getsockname())
    manager.away()
    manager.back()
    manager.ready("serving", 42)
    manager.close()
    assert ear.recv(1000).startswith(b"READY=1")


@pytest.mark.parametrize("address", ["", "/no/such/socket", "@no-such-name-of-pyhad"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    manager = ServiceManager(address)
    manager.ready("serving", 42)
    manager.beat()


def test_a_manager_that_does_not_read_blocks_nobody(ear: socket.socket) -> None:
    manager = ServiceManager(ear.getsockname())
    for _ in range(5000):
        manager.beat()
    manager.close()

"""Very many short connections, some long ones, and servers that count them: programs for hosts of the lab.

    python -m tests.lab.connections server NAME | load SOURCE ADDRESS COUNT | hold SOURCE ADDRESS COUNT FLAG
        | ask COUNT tcp/ADDRESS|udp/ADDRESS...

Each prints JSON lines. Clients connect and reset at once, so that no port stays in use; a connection from a port of
HELD and above is kept and answered.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time

PORT, UDP_PORT = 80, 53
HELD = 61000
FIRST_PORT = 10_000 + os.getpid() % 200 * 100
"""Of questions by UDP: other ones in each run, below those that the kernel picks."""
_BIND_ADDRESS_NO_PORT = 24


class Server:
    """Accepts and closes, or keeps; answers datagrams with its name; prints its counts when it has nothing to do."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._tcp = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
        self._udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._udp.bind(("::", UDP_PORT))
        self._kept: dict[int, socket.socket] = {}
        self._counts = {"tcp": 0, "udp": 0, "kept": 0}
        self._poller = select.epoll()
        for one in (self._tcp, self._udp):
            one.setblocking(False)
            self._poller.register(one, select.EPOLLIN)

    def run(self) -> None:
        """For ever."""
        said = {"tcp": -1}
        while True:
            ready = self._poller.poll(0.1)
            for fd, _ in ready:
                if fd in self._kept:
                    self._answer(fd)
                else:
                    self._accept() if fd == self._tcp.fileno() else self._reply()
            if not ready and said != self._counts:
                said = dict(self._counts)
                print(json.dumps(said), flush=True)

    def _accept(self) -> None:
        for _ in range(256):
            try:
                one, peer = self._tcp.accept()
            except BlockingIOError:
                return
            except OSError:  # reset before it was accepted
                self._counts["tcp"] += 1
                continue
            if peer[1] >= HELD:
                self._kept[one.fileno()] = one
                self._poller.register(one, select.EPOLLIN)
                self._counts["kept"] += 1
            else:
                self._counts["tcp"] += 1
                self._greet(one)

    def _greet(self, one: socket.socket) -> None:
        try:
            one.send(self._name)
        except OSError:
            pass  # reset already
        one.close()

    def _reply(self) -> None:
        self._udp.sendto(self._name, self._udp.recvfrom(100)[1])
        self._counts["udp"] += 1

    def _answer(self, fd: int) -> None:
        try:
            words = self._kept[fd].recv(100)
        except OSError:
            words = b""
        if words:
            self._kept[fd].send(words)
        else:
            self._poller.unregister(fd)
            self._kept.pop(fd).close()


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def load(source: str, address: str, count: int) -> None:
    """Connect and reset, one after the other; prints what failed, and what did only the first time."""
    failed: list[str] = []
    again: list[str] = []
    for _ in range(count):
        problem = _connect(source, address)
        if problem:
            again.append(problem)
            if problem := _connect(source, address):
                failed.append(problem)
    kinds = sorted({*failed, *again})[:5]
    print(json.dumps({"count": count, "failed": len(failed), "again": len(again), "kinds": kinds}), flush=True)


def _connect(source: str, address: str) -> str:
    """Connect and reset; what went wrong."""
    one = socket.socket(_family(address), socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    one.settimeout(30)
    try:
        one.bind((source, 0))
        one.connect((address, PORT))
    except OSError as error:
        return repr(error)
    finally:
        one.close()
    return ""


def hold(source: str, address: str, count: int, flag: str) -> None:
    """Connections that stay until FLAG is a file; prints then how many of them still answer."""
    held = [socket.create_connection((address, PORT), 30, (source, HELD + number)) for number in range(count)]
    print(json.dumps({"held": len(held)}), flush=True)
    end = time.monotonic() + 300
    while not os.path.exists(flag) and time.monotonic() < end:
        time.sleep(0.05)
    alive = 0
    for one in held:
        one.sendall(b"?")
        alive += one.recv(10) == b"?"
    print(json.dumps({"alive": alive}), flush=True)


def ask(count: int, targets: list[str]) -> None:
    """Each so many times, from another port each time, up to the first failure: who answered how often, by target."""
    found: dict[str, dict[str, int]] = {}
    for target in targets:
        protocol, _, address = target.partition("/")
        answers = found.setdefault(target, {})
        for number in range(count):
            try:
                answer = _ask_udp(address, FIRST_PORT + number) if protocol == "udp" else _ask_tcp(address)
            except OSError as error:
                answers[type(error).__name__] = 1
                break  # the others would only take their time
            answers[answer] = answers.get(answer, 0) + 1
    print(json.dumps(found), flush=True)


def _ask_udp(address: str, port: int) -> str:
    with socket.socket(_family(address), socket.SOCK_DGRAM) as one:
        one.bind(("", port))  # what the kernel picks may be one that a flow had before, which stays with its server
        one.settimeout(20)
        one.sendto(b"?", (address, UDP_PORT))
        return one.recv(100).decode()


def _ask_tcp(address: str) -> str:
    with socket.create_connection((address, PORT), 20) as one:
        return one.recv(100).decode()


def main(words: list[str]) -> None:
    match words:
        case ["server", name]:
            Server(name).run()
        case ["load", source, address, count]:
            load(source, address, int(count))
        case ["ask", count, *targets]:
            ask(int(count), targets)
        case ["hold", source, address, count, flag]:
            hold(source, address, int(count), flag)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What surrounds the checker in the lab: a stand-in parent, hubs that play its receivers, servers of every kind.

All in one loop of the test's own; only the checker is another process, forked as the parent forks it.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import signal
import socket
import sys
import time
from collections.abc import Callable

from pyhad.checker_proc.main import main as checker_main
from pyhad.common import lifeline, messages as m, privileges
from pyhad.common.blackbox import BlackBox
from pyhad.common.bus import Context, Hub, Peer
from pyhad.common.channels import STATUS, VERDICTS, Channel
from pyhad.common.codec import encode
from pyhad.common.config.model import (
    SCHEMA,
    Check,
    CheckedServer,
    CheckerDocument,
    HttpCheck,
    HttpUrl,
    Target,
    TcpCheck,
    Timing,
    TlsClient,
)
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import WRITE, Loop
from pyhad.common.pulse import PulsePage
from pyhad.common.runtime import ChildContext, ChildOptions
from pyhad.common.states import ProcessName
from pyhad.parent.fork import close_all_but
from tests.lab.net import log_lines

MS = 1_000_000
SERVICE = "10.0.0.1:80/tcp"
FAST = Timing(delay_loop_ns=100 * MS, retry=0, delay_before_retry_ns=50 * MS, warmup_ns=0)


class Director:
    """What surrounds the checker: a stand-in parent, and hubs that play the IPVS owner and control."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.loop = Loop()
        self.context = Context()
        self.account = privileges.service_account()
        self.box = BlackBox(4096, 64)
        self.pulse = PulsePage()
        self.logger = ProcessLog("test", LogSettings(syslog=False)).logger
        self.counters: collections.Counter[str] = collections.Counter()
        self.verdicts: dict[tuple[str, str], m.Verdict] = {}
        self.heard: list[object] = []
        self.reports: list[m.CheckerStatus] = []
        self.sender = b""
        self.applied = 0
        self.servers: list[Server] = []
        self.pid = 0
        self.workers = 0
        """Of the documents to come."""
        self.end = socket.socket(socket.AF_UNIX)
        self.icmp = [
            self._icmp(socket.AF_INET, socket.IPPROTO_ICMP),
            self._icmp(socket.AF_INET6, socket.IPPROTO_ICMPV6),
        ]
        self.listeners = {channel.name: self._listen(channel.path) for channel in (VERDICTS, STATUS)}
        self.hubs: list[Hub] = []
        self.open_hubs()

    def open_hubs(self) -> None:
        self.hubs = [self._hub(VERDICTS, self._take_verdict), self._hub(STATUS, self._take_status)]

    def _icmp(self, family: int, protocol: int) -> int:
        return socket.socket(family, socket.SOCK_RAW, protocol).detach()

    def _listen(self, path: str) -> socket.socket:
        full = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.chmod(os.path.dirname(full), 0o755)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(full)
        os.chown(full, 0, self.account[2])
        os.chmod(full, 0o660)
        listener.listen(16)
        return listener

    def _hub(self, channel: Channel, take: Callable[[bytes, Peer, object], None]) -> Hub:
        return Hub(
            self.loop, self.context, channel, path=os.path.join(self.folder, channel.path), logger=self.logger,
            listener_fd=self.listeners[channel.name].fileno(), counters=self.counters,
            is_welcome=lambda _peer: True, on_message=take,
        )  # fmt: skip

    def start(self, *servers: CheckedServer, tls_client: TlsClient | None = None) -> None:
        """Fork the checker with this document, or fork its successor."""
        content = dataclasses.replace(document(*servers), tls_client=tls_client or TlsClient(), workers=self.workers)
        ours, theirs = lifeline.pair()
        parent_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                close_all_but(frozenset({0, 1, 2, theirs.fileno(), *self.icmp}))
                os._exit(checker_main(self._child_context(parent_pid, theirs, content)))
            except BaseException as error:
                print(f"checker: {error!r}", file=sys.stderr, flush=True)
                os._exit(70)
        theirs.close()
        self.loop.unwatch(self.end.fileno())
        self.end.close()
        self.pid, self.end = pid, ours
        self.loop.watch(ours.fileno(), self._hear)

    def _child_context(self, parent_pid: int, end: socket.socket, content: CheckerDocument) -> ChildContext:
        return ChildContext(
            name=ProcessName.CHECKER, parent_pid=parent_pid, run_dir=self.folder, document=encode(content),
            pulse=self.pulse, box=self.box, lifeline=end, account=self.account, options=ChildOptions(), listeners={},
            log=LogSettings(syslog=False, file=os.path.join(self.folder, "log")), icmp4=self.icmp[0],
            icmp6=self.icmp[1],
        )  # fmt: skip

    def _hear(self, _events: int) -> None:
        while (heard := lifeline.hear(self.end)) is not None:
            self.applied += heard[0] == lifeline.APPLIED
            if heard[0] == b"":
                self.loop.unwatch(self.end.fileno())
                return

    def _take_verdict(self, sender: bytes, _peer: Peer, message: object) -> None:
        self.sender = sender
        self.heard.append(message)
        match message:
            case m.VerdictSnapshot():
                self.verdicts = {(one.service, one.server): one for one in message.verdicts}
            case m.VerdictChanged():
                self.verdicts[(message.verdict.service, message.verdict.server)] = message.verdict

    def _take_status(self, sender: bytes, _peer: Peer, message: object) -> None:
        if not isinstance(message, m.AtWork):  # said before each report
            assert isinstance(message, m.CheckerStatus)
            self.reports.append(message)

    def serve(self, behave: Behaviour, port: int = 0, address: str = "127.0.0.1") -> Server:
        """A server on loopback, in this loop, closed at the end of the test if not before."""
        self.servers.append(Server(self.loop, behave, port, address))
        return self.servers[-1]

    def reload(self, *servers: CheckedServer) -> None:
        fd = sealed(encode(dataclasses.replace(document(*servers), workers=self.workers)))
        assert lifeline.say(self.end, lifeline.DOCUMENT, fd)
        os.close(fd)

    def until(self, true: Callable[[], object], timeout_s: float = 60) -> None:
        """Turn until something holds."""
        end = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < end, f"not in {timeout_s} s; verdicts {self.verdicts}\n{self.log_text()}"
            self.turn(0.02)

    def turn(self, seconds: float) -> None:
        self.loop.after(int(seconds * 1e9), lambda: None)
        self.loop.turn(seconds)

    def turn_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn(0.02)

    def up(self, server: str) -> bool | None:
        verdict = self.verdicts.get((SERVICE, server))
        return None if verdict is None else verdict.up

    def says(self, server: str) -> tuple[bool, str]:
        verdict = self.verdicts[(SERVICE, server)]
        return verdict.up, verdict.reason

    def log_text(self) -> str:
        path = pathlib.Path(self.folder, "log")
        return path.read_text() if path.exists() else ""

    def lines(self, event: str) -> list[dict[str, object]]:
        return [line for line in log_lines(pathlib.Path(self.folder, "log")) if line["event"] == event]

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert os.waitpid(self.pid, 0)[1] == signal.SIGKILL
        self.pid = 0

    def stop(self) -> int:
        lifeline.say(self.end, lifeline.STOP)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def is_alive(self) -> bool:
        return os.waitpid(self.pid, os.WNOHANG) == (0, 0)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.end.close()
        for server in self.servers:
            server.close()
        for fd in self.icmp:
            if fd >= 0:
                os.close(fd)
        for hub in self.hubs:
            hub.close()
        for listener in self.listeners.values():
            listener.close()
        self.context.close()
        self.loop.close()


class Server:
    """A listener on loopback in the director's loop. `behave(connection, data)` is called with what arrives."""

    def __init__(
        self,
        loop: Loop,
        behave: Behaviour,
        port: int = 0,
        address: str = "127.0.0.1",
    ) -> None:
        self.loop = loop
        self.behave = behave
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.listener.setblocking(False)
        self.connections: set[socket.socket] = set()
        self.requests: list[bytes] = []
        self.accepted = 0
        loop.watch(self.listener.fileno(), self._accept)

    def _accept(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection = self.listener.accept()[0]
                connection.setblocking(False)
                self.accepted += 1
                self.connections.add(connection)
                self.loop.watch(connection.fileno(), lambda _events, one=connection: self._read(one))

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.drop(connection)
            return
        self.requests.append(data)
        self.behave(self, connection, data)

    def pour(self, connection: socket.socket, chunk: bytes) -> None:
        """Send this again and again as fast as it is taken."""

        def more(_events: int) -> None:
            try:
                connection.send(chunk)
            except BlockingIOError:
                pass
            except OSError:
                self.drop(connection)

        self.loop.watch(connection.fileno(), more, WRITE)

    def drop(self, connection: socket.socket) -> None:
        if connection in self.connections:
            self.connections.discard(connection)
            self.loop.unwatch(connection.fileno())
            connection.close()

    def close(self) -> None:
        self.loop.unwatch(self.listener.fileno())
        self.listener.close()
        for connection in list(self.connections):
            self.drop(connection)


Behaviour = Callable[[Server, socket.socket, bytes], None]


def replying(response: bytes) -> Behaviour:
    def behave(server: Server, connection: socket.socket, _data: bytes) -> None:
        connection.send(response)
        server.drop(connection)

    return behave


def silent(_server: Server, _connection: socket.socket, _data: bytes) -> None:
    return


def document(*servers: CheckedServer) -> CheckerDocument:
    return CheckerDocument(schema=SCHEMA, generation=1, servers=servers)


def checked(server: str, *checks: Check, weight: int = 1, alpha: bool = False) -> CheckedServer:
    address, _, port = server.rpartition(":")
    return CheckedServer(
        service=SERVICE, server=server, address=address, port=int(port), weight=weight, alpha=alpha, checks=checks
    )


def target(port: int, timeout_ms: int = 2000) -> Target:
    return Target(address="127.0.0.1", port=port, connect_timeout_ns=timeout_ms * MS)


def tcp(port: int, timing: Timing = FAST) -> TcpCheck:
    return TcpCheck(target=target(port), timing=timing, alpha=False)


def http(port: int, *urls: HttpUrl, timeout_ms: int = 2000) -> HttpCheck:
    return HttpCheck(target=target(port, timeout_ms), timing=FAST, alpha=False, urls=urls or (HttpUrl(path="/"),))


def sealed(content: bytes) -> int:
    """A document as the parent makes it: nobody can change it."""
    fd = os.memfd_create("document", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return fd


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])

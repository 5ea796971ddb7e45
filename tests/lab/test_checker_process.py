"""The real checker process, unprivileged, against servers of every kind on loopback; the test plays the IPVS owner."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest

from pyhad.checker_proc.main import main as checker_main
from pyhad.common import lifeline, privileges
from pyhad.common import messages as m
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
    MiscCheck,
    PingCheck,
    Target,
    TcpCheck,
    Timing,
)
from pyhad.common.log import LogSettings, ProcessLog
from pyhad.common.loop import WRITE, Loop
from pyhad.common.pulse import PulsePage
from pyhad.common.runtime import ChildContext, ChildOptions
from pyhad.common.states import ProcessName
from pyhad.parent.fork import close_all_but

MS = 1_000_000
SERVICE = "10.0.0.1:80/tcp"
FAST = Timing(delay_loop_ns=100 * MS, retry=0, delay_before_retry_ns=50 * MS, warmup_ns=0)

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


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
        self.pid = 0
        self.end = socket.socket(socket.AF_UNIX)
        self.icmp = [self._icmp(socket.AF_INET, socket.IPPROTO_ICMP), -1]
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

    def start(self, *servers: CheckedServer) -> None:
        """Fork the checker with this document, or fork its successor."""
        ours, theirs = lifeline.pair()
        parent_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                close_all_but(frozenset({0, 1, 2, theirs.fileno(), *self.icmp}))
                os._exit(checker_main(self._child_context(parent_pid, theirs, document(*servers))))
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
        assert isinstance(message, m.CheckerStatus)
        self.reports.append(message)

    def reload(self, *servers: CheckedServer) -> None:
        fd = lifeline.write_memfd("document", encode(document(*servers)))
        assert lifeline.say(self.end, lifeline.DOCUMENT, fd)
        os.close(fd)

    def until(self, true: Callable[[], object], timeout_s: float = 6) -> None:
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
        return [line for line in map(json.loads, self.log_text().splitlines()) if line["event"] == event]

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

    def __init__(self, loop: Loop, behave: Callable[[Server, socket.socket, bytes], None], port: int = 0) -> None:
        self.loop = loop
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4096)
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


def replying(response: bytes) -> Callable[[Server, socket.socket, bytes], None]:
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


def target(port: int, timeout_ms: int = 500) -> Target:
    return Target(address="127.0.0.1", port=port, connect_timeout_ns=timeout_ms * MS)


def tcp(port: int, timing: Timing = FAST) -> TcpCheck:
    return TcpCheck(target=target(port), timing=timing, alpha=False)


def http(port: int, *urls: HttpUrl, timeout_ms: int = 500) -> HttpCheck:
    return HttpCheck(target=target(port, timeout_ms), timing=FAST, alpha=False, urls=urls or (HttpUrl(path="/"),))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def director() -> Iterator[Director]:
    folder = tempfile.mkdtemp(prefix="pyhad-checker-")
    os.chmod(folder, 0o755)
    made = Director(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


OK = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_a_closed_port_is_down_for_being_refused_and_an_open_one_is_up(director: Director) -> None:
    server = Server(director.loop, silent)
    director.start(checked("10.0.0.11:80", tcp(server.port)), checked("10.0.0.12:80", tcp(closed_port())))
    director.until(lambda: director.verdicts)
    assert director.says("10.0.0.11:80") == (True, "not_checked_yet")
    director.until(lambda: director.up("10.0.0.12:80") is False)
    assert director.says("10.0.0.12:80") == (False, "connect_refused")
    director.until(lambda: director.says("10.0.0.11:80") == (True, "check_succeeded"))
    server.close()
    director.until(lambda: director.up("10.0.0.11:80") is False)
    again = Server(director.loop, silent, server.port)
    director.until(lambda: director.up("10.0.0.11:80"))
    assert [line["server"] for line in director.lines("server_up")] == ["10.0.0.11:80"]
    assert director.stop() == 0
    again.close()


def test_each_http_answer_gives_its_own_reason(director: Director) -> None:
    digest = hashlib.md5(b"hello", usedforsecurity=False).hexdigest()
    bodies = {
        "10.0.0.11:80": (OK, HttpUrl(path="/", digest=digest), True, "check_succeeded"),
        "10.0.0.12:80": (OK, HttpUrl(path="/", digest="0" * 32), False, "http_digest"),
        "10.0.0.13:80": (b"HTTP/1.0 503 Busy\r\n\r\n", HttpUrl(path="/"), False, "http_status"),
        "10.0.0.14:80": (b"", HttpUrl(path="/"), False, "http_no_data"),
        "10.0.0.15:80": (bytes(range(256)) * 8, HttpUrl(path="/"), False, "http_bad_status_line"),
    }
    servers = {name: Server(director.loop, replying(body)) for name, (body, *_) in bodies.items()}
    director.start(*(checked(name, http(servers[name].port, url)) for name, (_, url, *_) in bodies.items()))
    for name, (_, _, up, reason) in bodies.items():
        director.until(lambda name=name, said=(up, reason): director.verdicts and director.says(name) == said)
    port = servers["10.0.0.11:80"].port
    request = f"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    assert servers["10.0.0.11:80"].requests[0] == request.encode()
    for server in servers.values():
        server.close()


def test_hostile_servers_never_kill_it_and_are_down_for_the_right_reason(director: Director) -> None:
    wants_body = HttpUrl(path="/", digest="0" * 32)

    def trickle(server: Server, connection: socket.socket, _data: bytes) -> None:
        def drip() -> None:
            if connection in server.connections:
                with contextlib.suppress(OSError):
                    connection.send(b"H")
                server.loop.after(30 * MS, drip)

        connection.send(b"HTTP/1.0 200 OK\r\nX: ")
        drip()

    def pouring(head: bytes, chunk: bytes) -> Callable[[Server, socket.socket, bytes], None]:
        def behave(server: Server, connection: socket.socket, _data: bytes) -> None:
            connection.send(head)
            server.pour(connection, chunk)

        return behave

    head = b"HTTP/1.1 200 OK\r\n"
    cases = {
        "10.0.0.11:80": (pouring(head, b"A: b\r\n" * 1000), HttpUrl(path="/"), "http_headers_too_long"),
        "10.0.0.12:80": (pouring(head + b"\r\n", b"x" * 1_000_000), wants_body, "http_body_too_long"),
        "10.0.0.13:80": (trickle, HttpUrl(path="/"), "timeout"),
        "10.0.0.14:80": (pouring(b"", os.urandom(65536)), HttpUrl(path="/"), "http_bad_status_line"),
        "10.0.0.15:80": (silent, HttpUrl(path="/"), "timeout"),
        "10.0.0.16:80": (
            pouring(head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000), wants_body,
            "http_body_too_long",
        ),
    }  # fmt: skip
    servers = {name: Server(director.loop, behave) for name, (behave, *_) in cases.items()}
    director.start(
        *(checked(name, http(servers[name].port, url, timeout_ms=3000)) for name, (_, url, _) in cases.items())
    )
    for name, (_, _, reason) in cases.items():
        director.until(lambda name=name: director.up(name) is False, timeout_s=20)
        assert director.says(name) == (False, reason), name
    assert director.is_alive()
    for server in servers.values():
        server.close()


def test_killed_and_respawned_it_keeps_its_verdicts(director: Director) -> None:
    alive, slow = Server(director.loop, silent), Timing(delay_loop_ns=3_000 * MS, retry=1, warmup_ns=0)
    servers = (
        checked("10.0.0.11:80", tcp(alive.port, slow)),
        checked("10.0.0.12:80", tcp(closed_port(), slow)),
    )
    director.start(*servers)
    director.until(lambda: director.up("10.0.0.12:80") is False)
    director.until(lambda: director.says("10.0.0.11:80") == (True, "check_succeeded"))
    before = dict(director.verdicts)
    generation = director.heard[-1].generation  # type: ignore[attr-defined]
    for _ in range(5):
        director.kill()
        director.verdicts = {}
        director.start(*servers)
        director.until(lambda: director.verdicts)
        assert director.verdicts == before
        snapshot = [one for one in director.heard if isinstance(one, m.VerdictSnapshot)][-1]
        assert snapshot.generation > generation
        generation = snapshot.generation
    alive.close()
    director.until(lambda: director.up("10.0.0.11:80") is False, timeout_s=10)
    assert director.lines("check_failed")[-1]["reason"] == "connect_refused"


def test_it_runs_without_any_privilege(director: Director) -> None:
    director.start(checked("10.0.0.11:80", tcp(closed_port())))
    director.until(lambda: director.verdicts)
    status = pathlib.Path(f"/proc/{director.pid}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(facts[name], 16) == 0, name
    assert facts["Uid"].split() == [str(director.account[1])] * 4


def test_a_thousand_failing_probes_leave_no_descriptor(director: Director) -> None:
    timing = Timing(delay_loop_ns=10 * MS, retry=0, warmup_ns=0)
    mute = Server(director.loop, silent)
    never = Target(address="127.0.0.1", port=mute.port, connect_timeout_ns=20 * MS)
    late = HttpCheck(target=never, timing=timing, alpha=False, urls=(HttpUrl(path="/"),))
    failing = [tcp(closed_port(), timing) for _ in range(3)]
    missing = MiscCheck(argv=("/does/not/exist",), timeout_ns=100 * MS, dynamic=False, timing=timing, alpha=False)
    director.start(checked("10.0.0.11:80", *failing, late, missing))
    director.until(lambda: director.up("10.0.0.11:80") is False)
    at_first = director.descriptors()
    director.until(lambda: director.reports and _failures(director) >= 1000, timeout_s=20)
    assert director.descriptors() <= at_first + 5
    mute.close()


def _failures(director: Director) -> int:
    if director.counters["asked"] % 10 == 0:
        with contextlib.suppress(IndexError):
            director.hubs[1].send(b"checker", m.StatusWanted(ticket=7))
    director.counters["asked"] += 1
    return sum(check.failures for health in director.reports[-1].servers for check in health.checks)


def test_the_loopback_answers_pings_and_a_black_hole_does_not(director: Director) -> None:
    hole = Target(address="240.0.0.1", port=0, connect_timeout_ns=200 * MS)
    director.start(
        checked("10.0.0.11:80", PingCheck(target=target(0), timing=FAST, alpha=True)),
        checked("10.0.0.12:80", PingCheck(target=hole, timing=FAST, alpha=False)),
    )
    director.until(lambda: director.up("10.0.0.11:80"))
    director.until(lambda: director.up("10.0.0.12:80") is False)
    assert director.says("10.0.0.12:80")[1] in ("timeout", "no_route", "connect_failed")


def test_an_exit_status_is_a_verdict_and_a_dynamic_one_a_weight(director: Director) -> None:
    def misc(script: str, dynamic: bool = False) -> MiscCheck:
        argv = ("/bin/sh", "-c", script)
        return MiscCheck(argv=argv, timeout_ns=300 * MS, dynamic=dynamic, timing=FAST, alpha=False)

    director.start(
        checked("10.0.0.11:80", misc("exit 0"), weight=5),
        checked("10.0.0.12:80", misc("exit 3"), weight=5),
        checked("10.0.0.13:80", misc("exit 12", dynamic=True), weight=5),
        checked("10.0.0.14:80", misc("trap '' TERM; sleep 60 & sleep 61"), weight=5),
        checked("10.0.0.15:80", misc("kill -9 $$"), weight=5),
    )
    director.until(lambda: sum(one.reason != "not_checked_yet" for one in director.verdicts.values()) == 5)
    assert director.says("10.0.0.11:80") == (True, "check_succeeded")
    assert director.says("10.0.0.12:80") == (False, "exit_status")
    assert director.verdicts[(SERVICE, "10.0.0.13:80")].weight == 10
    assert director.says("10.0.0.14:80") == (False, "timeout")
    assert director.says("10.0.0.15:80") == (False, "killed_by_signal")
    assert director.stop() == 0
    time.sleep(0.2)
    assert _programs("sleep 60") == []


def _programs(words: str) -> list[str]:
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            found += [command] if command == words else []
    return found


def test_a_reload_keeps_what_is_known_and_starts_and_ends_the_rest(director: Director) -> None:
    alive = Server(director.loop, silent)
    dead = closed_port()
    slow = Timing(delay_loop_ns=60_000 * MS, warmup_ns=0)
    kept = (checked("10.0.0.11:80", tcp(alive.port, slow)), checked("10.0.0.12:80", tcp(dead, slow)))
    director.start(*kept, checked("10.0.0.13:80", tcp(alive.port, slow)))
    director.until(lambda: director.up("10.0.0.12:80") is False)
    director.until(lambda: director.says("10.0.0.11:80") == (True, "check_succeeded"))
    before = dict(director.verdicts)
    director.reload(*kept, checked("10.0.0.14:80"))
    director.until(lambda: director.applied == 1)
    director.until(lambda: director.up("10.0.0.14:80"))
    assert director.says("10.0.0.14:80") == (True, "no_checks")
    assert (SERVICE, "10.0.0.13:80") not in director.verdicts
    for name in ("10.0.0.11:80", "10.0.0.12:80"):
        assert director.verdicts[(SERVICE, name)] == before[(SERVICE, name)]
    alive.close()


def test_it_says_everything_again_to_a_new_hub_and_to_who_misses_something(director: Director) -> None:
    director.start(checked("10.0.0.11:80", tcp(closed_port())))
    director.until(lambda: director.up("10.0.0.11:80") is False)
    director.until(lambda: any(isinstance(one, m.Beat) and one.sequence == 1 for one in director.heard))
    director.heard.clear()
    director.hubs[0].send(director.sender, m.SnapshotWanted(reason="gap"))
    director.until(lambda: any(isinstance(one, m.VerdictSnapshot) for one in director.heard))
    for hub in director.hubs:
        hub.close()
    director.turn_for(0.2)
    director.heard.clear()
    director.open_hubs()
    director.until(lambda: any(isinstance(one, m.VerdictSnapshot) for one in director.heard))
    assert director.says("10.0.0.11:80") == (False, "connect_refused")


def test_status_comes_when_asked_with_its_ticket(director: Director) -> None:
    director.start(checked("10.0.0.11:80", tcp(closed_port())))
    director.until(lambda: director.reports)
    director.hubs[1].send(b"checker", m.StatusWanted(ticket=42))
    director.until(lambda: any(report.ticket == 42 for report in director.reports))
    director.until(lambda: not director.reports[-1].servers[0].verdict.up)
    check = director.reports[-1].servers[0].checks[0]
    assert (check.kind, check.up, check.reason) == ("TCP_CHECK", False, "connect_refused")
    assert check.runs >= 1

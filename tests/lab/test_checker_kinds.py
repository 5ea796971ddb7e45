"""SMTP_CHECK, DNS_CHECK, UDP_CHECK and FILE_CHECK against real servers and hostile ones; each has its own reason."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyhad.common.config.model import DnsCheck, FileCheck, SmtpCheck, Timing, UdpCheck
from pyhad.common.config.model.tracking import TrackFile
from tests.lab.checker_servers import expect, running, until_open
from tests.lab.checker_stand_in import FAST, MS, SERVICE, Director, Server, checked, closed_port, silent, target
from tests.lab.tools import needs, needs_smtpd, smtpd

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


def smtp(port: int, helo: str = "director.example", timeout_ms: int = 2000) -> SmtpCheck:
    return SmtpCheck(target=target(port, timeout_ms), timing=FAST, alpha=False, helo_name=helo)


def dns(port: int, name: str, record_type: int = 1) -> DnsCheck:
    return DnsCheck(target=target(port), timing=FAST, alpha=False, name=name, record_type=record_type)


def udp(port: int, timeout_ms: int = 1000, **words: object) -> UdpCheck:
    return UdpCheck(target=target(port, timeout_ms), timing=FAST, alpha=False, **words)  # type: ignore[arg-type]


def greeting(server: Server, text: bytes) -> None:
    """Let a server speak first."""
    accept = server._accept

    def greet(events: int) -> None:
        before = set(server.connections)
        accept(events)
        for connection in server.connections - before:
            with contextlib.suppress(OSError):
                connection.send(text)

    server.loop.watch(server.listener.fileno(), greet)


@needs_smtpd
@pytest.mark.behaviour("CHK-40")
def test_opensmtpd_is_up_and_down_when_it_is_gone(director: Director, tmp_path: Path) -> None:
    port = closed_port()
    (tmp_path / "smtpd.conf").write_text(
        f'listen on 127.0.0.1 port {port} hostname mx.example\naction "local" mbox\nmatch for local action "local"\n'
    )
    with running(*smtpd(tmp_path / "smtpd.conf")):
        until_open(port)
        director.start(checked("10.0.0.11:25", smtp(port)))
        director.until(lambda: director.verdicts and director.says("10.0.0.11:25") == (True, "check_succeeded"))
    director.until(lambda: director.up("10.0.0.11:25") is False)
    ends = {"connect_refused", "connection_reset", "smtp_incomplete"}  # its end may fall into a dialogue
    assert director.says("10.0.0.11:25")[1] in ends


@pytest.mark.behaviour("CHK-40", "QRK-13")
def test_each_smtp_server_gives_its_own_reason(director: Director) -> None:
    quit_heard: list[bytes] = []

    def replying(helo: bytes, bye: bytes | None = b"221 bye\r\n") -> Server:
        def behave(server: Server, connection: socket.socket, data: bytes) -> None:
            if data.startswith(b"HELO director.example\r\n"):
                connection.send(helo)
            elif data == b"QUIT\r\n":
                quit_heard.append(data)
                if bye is None:
                    server.drop(connection)
                else:
                    connection.send(bye)

        return director.serve(behave)

    servers = {
        "10.0.0.11:25": (replying(b"250-mx\r\n250 hello\r\n"), b"220-mx\r\n220 ready\r\n", (True, "check_succeeded")),
        "10.0.0.12:25": (replying(b"550 no\r\n"), b"220 mx\r\n", (False, "smtp_helo")),
        "10.0.0.13:25": (replying(b""), b"554 go away\r\n", (False, "smtp_greeting")),
        "10.0.0.14:25": (replying(b""), b"SSH-2.0-OpenSSH\r\n", (False, "smtp_bad_reply")),
        "10.0.0.15:25": (replying(b""), b"220 " + b"x" * 100_000, (False, "smtp_reply_too_long")),
        "10.0.0.16:25": (director.serve(silent), b"", (False, "timeout")),
        "10.0.0.17:25": (replying(b"250 ok\r\n", None), b"220 mx\r\n", (True, "check_succeeded")),
        "10.0.0.18:25": (director.serve(silent), b"220 mx\r\n", (False, "timeout")),
    }
    for server, text, _ in servers.values():
        greeting(server, text)
    director.start(*(checked(name, smtp(server.port)) for name, (server, _, _) in servers.items()))
    expect(director, {name: said for name, (_, _, said) in servers.items()})
    assert quit_heard
    before = director.descriptors()
    director.turn_for(1.0)
    assert director.descriptors() <= before + 20


@needs("dnsmasq", "dnsmasq-base")
@pytest.mark.behaviour("CHK-50")
def test_dnsmasq_is_up_for_a_name_it_knows_and_down_for_the_right_reason(director: Director) -> None:
    port, nobody = closed_port(), closed_port()
    command = ("dnsmasq", "-k", "-C", "/dev/null", "-p", str(port), "--no-resolv", "--no-hosts", "--pid-file")
    words = ("--address=/www.example/10.1.2.3", "--listen-address=127.0.0.1", "--bind-interfaces", "--user=root")
    with running(*command, *words):
        until_open(port)
        director.start(
            checked("10.0.0.11:53", dns(port, "www.example")),
            checked("10.0.0.12:53", dns(port, "elsewhere.test")),
            checked("10.0.0.13:53", dns(nobody, ".", 6)),
        )
        expect(
            director,
            {
                "10.0.0.11:53": (True, "check_succeeded"),
                "10.0.0.12:53": (False, "dns_rcode"),
                "10.0.0.13:53": (False, "connect_refused"),
            },
        )
    director.until(lambda: director.says("10.0.0.11:53") == (False, "connect_refused"))


@contextlib.contextmanager
def datagrams(director: Director, *replies: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers each datagram with these; `ID` stands for the first two bytes of what it was asked."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)

        def answer(_events: int) -> None:
            data, peer = sock.recvfrom(65535)
            heard.append(data)
            for reply in replies:
                with contextlib.suppress(OSError):
                    sock.sendto(reply.replace(b"ID", data[:2]), peer)

        director.loop.watch(sock.fileno(), answer)
        try:
            yield sock.getsockname()[1], heard
        finally:
            director.loop.unwatch(sock.fileno())


@pytest.mark.behaviour("CHK-50", "CHK-80")
def test_each_datagram_gives_its_own_reason(director: Director) -> None:
    good, bad = b"ID\x81\x80" + b"\0" * 8, b"ID\x81\x82" + b"\0" * 8
    with contextlib.ExitStack() as stack:
        serve = lambda *replies: stack.enter_context(datagrams(director, *replies))  # noqa: E731
        mute, heard = serve()
        ports = [
            serve(b"\x01\x02\x03")[0],
            serve(b"\xff\xff" * 6)[0],
            serve(bad)[0],
            serve(os.urandom(3))[0],
            serve(b"\xff\xff" * 6, good)[0],
        ]
        masked = {"needs_reply": True, "pattern": b"\x01\x00", "mask": b"\xff\xf0"}
        director.start(
            checked("10.0.0.11:99", udp(mute, payload=b"\x01\x02\x03")),
            checked("10.0.0.12:99", udp(mute, needs_reply=True)),
            checked("10.0.0.13:99", udp(closed_port())),
            checked("10.0.0.14:99", udp(ports[0], **masked)),
            checked("10.0.0.15:99", udp(ports[0], needs_reply=True, pattern=b"\x09", mask=b"\xff")),
            checked("10.0.0.16:99", udp(ports[0], **masked, max_reply=2)),
            checked("10.0.0.17:99", dns(ports[1], ".")),
            checked("10.0.0.18:99", dns(ports[2], ".")),
            checked("10.0.0.19:99", dns(ports[3], ".")),
            checked("10.0.0.20:99", dns(ports[4], ".")),
            checked("10.0.0.21:99", dns(mute, ".")),
        )
        expect(
            director,
            {
                "10.0.0.11:99": (True, "check_succeeded"),
                "10.0.0.12:99": (False, "timeout"),
                "10.0.0.13:99": (False, "connect_refused"),
                "10.0.0.14:99": (True, "check_succeeded"),
                "10.0.0.15:99": (False, "udp_reply_content"),
                "10.0.0.16:99": (False, "udp_reply_length"),
                "10.0.0.17:99": (False, "dns_other_id"),
                "10.0.0.18:99": (False, "dns_rcode"),
                "10.0.0.19:99": (False, "dns_bad_reply"),
                "10.0.0.20:99": (True, "check_succeeded"),
                "10.0.0.21:99": (False, "timeout"),
            },
        )
        assert b"\x01\x02\x03" in heard


@pytest.mark.behaviour("CHK-90", "TRK-21")
def test_a_file_sets_weight_and_state_at_once_and_while_it_runs(director: Director, open_folder: Path) -> None:
    load, gate, secret, rubbish = (open_folder / name for name in ("load", "gate", "secret", "rubbish"))
    load.write_text("3\n")
    gate.write_text("1\n")
    secret.write_text("1\n")
    secret.chmod(0o600)
    rubbish.write_text("none\n")

    def file(path: Path, weight: int) -> FileCheck:
        timing = Timing(delay_loop_ns=60_000 * MS, retry=0, delay_before_retry_ns=60_000 * MS, warmup_ns=0)
        return FileCheck(file=TrackFile(name=path.name, path=str(path)), weight=weight, timing=timing)

    director.start(
        checked("10.0.0.11:80", file(load, 2), weight=10, alpha=True),
        checked("10.0.0.12:80", file(gate, 0), weight=10),
        checked("10.0.0.13:80", file(secret, 0), weight=10),
        checked("10.0.0.14:80", file(rubbish, 0), weight=10),
        checked("10.0.0.15:80", file(open_folder / "missing", 5), weight=10),
    )
    director.until(lambda: director.verdicts)
    said = {name: (one.up, one.weight, one.reason) for (_, name), one in director.verdicts.items()}
    assert said == {
        "10.0.0.11:80": (True, 16, "check_succeeded"),
        "10.0.0.12:80": (False, 10, "file_says_down"),
        "10.0.0.13:80": (False, 10, "file_says_down"),
        "10.0.0.14:80": (True, 10, "not_checked_yet"),
        "10.0.0.15:80": (True, 10, "check_succeeded"),
    }
    load.write_text("-2\n")
    gate.unlink()
    director.until(lambda: director.verdicts[(SERVICE, "10.0.0.11:80")].weight == 6)
    director.until(lambda: director.up("10.0.0.12:80"))
    load.write_text("rubbish\n")
    director.until(lambda: len(director.lines("track_file_holds_no_number")) == 2)
    assert director.verdicts[(SERVICE, "10.0.0.11:80")].weight == 6
    director.kill()
    director.verdicts = {}
    load.write_text("-2\n")
    director.start(checked("10.0.0.11:80", file(load, 2), weight=10))
    director.until(lambda: director.verdicts)
    assert director.verdicts[(SERVICE, "10.0.0.11:80")].weight == 6

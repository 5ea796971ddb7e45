"""SSL_GET against nginx and against TLS servers that misbehave: each passes and fails for its own reason."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyhad.common.config.model import HttpCheck, HttpUrl, TlsClient
from tests.lab.checker_servers import TLS, nginx
from tests.lab.checker_stand_in import Director, checked, closed_port, http, replying, silent
from tests.lab.tools import needs

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]
needs_nginx = needs("nginx", "nginx-light")

CLIENT = TlsClient(
    certificate=(TLS / "client.pem").read_bytes(), key=(TLS / "client.key").read_bytes(), password="very secret"
)
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"


def https(port: int, url: HttpUrl | None = None, timeout_ms: int = 2000) -> HttpCheck:
    return dataclasses.replace(http(port, url or HttpUrl(path="/"), timeout_ms=timeout_ms), tls=True)


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, int]]:
    """One real nginx: ports by what they ask for."""
    ports = {"open": closed_port(), "certificate": closed_port(), "plain": closed_port()}
    servers = f"""
  server {{ listen 127.0.0.1:{ports["open"]} ssl http2; location / {{ return 200 "name=$ssl_server_name"; }}
            location /busy {{ return 503; }} }}
  server {{ listen 127.0.0.1:{ports["certificate"]} ssl; ssl_client_certificate {tmp_path}/tls/ca.pem;
            ssl_verify_client on; location / {{ return 200 "$ssl_client_s_dn"; }} }}
  server {{ listen 127.0.0.1:{ports["plain"]}; location / {{ return 200 "plain"; }} }}
"""
    with nginx(tmp_path, servers, *ports.values()):
        yield ports


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@needs_nginx
@pytest.mark.behaviour("CHK-26")
def test_nginx_is_up_with_tls_name_and_client_certificate_and_down_for_the_right_reason(
    director: Director, ports: dict[str, int]
) -> None:
    named = HttpUrl(path="/", sni="www.example.org", digest=md5("name=www.example.org"))
    unnamed = HttpUrl(path="/", digest=md5("name="))
    director.start(
        checked("10.0.0.11:443", https(ports["open"], named)),
        checked("10.0.0.12:443", https(ports["open"], unnamed)),
        checked("10.0.0.13:443", https(ports["open"], dataclasses.replace(named, sni="other.example.org"))),
        checked("10.0.0.14:443", https(ports["open"], HttpUrl(path="/busy"))),
        checked("10.0.0.15:443", https(ports["certificate"], HttpUrl(path="/", digest=md5("CN=director")))),
        checked("10.0.0.16:443", https(ports["plain"])),
        checked("10.0.0.17:443", https(closed_port())),
        checked("10.0.0.18:80", http(ports["open"])),
        tls_client=CLIENT,
    )
    expected = {
        "10.0.0.11:443": (True, "check_succeeded"),
        "10.0.0.12:443": (True, "check_succeeded"),
        "10.0.0.13:443": (False, "http_digest"),
        "10.0.0.14:443": (False, "http_status"),
        "10.0.0.15:443": (True, "check_succeeded"),
        "10.0.0.16:443": (False, "tls_handshake"),
        "10.0.0.17:443": (False, "connect_refused"),
        "10.0.0.18:80": (False, "http_status"),
    }
    for name, said in expected.items():
        director.until(lambda name=name, said=said: director.verdicts and director.says(name) == said)
    director.until(lambda: len(director.lines("check_failed")) == 5)
    failed = {line["server"]: line for line in director.lines("check_failed")}
    assert {name: line["reason"] for name, line in failed.items()} == {
        name: reason for name, (up, reason) in expected.items() if not up
    }
    assert failed["10.0.0.16:443"]["check"] == "SSL_GET"
    assert "very secret" not in director.log_text()


@needs_nginx
def test_without_our_certificate_the_same_nginx_is_down(director: Director, ports: dict[str, int]) -> None:
    director.start(checked("10.0.0.11:443", https(ports["certificate"])))
    director.until(lambda: director.up("10.0.0.11:443") is False)
    assert director.says("10.0.0.11:443") == (False, "http_status")


class TlsServer:
    """A TLS server in a thread, one connection at a time; `after` says what it does once the handshake is done."""

    def __init__(self, after: Callable[[ssl.SSLSocket], None], *, demands: bool = False) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
        if demands:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(TLS / "ca.pem")
        self.after = after
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            connection.settimeout(5)
            with contextlib.suppress(OSError), self.context.wrap_socket(connection, server_side=True) as one:
                self.after(one)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


def cut(one: ssl.SSLSocket) -> None:
    """A whole response without a length, then an end without close_notify."""
    one.recv(4096)
    one.sendall(OK)


def closed_well(one: ssl.SSLSocket) -> None:
    one.recv(4096)
    one.sendall(OK)
    one.unwrap()


def noise(one: ssl.SSLSocket) -> None:
    """Bytes that are no TLS record, on an established connection."""
    one.recv(4096)
    with socket.socket(fileno=os.dup(one.fileno())) as plain:
        plain.sendall(b"\x00" * 4096)


def endless(one: ssl.SSLSocket) -> None:
    one.recv(4096)
    one.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        one.sendall(b"A: b\r\n" * 3000)


def mute(one: ssl.SSLSocket) -> None:
    one.recv(4096)
    one.recv(4096)


@pytest.mark.behaviour("CHK-26")
@pytest.mark.parametrize(
    ("after", "demands", "url", "said"),
    [
        (cut, False, HttpUrl(path="/"), (True, "check_succeeded")),
        (cut, False, HttpUrl(path="/", tls_compliant=True), (False, "tls_truncated")),
        (closed_well, False, HttpUrl(path="/", tls_compliant=True), (True, "check_succeeded")),
        (cut, True, HttpUrl(path="/"), (False, "tls_alert")),
        (noise, False, HttpUrl(path="/"), (False, "tls_broken")),
        (endless, False, HttpUrl(path="/"), (False, "http_headers_too_long")),
        (mute, False, HttpUrl(path="/"), (False, "timeout")),
    ],
)
def test_a_tls_server_that_misbehaves_has_its_own_reason(
    director: Director, after: Callable[[ssl.SSLSocket], None], demands: bool, url: HttpUrl, said: tuple[bool, str]
) -> None:
    server = TlsServer(after, demands=demands)
    director.start(checked("10.0.0.11:443", https(server.port, url)))
    director.until(lambda: director.verdicts and director.says("10.0.0.11:443") == said)
    server.close()
    assert director.is_alive()


def test_a_handshake_that_never_ends_is_a_timeout_and_a_close_in_it_a_failure(director: Director) -> None:
    stuck, closing = director.serve(silent), director.serve(replying(b""))
    refusing = director.serve(replying(b"\x15\x03\x03\x00\x02\x02\x28"))
    director.start(
        checked("10.0.0.11:443", https(stuck.port, timeout_ms=300)),
        checked("10.0.0.12:443", https(closing.port)),
        checked("10.0.0.13:443", https(refusing.port)),
    )
    director.until(lambda: all(director.up(f"10.0.0.{n}:443") is False for n in (11, 12, 13)))
    assert [director.says(f"10.0.0.{n}:443")[1] for n in (11, 12, 13)] == ["timeout", "tls_handshake", "tls_alert"]
    before = director.descriptors()
    director.turn_for(1.5)
    assert director.descriptors() <= before + 6

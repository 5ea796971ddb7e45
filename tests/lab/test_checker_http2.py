"""HTTP/2, gRPC, requests of our own, latency and certificates, against nginx and grpcio: each has its own reason."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyhad.common.config.model import GrpcCheck, HttpCheck, HttpHeader, HttpUrl, TlsClient
from pyhad.common.messages import CheckStatus
from tests.lab.checker_servers import TLS, expect, nginx, running, until_open
from tests.lab.checker_stand_in import (
    FAST,
    MS,
    Behaviour,
    Director,
    Server,
    checked,
    closed_port,
    http,
    replying,
    silent,
    target,
)
from tests.lab.tools import needs

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
    needs("nginx", "nginx-light"),
]
DAY_NS = 86_400_000_000_000
CLIENT = TlsClient(
    certificate=(TLS / "client.pem").read_bytes(), key=(TLS / "client.key").read_bytes(), password="very secret"
)


def page(port: int, path: str = "/", *, tls: bool = False, http2: bool = True, **words: object) -> HttpCheck:
    url = HttpUrl(path=path, **words)  # type: ignore[arg-type]
    return dataclasses.replace(http(port, url, timeout_ms=2000), tls=tls, http2=http2)


def grpc(port: int, service: str = "", *, tls: bool = False) -> GrpcCheck:
    return GrpcCheck(target=target(port, 2000), timing=FAST, alpha=False, service=service, tls=tls)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, int]]:
    """One real nginx: ports by what they speak."""
    ports = {name: closed_port() for name in ("h2", "h2c", "plain", "tls", "certificate")}
    said = """location / { return 200 "$server_protocol $request_method $http_x_probe $content_length"; }
              location /busy { return 503; } location /big { root /; alias BIG; }"""
    said = said.replace("BIG", f"{tmp_path}/big")
    servers = f"""
  server {{ listen 127.0.0.1:{ports["h2"]} ssl http2; {said} }}
  server {{ listen 127.0.0.1:{ports["h2c"]} http2; {said} }}
  server {{ listen 127.0.0.1:{ports["plain"]}; {said} }}
  server {{ listen 127.0.0.1:{ports["tls"]} ssl; {said} }}
  server {{ listen 127.0.0.1:{ports["certificate"]} ssl http2; ssl_client_certificate {tmp_path}/tls/ca.pem;
            ssl_verify_client on; location / {{ return 200 "$ssl_client_s_dn"; }} }}
"""
    (tmp_path / "big").write_bytes(bytes(300_000))
    tmp_path.chmod(0o755)
    with nginx(tmp_path, servers.replace("root /; ", ""), *ports.values()):
        yield ports


def test_nginx_over_http2_passes_and_fails_for_the_right_reason(director: Director, ports: dict[str, int]) -> None:
    told = {"method": "POST", "headers": (HttpHeader(name="X-Probe", secret_value="seven"),), "body": "ping"}
    big = hashlib.md5(bytes(300_000), usedforsecurity=False).hexdigest()
    expected = {
        "10.0.0.11:443": (page(ports["h2"], tls=True, digest=md5("HTTP/2.0 GET  ")), (True, "check_succeeded")),
        "10.0.0.12:80": (page(ports["h2c"], digest=md5("HTTP/2.0 GET  ")), (True, "check_succeeded")),
        "10.0.0.13:80": (page(ports["h2c"], digest=md5("HTTP/2.0 POST seven 4"), **told), (True, "check_succeeded")),
        "10.0.0.14:80": (
            page(ports["plain"], http2=False, digest=md5("HTTP/1.0 POST seven 4"), **told), (True, "check_succeeded"),
        ),
        "10.0.0.15:443": (page(ports["h2"], "/big", tls=True, digest=big), (True, "check_succeeded")),
        "10.0.0.16:80": (page(ports["plain"], http2=False, method="HEAD"), (True, "check_succeeded")),
        "10.0.0.17:443": (page(ports["certificate"], tls=True, digest=md5("CN=director")), (True, "check_succeeded")),
        "10.0.0.21:443": (page(ports["h2"], "/busy", tls=True), (False, "http_status")),
        "10.0.0.22:80": (page(ports["h2c"], digest=md5("other")), (False, "http_digest")),
        "10.0.0.23:443": (page(ports["tls"], tls=True), (False, "http2_not_offered")),
        "10.0.0.24:80": (page(ports["plain"]), (False, "http2_not_spoken")),
        "10.0.0.25:80": (page(closed_port()), (False, "connect_refused")),
        "10.0.0.26:80": (page(ports["h2c"], http2=False), (False, "http_bad_status_line")),
    }  # fmt: skip
    director.start(*(checked(name, check) for name, (check, _) in expected.items()), tls_client=CLIENT)
    expect(director, {name: said for name, (_, said) in expected.items()})
    before = director.descriptors()
    director.turn_for(0.5)
    assert director.descriptors() <= before + 20


@contextlib.contextmanager
def grpc_server(port: int, *words: str) -> Iterator[None]:
    with running(sys.executable, "-m", "tests.lab.grpc_server", str(port), *words):
        until_open(port)
        yield


def test_grpc_services_are_up_down_and_unknown_each_for_its_reason(director: Director, ports: dict[str, int]) -> None:
    plain, tls, bare = closed_port(), closed_port(), closed_port()
    with (
        grpc_server(plain),
        grpc_server(tls, "--tls", str(TLS)),
        grpc_server(bare, "--bare"),
    ):
        expected = {
            "10.0.0.11:50051": (grpc(plain), (True, "check_succeeded")),
            "10.0.0.12:50051": (grpc(plain, "shop.Cart"), (True, "check_succeeded")),
            "10.0.0.13:50051": (grpc(tls, "shop.Cart", tls=True), (True, "check_succeeded")),
            "10.0.0.14:50051": (grpc(plain, "shop.Search"), (False, "grpc_not_serving")),
            "10.0.0.15:50051": (grpc(plain, "shop.Other"), (False, "grpc_service_unknown")),
            "10.0.0.16:50051": (grpc(bare), (False, "grpc_no_health_service")),
            "10.0.0.17:50051": (grpc(ports["h2c"]), (False, "grpc_bad_reply")),
            "10.0.0.18:50051": (grpc(ports["tls"], tls=True), (False, "http2_not_offered")),
            "10.0.0.19:50051": (grpc(ports["plain"]), (False, "http2_not_spoken")),
        }
        director.start(*(checked(name, check) for name, (check, _) in expected.items()))
        expect(director, {name: said for name, (_, said) in expected.items()})
        assert {line["check"] for line in director.lines("check_failed")} == {"PYHAD_GRPC_CHECK"}
    director.until(lambda: director.says("10.0.0.12:50051") == (False, "connect_refused"))


def pouring(first: bytes, flood: bytes) -> Behaviour:
    """Frames for as long as they are taken."""

    def behave(server: Server, connection: socket.socket, _data: bytes) -> None:
        with contextlib.suppress(OSError):
            connection.send(first)
        server.pour(connection, flood * (65_536 // len(flood)))

    return behave


SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
HEADERS = b"\0\0\x01\x01\x04\0\0\0\x01\x88"


def test_a_server_that_floods_is_down_and_holds_nobody_up(director: Director) -> None:
    floods = {
        "10.0.0.11:80": (pouring(SETTINGS, b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)), "http2_flood"),
        "10.0.0.12:80": (pouring(b"", SETTINGS), "http2_flood"),
        "10.0.0.13:80": (pouring(SETTINGS + HEADERS, b"\0\0\0\0\0\0\0\0\x01"), "http2_flood"),
        "10.0.0.14:80": (pouring(b"", os.urandom(65_536)), "http2_broken"),
        "10.0.0.15:80": (silent, "timeout"),
        "10.0.0.16:80": (replying(b""), "http_no_data"),
    }
    servers = {name: director.serve(behave) for name, (behave, _) in floods.items()}
    director.start(*(checked(name, page(servers[name].port)) for name in floods))
    expect(director, {name: (False, reason) for name, (_, reason) in floods.items()})
    before = director.descriptors()
    director.turn_for(0.5)
    assert director.descriptors() <= before + 20
    assert director.stop() == 0


def lingering(milliseconds: int) -> Behaviour:
    def behave(server: Server, connection: socket.socket, data: bytes) -> None:
        server.loop.after(
            milliseconds * MS, lambda: connection in server.connections and replying(OK)(server, connection, data)
        )

    return behave


OK = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def status_of(director: Director, server: str) -> CheckStatus:
    [health] = [one for one in director.reports[-1].servers if one.verdict.server == server]
    return health.checks[0]


def test_slow_answers_warn_or_fail_and_a_certificate_warns_of_its_end(director: Director, tmp_path: Path) -> None:
    port, slow = closed_port(), director.serve(lingering(250))
    shutil.copytree(TLS, tmp_path / "tls")
    begun_s = time.time()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5",
         "-subj", "/CN=web", "-keyout", tmp_path / "tls/short.key", "-out", tmp_path / "tls/short.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    files = f"ssl_certificate {tmp_path}/tls/short.pem; ssl_certificate_key {tmp_path}/tls/short.key;"
    words = f"server {{ listen 127.0.0.1:{port} ssl http2; {files} location / {{ return 200 ok; }} }}"

    def answering(server_port: int, **limits: int) -> HttpCheck:
        return dataclasses.replace(http(server_port, timeout_ms=2000), timing=dataclasses.replace(FAST, **limits))

    def secure(days: int) -> HttpCheck:
        return dataclasses.replace(page(port, tls=True), certificate_warning_ns=days * DAY_NS)

    with nginx(tmp_path, words, port):
        director.start(
            checked("10.0.0.11:80", answering(slow.port, latency_warning_ns=100 * MS)),
            checked("10.0.0.12:80", answering(slow.port, max_latency_ns=100 * MS)),
            checked("10.0.0.13:80", answering(slow.port, max_latency_ns=2000 * MS, latency_warning_ns=1900 * MS)),
            checked("10.0.0.14:443", secure(7)),
            checked("10.0.0.15:443", secure(3)),
        )
        good = (True, "check_succeeded")
        others = {f"10.0.0.{last}": good for last in ("11:80", "13:80", "14:443", "15:443")}
        expect(director, {"10.0.0.12:80": (False, "too_slow"), **others})
        director.until(lambda: status_of(director, "10.0.0.11:80").warnings == ("slow",))
        director.until(lambda: status_of(director, "10.0.0.14:443").warnings == ("certificate_ends",))
    assert 250 <= status_of(director, "10.0.0.11:80").latency_ns / MS < 1900
    assert status_of(director, "10.0.0.13:80").warnings == ()
    assert status_of(director, "10.0.0.15:443").warnings == ()
    left_s = status_of(director, "10.0.0.15:443").certificate_until_s - begun_s
    assert 5 * 86_400 - 2 <= left_s <= 5 * 86_400 + 60
    about = {(line["server"], line["about"]) for line in director.lines("check_warns")}
    assert about == {("10.0.0.11:80", "slow"), ("10.0.0.14:443", "certificate_ends")}

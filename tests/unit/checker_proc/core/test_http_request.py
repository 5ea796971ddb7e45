"""What an HTTP check sends, byte for byte, and its fields over HTTP/2."""

from __future__ import annotations

import dataclasses

import pytest

from pyhad.checker_proc.core.http_request import http2_fields, request_bytes
from pyhad.common.config.model import HttpCheck, HttpHeader, HttpUrl, Target, Timing


def check(protocol: str = "1.0", address: str = "127.0.0.1", port: int = 8081) -> HttpCheck:
    target = Target(address=address, port=port)
    return HttpCheck(target=target, timing=Timing(), alpha=False, urls=(), http_protocol=protocol)


@pytest.mark.behaviour("CHK-20", "CHK-21")
@pytest.mark.parametrize(
    ("protocol", "url", "expected"),
    [
        (
            "1.0",
            HttpUrl(path="/x"),
            b"GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:8081\r\n\r\n",
        ),
        (
            "1.1",
            HttpUrl(path="/a", host="www.example"),
            b"GET /a HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www.example\r\n\r\n",
        ),
        (
            "1.0C",
            HttpUrl(path="/"),
            b"GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: 127.0.0.1:8081\r\n\r\n",
        ),
    ],
)
def test_a_request_is_what_servers_know_byte_for_byte(protocol: str, url: HttpUrl, expected: bytes) -> None:
    assert request_bytes(check(protocol), url) == expected


@pytest.mark.behaviour("CHK-21")
def test_the_host_of_an_ipv6_target_is_in_brackets_without_its_zone() -> None:
    request = request_bytes(check(address="fe80::1%eth0", port=80), HttpUrl(path="/"))
    assert b"\r\nHost: [fe80::1]:80\r\n" in request


TOLD = HttpUrl(
    path="/api",
    method="POST",
    headers=(HttpHeader(name="X-Probe", secret_value="1"), HttpHeader(name="User-Agent", secret_value="director")),
    body="pïng",
    host="www.example",
)


def test_method_fields_and_body_of_our_own_go_into_the_request() -> None:
    assert request_bytes(check("1.1"), TOLD) == (
        b"POST /api HTTP/1.1\r\nConnection: close\r\nHost: www.example\r\nX-Probe: 1\r\nUser-Agent: director\r\n"
        b"Content-Length: 5\r\n\r\np\xc3\xafng"
    )


def test_a_post_without_a_body_says_that_it_has_none() -> None:
    assert request_bytes(check(), HttpUrl(path="/", method="POST")).endswith(b"\r\nContent-Length: 0\r\n\r\n")
    assert b"Content-Length" not in request_bytes(check(), HttpUrl(path="/", method="DELETE"))


def test_over_http2_the_same_is_said_in_fields() -> None:
    assert http2_fields(dataclasses.replace(check(), tls=True), TOLD) == [
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"www.example"), (b":path", b"/api"),
        (b"x-probe", b"1"), (b"user-agent", b"director"), (b"content-length", b"5"),
    ]  # fmt: skip
    assert http2_fields(check(port=80), HttpUrl(path="/")) == [
        (b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"127.0.0.1:80"), (b":path", b"/"),
        (b"user-agent", b"KeepAliveClient"),
    ]  # fmt: skip


def test_what_a_field_says_is_never_shown() -> None:
    assert "very secret" not in repr(
        HttpUrl(path="/", headers=(HttpHeader(name="Authorization", secret_value="very secret"),))
    )

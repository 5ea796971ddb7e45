"""The `SSL` block: files read by the compiler, shown nowhere, refused where they do not fit."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyhad.common.config.builders.tls import MAX_BYTES
from pyhad.common.config.model import TlsClient
from pyhad.common.tls import client_context

Compile = Callable[..., Any]
TLS = Path(__file__).parents[4] / "data" / "tls"
FULL = f'password "very secret"\nca {TLS}/ca.pem\ncertificate {TLS}/client.pem\nkey {TLS}/client.key'


def block(words: str) -> str:
    return f"SSL {{\n{words}\n}}\n"


@pytest.mark.behaviour("CHK-26")
def test_the_content_travels_and_is_not_shown(service: Compile) -> None:
    result = service(before=block(FULL))
    assert result.errors == []
    client = result.result.configuration.checker.tls_client
    assert client.certificate == (TLS / "client.pem").read_bytes()
    assert client.key == (TLS / "client.key").read_bytes()
    assert client.password == "very secret"
    assert repr(client) == "TlsClient()"
    context = client_context(client)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert [dict(part[0] for part in one["subject"])["commonName"] for one in context.get_ca_certs()] == [
        "pyhad test authority"
    ]


def test_without_a_block_nothing_is_shown_to_the_server(service: Compile) -> None:
    assert service().result.configuration.checker.tls_client == TlsClient()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (f"certificate {TLS}/none.pem", f"SSL certificate: cannot read {TLS}/none.pem: No such file or directory"),
        (f"ca {TLS}", f"SSL ca: cannot read {TLS}: not a plain file"),
        ("certificate /dev/zero", "SSL certificate: cannot read /dev/zero: not a plain file"),
        (f"ca {TLS}/README.md", "SSL ca: "),
        (f"certificate {TLS}/README.md", "SSL certificate and key: "),
        (FULL.replace("very secret", "wrong"), "SSL certificate and key: "),
        (f"certificate {TLS}/client.pem\nkey {TLS}/client.key", "SSL certificate and key: "),
        (f"certificate {TLS}/client.pem\nkey {TLS}/server.key", "SSL certificate and key: key values mismatch"),
        (f"certificate {TLS}/client.pem", "SSL certificate and key: "),
    ],
)
def test_what_does_not_fit_is_an_error_that_shows_no_secret(service: Compile, words: str, error: str) -> None:
    [said] = service(before=block(words)).errors
    assert said.startswith(error)
    assert "secret" not in said


def test_a_file_without_end_is_not_read_to_its_end(service: Compile, tmp_path: Path) -> None:
    long = tmp_path / "long.pem"
    long.write_bytes(b"x" * (MAX_BYTES + 1))
    assert service(before=block(f"ca {long}")).errors == [f"SSL ca: cannot read {long}: longer than {MAX_BYTES} bytes"]


def test_a_pipe_is_not_waited_for(service: Compile, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert service(before=block(f"ca {pipe}")).errors == [f"SSL ca: cannot read {pipe}: not a plain file"]


def test_a_key_without_a_certificate_is_said_to_be_unused(service: Compile) -> None:
    assert service(before=block(f"key {TLS}/server.key")).warnings == ["SSL: the key is not used without a certificate"]


def test_a_certificate_without_its_key_and_a_file_that_is_none_say_so(service: Compile) -> None:
    assert service(before=block(f"certificate {TLS}/client.pem")).errors == ["SSL certificate and key: there is no key"]
    assert service(before=block("ca /etc/passwd")).errors == ["SSL ca: no certificate in PEM"]

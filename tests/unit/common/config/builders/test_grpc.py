"""PYHAD_GRPC_CHECK to the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import GrpcCheck, Target

Compile = Callable[..., Any]


def check(compiled: Any) -> GrpcCheck:
    assert compiled.errors == []
    [server] = compiled.result.configuration.checker.servers
    [one] = server.checks
    assert isinstance(one, GrpcCheck)
    return one


def test_the_server_as_a_whole_is_asked_without_tls_by_default(service: Compile) -> None:
    one = check(service(inner="PYHAD_GRPC_CHECK { }"))
    assert one.target == Target(address="10.0.0.1", port=8080)
    assert (one.service, one.host, one.tls, one.sni, one.certificate_warning_ns) == ("", "", False, "", 0)
    assert (one.timing.retry, one.timing.delay_before_retry_ns) == (1, 1_000_000_000)


def test_service_name_and_tls_are_as_said(service: Compile) -> None:
    words = "service shop.Cart\ntls\nenable_sni\npyhad_certificate_warning 7\nconnect_port 50051"
    one = check(service("virtualhost cart.example:443", f"PYHAD_GRPC_CHECK {{\n{words}\n}}"))
    assert (one.service, one.host, one.tls, one.sni) == ("shop.Cart", "cart.example:443", True, "cart.example")
    assert (one.certificate_warning_ns, one.target.port) == (604_800_000_000_000, 50_051)


def test_words_of_tls_without_it_are_said(service: Compile) -> None:
    compiled = service(inner="PYHAD_GRPC_CHECK {\nsni_name a.example\npyhad_certificate_warning 7\n}")
    assert compiled.warnings == [
        "sni_name is ignored: there is no TLS", "pyhad_certificate_warning is ignored: there is no TLS",
    ]  # fmt: skip
    assert check(compiled).sni == ""


@pytest.mark.parametrize("name", ["x" * 128, "a\x01b"])
def test_a_name_that_no_service_has_is_an_error(service: Compile, name: str) -> None:
    assert service(inner=f"PYHAD_GRPC_CHECK {{\nservice {name}\n}}").errors == ["service: this is no name of a service"]

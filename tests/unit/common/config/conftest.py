"""Fixtures of the configuration tests: text in, compiled result out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.compile import CompileOptions, CompileResult, compile_text
from pyhad.common.config.source import Severity

INSTANCE = """
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{ 192.0.2.100/24 }}
    {0}
}}
"""
SERVICE = """
virtual_server 192.0.2.100 80 {{
    lb_algo rr
    lb_kind NAT
    protocol TCP
    {0}
    real_server 10.0.0.1 8080 {{ {1} }}
}}
"""


class Compiled:
    """A compiled text, for short questions."""

    def __init__(self, result: CompileResult) -> None:
        self.result = result

    def said(self, severity: Severity) -> list[str]:
        return [one.message for one in self.result.diagnostics if one.severity is severity]

    @property
    def errors(self) -> list[str]:
        return self.said(Severity.ERROR)

    @property
    def warnings(self) -> list[str]:
        return self.said(Severity.WARNING)

    @property
    def notes(self) -> list[str]:
        return self.said(Severity.NOTE)


@pytest.fixture
def compiled() -> Callable[..., Compiled]:
    """Compile a text as the file t.conf."""

    def run(text: str, **options: object) -> Compiled:
        return Compiled(compile_text(text, "t.conf", CompileOptions(config_id="node1", **options)))  # type: ignore[arg-type]

    return run


@pytest.fixture
def instance(compiled: Callable[..., Compiled]) -> Callable[..., Compiled]:
    """Compile one good instance with more words in it."""
    return lambda words="", **options: compiled(INSTANCE.format(words), **options)


@pytest.fixture
def service(compiled: Callable[..., Compiled]) -> Callable[..., Compiled]:
    """Compile one good service with more words in the service and in its real server."""
    return lambda words="", inner="", before="": compiled(before + SERVICE.format(words, inner))

"""SSL_GET to the model: TLS per check, names and strictness per url."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import HttpCheck, Regex

Compile = Callable[..., Any]


def check(compiled: Any) -> HttpCheck:
    assert compiled.errors == []
    [server] = compiled.result.configuration.checker.servers
    [one] = server.checks
    assert isinstance(one, HttpCheck)
    return one


@pytest.mark.behaviour("CHK-26")
def test_ssl_get_is_an_http_check_through_tls(service: Compile) -> None:
    one = check(service(inner="SSL_GET { url { path / } }"))
    assert (one.tls, one.urls[0].sni, one.urls[0].tls_compliant) == (True, "", False)
    assert check(service(inner="HTTP_GET { url { path / } }")).tls is False


@pytest.mark.behaviour("CHK-26")
@pytest.mark.parametrize(
    ("words", "url", "name"),
    [
        ("enable_sni\nvirtualhost www.example", "", "www.example"),
        ("enable_sni\nvirtualhost www.example", "virtualhost other.example", "other.example"),
        ("enable_sni\nvirtualhost www.example:8443", "", "www.example"),
        ("enable_sni", "", ""),
        ("enable_sni no\nvirtualhost www.example", "", ""),
        ("virtualhost www.example", "", ""),
        ("sni_name real.example\nvirtualhost www.example", "", "real.example"),
        ("sni_name\nvirtualhost www.example", "", "www.example"),
    ],
)
def test_the_name_in_the_handshake(service: Compile, words: str, url: str, name: str) -> None:
    one = check(service(inner=f"SSL_GET {{\n{words}\nurl {{\npath /\n{url}\n}}\n}}"))
    assert one.urls[0].sni == name


def test_plain_http_sends_no_name_in_a_handshake(service: Compile) -> None:
    one = check(service(inner="HTTP_GET {\nsni_name a.example\nurl { path / }\n}"))
    assert one.urls[0].sni == ""


@pytest.mark.parametrize(
    "name", ["a" * 64 + ".example", ".example", "a..b", ".".join(["a" * 50] * 5), "\u2024a", "\u00ad"]
)
def test_a_name_that_cannot_be_sent_is_an_error(service: Compile, name: str) -> None:
    assert service(inner=f"SSL_GET {{\nsni_name {name}\nurl {{ path / }}\n}}").errors == [
        f"SNI: {name!r} is no host name"
    ]


@pytest.mark.behaviour("CHK-26")
@pytest.mark.parametrize(
    ("words", "url", "strict"),
    [
        ("", "", False),
        ("tls_compliant", "", True),
        ("", "tls_compliant", True),
        ("tls_compliant", "tls_compliant no", False),
    ],
)
def test_the_strict_end_is_the_url_s_else_the_check_s(service: Compile, words: str, url: str, strict: bool) -> None:
    one = check(service(inner=f"SSL_GET {{\n{words}\nurl {{\npath /\n{url}\n}}\n}}"))
    assert one.urls[0].tls_compliant is strict


def regex(service: Compile, words: str) -> Any:
    return service(inner=f"HTTP_GET {{\nurl {{\npath /\n{words}\n}}\n}}")


@pytest.mark.behaviour("CHK-23")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("regex ^ok", Regex(pattern="^ok")),
        ('regex "^ok \\x41|a b"', Regex(pattern="^ok A|a b")),
        ("regex a\nregex_no_match", Regex(pattern="a", is_wanted=False)),
        (
            "regex a\nregex_options caseless dotall\nregex_options multiline caseless",
            Regex(pattern="a", options=("caseless", "dotall", "multiline")),
        ),
        ("regex a\nregex_min_offset 3\nregex_max_offset 9", Regex(pattern="a", min_offset=3, max_offset=9)),
        ("regex a\nregex_stack 100 200", Regex(pattern="a")),
    ],
)
def test_a_pattern_with_its_words(service: Compile, words: str, expected: Regex) -> None:
    result = regex(service, words)
    assert check(result).urls[0].regex == expected
    assert result.warnings == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("regex (a", "regex: missing closing parenthesis (at character 3)"),
        ("regex a\nregex_min_offset 9\nregex_max_offset 3", "regex_max_offset 3 is below regex_min_offset 9"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_an_error(service: Compile, words: str, error: str) -> None:
    assert regex(service, words).errors == [error]


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        ("regex a\nregex_options caseless backwards", "regex_options: 'backwards' is unknown, and ignored"),
        ("regex_no_match", "regex_no_match is ignored: the url has no regex"),
        ("regex a b", "regex: 'b' and what follows is ignored"),
    ],
)
def test_what_is_ignored_of_a_pattern_is_said(service: Compile, words: str, warning: str) -> None:
    assert regex(service, words).warnings == [warning]

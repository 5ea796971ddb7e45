"""Method, fields and body of a request, HTTP/2, and what an answer may warn of: our own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.diagnostics import render
from pyhad.common.config.model import HttpCheck, HttpHeader

Compile = Callable[..., Any]
DAY_NS = 86_400_000_000_000


def check(compiled: Any) -> HttpCheck:
    assert compiled.errors == []
    [server] = compiled.result.configuration.checker.servers
    [one] = server.checks
    assert isinstance(one, HttpCheck)
    return one


def page(service: Compile, words: str) -> Any:
    return service(inner=f"HTTP_GET {{\nurl {{\npath /\n{words}\n}}\n}}")


def test_a_request_is_a_plain_get_unless_it_is_said_otherwise(service: Compile) -> None:
    [url] = check(page(service, "")).urls
    assert (url.method, url.headers, url.body) == ("GET", (), "")
    words = (
        'pyhad_method POST\npyhad_header X-Probe 1\npyhad_header Accept "text/plain, */*"\npyhad_body "{\\"a\\": 1}"'
    )
    [url] = check(page(service, words)).urls
    assert (url.method, url.body) == ("POST", '{"a": 1}')
    assert url.headers == (
        HttpHeader(name="X-Probe", secret_value="1"),
        HttpHeader(name="Accept", secret_value="text/plain, */*"),
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("pyhad_method CONNECT", "pyhad_method: CONNECT asks for a tunnel, not for a page"),
        (
            "pyhad_method GE(T",
            "pyhad_method: 'GE(T' is not a method of HTTP, as GET or POST: letters, digits and '-', at most 32",
        ),
        ("pyhad_method HEAD\ndigest " + "0" * 32, "digest: an answer to HEAD has no body"),
        ("pyhad_method HEAD\nregex ok", "regex: an answer to HEAD has no body"),
        ("pyhad_header Host other", "pyhad_header: Host is made by the check itself"),
        ("pyhad_header content-length 5", "pyhad_header: content-length is made by the check itself"),
        (
            "pyhad_header X:Y z",
            "pyhad_header: 'X:Y' is not a name of a field: letters, digits and '-', at most 64, no colon",
        ),
        ('pyhad_header X "a\\r\\nEvil: 1"', "pyhad_header: the value of X holds a control character"),
        ("pyhad_header X first second", "pyhad_header: only one word is taken"),
        (
            "pyhad_header X",
            "'pyhad_header' is missing its parameter: text, in double quotes where it has blanks or braces",
        ),
        ("pyhad_body one two", "pyhad_body: only one word is taken"),
        ('pyhad_body "one', 'the quote " is not closed'),
    ],
)
def test_what_cannot_be_sent_is_an_error(service: Compile, words: str, error: str) -> None:
    assert page(service, words).errors == [error]


def test_what_a_field_says_is_shown_in_no_message(service: Compile) -> None:
    compiled = page(service, 'pyhad_header Connection "very secret"')
    text = render(compiled.result.diagnostics, False, compiled.result.files)
    assert 'pyhad_header Connection "********' in text
    assert "very secret" not in text


def test_http2_is_asked_for_by_the_checker_and_needs_no_protocol_beside_it(service: Compile) -> None:
    one = check(service(inner="SSL_GET {\npyhad_http2\nurl { path / }\n}"))
    assert (one.tls, one.http2) == (True, True)
    assert check(service(inner="HTTP_GET {\npyhad_http2 off\nurl { path / }\n}")).http2 is False
    both = service(inner="HTTP_GET {\npyhad_http2\nhttp_protocol 1.1\nurl { path / }\n}")
    assert both.warnings == ["http_protocol is ignored: pyhad_http2 asks over HTTP/2"]


def test_the_days_of_a_certificate(service: Compile) -> None:
    one = check(service(inner="SSL_GET {\npyhad_certificate_warning 14\nurl { path / }\n}"))
    assert one.certificate_warning_ns == 14 * DAY_NS
    assert check(service(inner="SSL_GET { url { path / } }")).certificate_warning_ns == 0


@pytest.mark.parametrize(
    ("words", "inner", "limits"),
    [
        ("", "", (0, 0)),
        ("pyhad_max_latency 2\npyhad_latency_warning 0.5", "", (2_000_000_000, 500_000_000)),
        ("pyhad_max_latency 2", "pyhad_max_latency 0.1", (100_000_000, 0)),
    ],
)
def test_how_long_an_answer_may_take_is_looked_up_from_the_checker_outwards(
    service: Compile, words: str, inner: str, limits: tuple[int, int]
) -> None:
    timing = check(service(words, f"HTTP_GET {{\n{inner}\nurl {{ path / }}\n}}")).timing
    assert (timing.max_latency_ns, timing.latency_warning_ns) == limits


@pytest.mark.parametrize(
    ("words", "warning", "hint"),
    [
        (
            "TCP_CHECK {\npyhad_latency_warning 2\npyhad_max_latency 1.5\n}",
            "pyhad_latency_warning does nothing: what takes so long has failed by pyhad_max_latency",
            "hint: give it less than pyhad_max_latency",
        ),
        (
            "pyhad_max_latency 1\npyhad_latency_warning 1\nTCP_CHECK {\n}",
            "pyhad_latency_warning does nothing: what takes so long has failed by pyhad_max_latency",
            "hint: give it less than pyhad_max_latency",
        ),
        (
            "UDP_CHECK {\npyhad_max_latency 1\n}",
            "pyhad_max_latency does nothing: without require_reply no answer is waited for",
            "hint: add: require_reply",
        ),
    ],
)
def test_a_limit_of_time_that_can_do_nothing_is_said(service: Compile, words: str, warning: str, hint: str) -> None:
    compiled = service(inner=words)
    assert (compiled.errors, compiled.warnings) == ([], [warning])
    assert hint in render(compiled.result.diagnostics, False, compiled.result.files)


def test_limits_of_time_that_can_act_are_not_warned_of(service: Compile) -> None:
    both = "TCP_CHECK {\npyhad_latency_warning 1\npyhad_max_latency 1.5\n}"
    reply = "UDP_CHECK {\nrequire_reply\npyhad_max_latency 1\n}"
    assert service(inner=f"{both}\n{reply}").warnings == []

"""HTTP_GET with a pattern: found, not found, and a hostile body that must not hold up the checks of others."""

from __future__ import annotations

import dataclasses
import os

import pytest

from pyhad.common.config.model import HttpUrl, Regex, Timing
from tests.lab.checker_stand_in import MS, Director, checked, http, replying, tcp

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else"),
]


def page(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def url(pattern: str, **words: object) -> HttpUrl:
    return HttpUrl(path="/", regex=Regex(pattern=pattern, **words))  # type: ignore[arg-type]


@pytest.mark.behaviour("CHK-23")
def test_a_body_is_searched_and_the_log_says_why(director: Director) -> None:
    server = director.serve(replying(page(b"status=OK\nload=7\n")))
    wanted = {
        "10.0.0.11:80": (url("^status=ok$", options=("caseless", "multiline")), True, "check_succeeded"),
        "10.0.0.12:80": (url("^status=ok$", options=("multiline",)), False, "http_regex"),
        "10.0.0.13:80": (url("FATAL", is_wanted=False), True, "check_succeeded"),
        "10.0.0.14:80": (url(r"load=\d", is_wanted=False), False, "http_regex"),
        "10.0.0.15:80": (url("load", max_offset=9), False, "http_regex"),
        "10.0.0.16:80": (url("load", min_offset=10, max_offset=10), True, "check_succeeded"),
    }
    director.start(*(checked(name, http(server.port, one)) for name, (one, *_) in wanted.items()))
    for name, (_, up, reason) in wanted.items():
        director.until(lambda name=name, said=(up, reason): director.verdicts and director.says(name) == said)
    down = {name for name, (_, up, _) in wanted.items() if not up}
    director.until(lambda: {line["server"] for line in director.lines("check_failed")} == down)


def test_a_hostile_body_does_not_hold_up_the_checks_of_others(director: Director) -> None:
    body = page(b"a" * 1_000_000 + b"b")

    def behave(server, connection, _data):  # type: ignore[no-untyped-def]
        connection.setblocking(True)
        connection.sendall(body)
        server.drop(connection)

    hostile, alive = director.serve(behave), director.serve(replying(b""))
    slow = dataclasses.replace(
        http(hostile.port, url("(a+)+$"), timeout_ms=5000), timing=Timing(delay_loop_ns=500 * MS, retry=0, warmup_ns=0)
    )
    director.start(checked("10.0.0.11:80", slow), checked("10.0.0.12:80", tcp(alive.port)))
    director.until(lambda: director.verdicts and director.says("10.0.0.11:80") == (False, "http_regex_undecided"))
    before, attacks = alive.accepted, hostile.accepted
    director.until(lambda: hostile.accepted >= attacks + 3)
    assert alive.accepted - before >= 5  # it is asked each 100 ms, the hostile one each 500
    assert director.is_alive()

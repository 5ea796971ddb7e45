"""SMTP, DNS, UDP and file checks to the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import DnsCheck, FileCheck, SmtpCheck, Timing, UdpCheck
from pyhad.common.config.model.tracking import TrackFile

Compile = Callable[..., Any]
SECOND_NS = 1_000_000_000


def checks(compiled: Any) -> tuple[Any, ...]:
    assert compiled.errors == []
    [server] = compiled.result.configuration.checker.servers
    return tuple(server.checks)


@pytest.mark.behaviour("CHK-40")
def test_an_smtp_check_says_its_name(service: Compile) -> None:
    [one] = checks(service(inner="SMTP_CHECK { }"))
    assert isinstance(one, SmtpCheck)
    assert (one.helo_name, one.target.port) == ("smtpchecker.keepalived.org", 8080)
    [named] = checks(service(inner="SMTP_CHECK { helo_name a.example }"))
    assert named.helo_name == "a.example"


@pytest.mark.behaviour("CHK-41")
@pytest.mark.parametrize(
    ("words", "targets"),
    [
        ("host { }", ["10.0.0.1:8080"]),
        ("host { connect_port 25 }\nhost { connect_port 26 }", ["10.0.0.1:25", "10.0.0.1:26"]),
        ("connect_ip 10.0.0.9\nhost { connect_port 25 }", ["10.0.0.9:8080", "10.0.0.9:25"]),
        ("connect_port 2525\nhost { connect_ip 10.0.0.8 }", ["10.0.0.1:2525", "10.0.0.8:2525"]),
    ],
)
def test_each_host_is_a_check_of_its_own(service: Compile, words: str, targets: list[str]) -> None:
    result = service(inner=f"SMTP_CHECK {{\nhelo_name h\nretry 7\n{words}\n}}")
    found = checks(result)
    assert [f"{one.target.address}:{one.target.port}" for one in found] == targets
    assert {(one.helo_name, one.timing.retry) for one in found} == {("h", 7)}
    assert result.warnings == ["host is deprecated: use one SMTP_CHECK per target"]


@pytest.mark.behaviour("CHK-50", "CHK-51")
@pytest.mark.parametrize(
    ("words", "name", "record_type"),
    [
        ("", ".", 6),
        ("type a\nname www.example.", "www.example.", 1),
        ("type RRSIG\nname " + "a" * 63 + ".example", "a" * 63 + ".example", 46),
        ("type 257", ".", 257),
    ],
)
def test_a_dns_check_asks_for_a_type_and_a_name(service: Compile, words: str, name: str, record_type: int) -> None:
    [one] = checks(service(inner=f"DNS_CHECK {{\n{words}\n}}"))
    assert isinstance(one, DnsCheck)
    assert (one.name, one.record_type) == (name, record_type)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("type SRVX", "type: 'SRVX' is no record type"),
        ("type 0", "type: '0' is no record type"),
        ("type 65536", "type: '65536' is no record type"),
        ("name a..b", "name: 'a..b' is no domain name"),
        ("name .a", "name: '.a' is no domain name"),
        ("name " + "a" * 64, f"name: '{'a' * 64}' is no domain name"),
        ("name " + ".".join(["abcdefg"] * 32), f"name: '{'.'.join(['abcdefg'] * 32)}' is no domain name"),
    ],
)
def test_what_cannot_be_asked_is_an_error(service: Compile, words: str, error: str) -> None:
    assert service(inner=f"DNS_CHECK {{\n{words}\n}}").errors == [error]


@pytest.mark.behaviour("CHK-80")
def test_a_udp_check_in_full(service: Compile) -> None:
    [plain] = checks(service(inner="UDP_CHECK { }"))
    assert isinstance(plain, UdpCheck)
    assert (plain.payload, plain.needs_reply, plain.pattern) == (b"", False, b"")
    [bare] = checks(service(inner="UDP_CHECK {\nrequire_reply\n}"))
    assert (bare.needs_reply, bare.pattern) == (True, b"")
    words = "payload 01 02ff\nrequire_reply 01Xf xx\nmin_reply_length 2\nmax_reply_length 9"
    [full] = checks(service(inner=f"UDP_CHECK {{\n{words}\n}}"))
    assert (full.payload, full.needs_reply) == (b"\x01\x02\xff", True)
    assert (full.pattern, full.mask) == (b"\x01\x0f\x00", b"\xff\x0f\x00")
    assert (full.min_reply, full.max_reply) == (2, 9)


@pytest.mark.behaviour("CHK-80")
@pytest.mark.parametrize(("words", "octets"), [("123", b"\x12\x03"), ('"1 2 345"', b"\x01\x02\x34\x05")])
def test_a_digit_left_over_is_an_octet_too(service: Compile, words: str, octets: bytes) -> None:
    """Seen on the wire of keepalived 2.2.7."""
    [check] = checks(service(inner=f"UDP_CHECK {{\npayload {words}\n}}"))
    assert check.payload == octets


@pytest.mark.behaviour("FIX-66")
@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("payload 0x01", "payload: '0x01' is no hex"),
        ("require_reply 0g", "require_reply: '0g' is no hex"),
        ("min_reply_length 9\nmax_reply_length 8", "min_reply_length 9 is above max_reply_length 8"),
    ],
)
def test_what_is_no_hex_is_an_error(service: Compile, words: str, error: str) -> None:
    assert service(inner=f"UDP_CHECK {{\n{words}\n}}").errors == [error]


@pytest.mark.behaviour("CHK-90", "TRK-4")
@pytest.mark.parametrize(
    ("block", "words", "factor"),
    [
        ("", "", 1),
        ("weight 3", "", 3),
        ("weight 3 reverse", "", -3),
        ("weight 3 reverse", "weight 5", 5),
        ("", "weight -5 reverse", 5),
        ("", "weight 0", 0),
    ],
)
def test_a_file_check_has_the_innermost_factor(service: Compile, block: str, words: str, factor: int) -> None:
    before = f"track_file load {{\nfile /run/load\n{block}\n}}\n"
    [one] = checks(service("alpha", f"FILE_CHECK {{\ntrack_file load\n{words}\n}}", before))
    timing = Timing(delay_loop_ns=60 * SECOND_NS, retry=0, delay_before_retry_ns=60 * SECOND_NS, warmup_ns=0)
    assert one == FileCheck(file=TrackFile(name="load", path="/run/load"), weight=factor, timing=timing, alpha=False)


@pytest.mark.parametrize(
    ("before", "words", "warning"),
    [
        ("", "", "FILE_CHECK is ignored: it has no track_file"),
        ("", "track_file load", "FILE_CHECK is ignored: track_file load is not defined"),
        ("track_file load { }\n", "track_file load", "FILE_CHECK is ignored: track_file load names no file"),
    ],
)
def test_a_file_check_without_a_file_is_ignored(service: Compile, before: str, words: str, warning: str) -> None:
    assert warning in service(inner=f"FILE_CHECK {{\n{words}\n}}", before=before).warnings

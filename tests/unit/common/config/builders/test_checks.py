"""Checkers to the model: inheritance (CHK-1), defaults, what is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import (
    CheckedServer,
    HttpCheck,
    HttpUrl,
    MiscCheck,
    PingCheck,
    StatusRange,
    Target,
    TcpCheck,
    Timing,
)
from pyhad.common.config.model.tracking import Program

Compile = Callable[..., Any]
SECOND_NS = 1_000_000_000


def server(compiled: Any) -> CheckedServer:
    assert compiled.errors == []
    [one] = compiled.result.configuration.checker.servers
    return one


def check(compiled: Any) -> Any:
    [one] = server(compiled).checks
    return one


@pytest.mark.behaviour("CHK-1", "CHK-9")
def test_a_tcp_check_has_keepalived_s_defaults(service: Compile) -> None:
    assert server(service(inner="TCP_CHECK { }")) == CheckedServer(
        service="192.0.2.100:80/tcp",
        server="10.0.0.1:8080",
        address="10.0.0.1",
        port=8080,
        weight=1,
        alpha=False,
        checks=(
            TcpCheck(
                target=Target(address="10.0.0.1", port=8080, connect_timeout_ns=5 * SECOND_NS),
                timing=Timing(
                    delay_loop_ns=60 * SECOND_NS,
                    retry=1,
                    delay_before_retry_ns=SECOND_NS,
                    warmup_ns=60 * SECOND_NS,
                ),
                alpha=False,
            ),
        ),
    )


@pytest.mark.behaviour("CHK-1")
@pytest.mark.parametrize(
    ("virtual", "real", "checker", "seconds"),
    [("delay_loop 10", "", "", 10), ("delay_loop 10", "delay_loop 5", "", 5), ("delay_loop 10", "", "delay_loop 2", 2)],
)
def test_the_innermost_setting_counts(service: Compile, virtual: str, real: str, checker: str, seconds: int) -> None:
    timing = check(service(virtual, f"{real}\nTCP_CHECK {{ {checker} }}")).timing
    assert timing.delay_loop_ns == seconds * SECOND_NS
    assert timing.warmup_ns == seconds * SECOND_NS


@pytest.mark.behaviour("CHK-1", "CHK-63")
@pytest.mark.parametrize(
    ("block", "retry", "delay_s"),
    [
        ("TCP_CHECK { }", 1, 1),
        ("PING_CHECK { }", 1, 1),
        ("HTTP_GET { url { path / } }", 1, 3),
        ("SSL_GET { url { path / } }", 1, 3),
        ("SMTP_CHECK { }", 1, 1),
        ("UDP_CHECK { }", 1, 1),
        ("DNS_CHECK { }", 3, 60),
        ("DNS_CHECK { delay_loop 5 }", 3, 5),
        ("MISC_CHECK { misc_path /bin/true }", 0, 1),
    ],
)
def test_each_kind_has_its_own_retries(service: Compile, block: str, retry: int, delay_s: int) -> None:
    timing = check(service(inner=block)).timing
    assert (timing.retry, timing.delay_before_retry_ns) == (retry, delay_s * SECOND_NS)


def test_the_connection_options_are_all_taken(service: Compile) -> None:
    words = "connect_ip 10.0.0.7\nconnect_port 22\nbindto 10.0.0.8\nbind_port 2000\nbind_if eth1"
    words += "\nfwmark 5\nconnect_timeout 0.5"
    assert check(service(inner=f"PING_CHECK {{\n{words}\n}}")) == PingCheck(
        target=Target(
            address="10.0.0.7",
            port=22,
            bind_address="10.0.0.8",
            bind_port=2000,
            bind_interface="eth1",
            fwmark=5,
            connect_timeout_ns=500_000_000,
        ),
        timing=Timing(),
        alpha=False,
    )


@pytest.mark.behaviour("CHK-21")
@pytest.mark.parametrize(
    ("virtual", "real", "checker", "url", "host"),
    [
        ("", "", "", "", ""),
        ("virtualhost v", "", "", "", "v"),
        ("virtualhost v", "virtualhost r", "", "", "r"),
        ("virtualhost v", "virtualhost r", "virtualhost c", "", "c"),
        ("virtualhost v", "virtualhost r", "virtualhost c", "virtualhost u", "u"),
    ],
)
def test_the_host_of_a_url_is_the_innermost(
    service: Compile, virtual: str, real: str, checker: str, url: str, host: str
) -> None:
    one = check(service(virtual, f"{real}\nHTTP_GET {{\n{checker}\nurl {{\npath /\n{url}\n}}\n}}"))
    assert one.urls[0].host == host


def test_an_http_check_in_full(service: Compile) -> None:
    words = """HTTP_GET {
        url {
            path /a
            status_code 200
            status_code 301-302
            digest 9B3A0C85A887A256D6939DA88AABD8CD
        }
        url { path /b }
        http_protocol 1.0c
        fast_recovery
        alpha
        log_all_failures
    }"""
    one = check(service(inner=words))
    assert isinstance(one, HttpCheck)
    assert one.urls == (
        HttpUrl(
            path="/a",
            digest="9b3a0c85a887a256d6939da88aabd8cd",
            status=(StatusRange(first=200, last=200), StatusRange(first=301, last=302)),
        ),
        HttpUrl(path="/b", status=(StatusRange(first=200, last=299),)),
    )
    assert (one.http_protocol, one.fast_recovery, one.alpha, one.timing.log_all_failures) == ("1.0C", True, True, True)


@pytest.mark.behaviour("CHK-62")
def test_a_script_has_the_service_s_delay_loop_as_its_limit(service: Compile) -> None:
    words = "delay_loop 5\nMISC_CHECK {\nmisc_path \"/bin/check 'a b' \\x41\"\nmisc_dynamic\nmisc_timeout 0\n}"
    assert check(service("delay_loop 7", words)) == MiscCheck(
        program=Program(argv=("/bin/check", "a b", "A")),
        timeout_ns=7 * SECOND_NS,
        dynamic=True,
        timing=Timing(delay_loop_ns=5 * SECOND_NS, retry=0, delay_before_retry_ns=SECOND_NS, warmup_ns=5 * SECOND_NS),
        alpha=False,
    )


@pytest.mark.behaviour("VER-5")
@pytest.mark.behaviour("FIX-64", "FIX-65", "CHK-27")
@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("HTTP_GET { }", "HTTP_GET is ignored: it has no url"),
        ("HTTP_GET { url { digest 9B3A0C85A887A256D6939DA88AABD8CD } }", "url is ignored: it has no path"),
        ("MISC_CHECK { }", "MISC_CHECK is ignored: it has no misc_path"),
        ("TCP_CHECK { connect_ip fe80::1 }", "TCP_CHECK is ignored: fe80::1 is link-local and there is no bind_if"),
    ],
)
def test_a_check_that_cannot_work_is_ignored_with_a_warning(service: Compile, block: str, message: str) -> None:
    result = service(inner=block)
    assert result.errors == []
    assert message in result.warnings
    assert result.result.configuration.checker.servers == ()


def test_of_several_digests_the_first_counts(service: Compile) -> None:
    result = service(inner=f"HTTP_GET {{ url {{\npath /\ndigest {'0' * 32}\ndigest {'1' * 32}\n}} }}")
    assert result.warnings == ["digest is ignored: the url has one already"]
    assert check(result).urls[0].digest == "0" * 32


def test_octets_that_do_not_count_must_be_octets_too(service: Compile) -> None:
    result = service(inner="UDP_CHECK {\nrequire_reply word\nrequire_reply\n}")
    assert result.errors == ["require_reply: 'word' is no hex"]


@pytest.mark.behaviour("CHK-5", "CHK-6")
@pytest.mark.parametrize(
    ("virtual", "inner", "alpha"),
    [
        ("", "TCP_CHECK { }", False),
        ("alpha", "TCP_CHECK { }", True),
        ("alpha", "alpha no\nTCP_CHECK { }", False),
        ("", "alpha\nTCP_CHECK { }", True),
        ("alpha", "TCP_CHECK { alpha no }", False),
        ("", "TCP_CHECK { }\nPING_CHECK { alpha }", True),
    ],
)
def test_a_server_waits_for_its_first_success_if_one_check_is_alpha(
    service: Compile, virtual: str, inner: str, alpha: bool
) -> None:
    result = service(virtual, inner)
    assert server(result).alpha is alpha
    assert result.result.configuration.ipvs.services[0].servers[0].alpha is alpha


@pytest.mark.behaviour("CHK-100")
def test_a_bfd_check_follows_a_session_that_is_defined_and_each_once(service: Compile) -> None:
    before = "bfd_instance a {\nneighbor_ip 192.0.2.1\n}\n"
    result = service("", "BFD_CHECK {\nname a\n}\nBFD_CHECK {\nname a\n}\nBFD_CHECK {\nname b\n}", before)
    ignored = [f"BFD_CHECK is ignored: {why}" for why in ("it names a again", "bfd_instance b is not defined")]
    silent = "BFD_CHECK: nothing speaks BFD yet: as far as this check goes the server counts as up for good"
    assert set(result.warnings) == {silent, *ignored}
    [one] = result.result.configuration.checker.servers
    assert [(check.session, check.alpha) for check in one.checks] == [("a", False)]


def test_local_address_and_target_must_agree(service: Compile) -> None:
    assert service(inner="TCP_CHECK { bindto fd00::1 }").errors == [
        "bindto: fd00::1 and the target 10.0.0.1 are not of one address family"
    ]


def test_local_address_and_the_addresses_that_a_name_may_have_must_agree(service: Compile) -> None:
    def errors(checker: str) -> Any:
        return service(f"real_server web.example 80 {{ TCP_CHECK {{ {checker} }} }}").errors

    assert errors("bindto fd00::1") == [
        "bindto: fd00::1 and the target web.example, of an IPv4 service, are not of one address family"
    ]
    assert errors("bindto fd00::1\nconnect_ip 10.0.0.9") == [
        "bindto: fd00::1 and the target 10.0.0.9 are not of one address family"
    ]
    assert errors("bindto 10.0.0.1") == errors("bindto fd00::1\nconnect_ip fd00::9") == []


def test_a_setting_counts_for_who_has_it_where_lines_are_the_same_in_other_blocks(service: Compile) -> None:
    other = "real_server 10.0.0.2 80 {\nTCP_CHECK {\nretry 2\nretry 3\n}\n}"
    compiled = service(other, "\nretry 3\nTCP_CHECK {\nretry 2\n}\n")
    servers = compiled.result.configuration.checker.servers
    assert [(one.server, one.checks[0].timing.retry) for one in servers] == [("10.0.0.2:80", 3), ("10.0.0.1:8080", 2)]


def test_a_script_with_an_open_quote_is_an_error(service: Compile) -> None:
    assert service(inner='MISC_CHECK {\nmisc_path "/bin/check \'oops"\n}').errors == [
        "misc_path: the quote ' is not closed"
    ]

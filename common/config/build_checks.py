"""The checkers of one real server to the model: checker > real server > virtual server > default (CHK-1)."""

from __future__ import annotations

import functools
import ipaddress

from pyhad.common.config.build_grpc import build_grpc
from pyhad.common.config.build_http import build_http
from pyhad.common.config.build_probes import DEFAULT_HELO, build_bfd, build_dns, build_file, build_udp, smtp_targets
from pyhad.common.config.checked_around import Around
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import (
    SECOND_NS,
    BfdCheck,
    Check,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    Target,
    TcpCheck,
    Timing,
)
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

ACTING = (
    *("TCP_CHECK", "HTTP_GET", "SSL_GET", "MISC_CHECK", "PING_CHECK"),
    *("SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "FILE_CHECK", "BFD_CHECK"),
    "PYHAD_GRPC_CHECK",
)
_RETRY_DELAY_NS = {"HTTP_GET": 3 * SECOND_NS, "SSL_GET": 3 * SECOND_NS}
_RETRIES = {"MISC_CHECK": 0, "DNS_CHECK": 3}


def build_checks(around: Around, complaints: Complaints) -> tuple[Check, ...]:
    """Its checks. Of two of the same BFD session the second is ignored (CHK-100)."""
    checks: list[Check] = []
    for statement in around.real.children:
        if statement.broken or statement.name not in ACTING:
            continue
        targets = smtp_targets(statement, complaints) if statement.name == "SMTP_CHECK" else (statement,)
        for built in (_check(one, around, complaints) for one in targets):
            if isinstance(built, BfdCheck) and built in checks:
                complaints.warning(f"BFD_CHECK is ignored: it names {built.session} again", statement.at)
            elif built is not None:
                checks.append(built)
    return tuple(checks)


def _check(check: Statement, around: Around, complaints: Complaints) -> Check | None:
    if check.name == "MISC_CHECK":
        return _misc(check, around, complaints)
    if check.name == "FILE_CHECK":
        return build_file(check, around, complaints)
    if check.name == "BFD_CHECK":
        return build_bfd(check, around, complaints, alpha=_alpha(check, around))
    target = _target(check, around, complaints)
    if target is None:
        return None
    timing, alpha = _one_for_all(_timing(check, around)), _alpha(check, around)
    if check.name == "PING_CHECK":
        return PingCheck(target=target, timing=timing, alpha=alpha)
    if check.name == "TCP_CHECK":
        return TcpCheck(target=target, timing=timing, alpha=alpha)
    if check.name == "SMTP_CHECK":
        helo = check.text_of("helo_name", DEFAULT_HELO)
        return SmtpCheck(target=target, timing=timing, alpha=alpha, helo_name=helo)
    if check.name == "DNS_CHECK":
        return build_dns(check, target, timing, alpha, complaints)
    if check.name == "UDP_CHECK":
        return build_udp(check, target, timing, alpha, complaints)
    if check.name == "PYHAD_GRPC_CHECK":
        return build_grpc(check, around, target, timing, alpha, complaints)
    return build_http(check, around, target, timing, alpha, complaints)


@functools.lru_cache(maxsize=1024)
def _one_for_all(timing: Timing) -> Timing:
    """Thousands of checks have the same few timings."""
    return timing


def _timing(check: Statement, around: Around) -> Timing:
    delay_loop_ns = around.number(check, "delay_loop", 60 * SECOND_NS)
    retry_delay_ns = delay_loop_ns if check.name == "DNS_CHECK" else _RETRY_DELAY_NS.get(check.name, SECOND_NS)
    return Timing(
        delay_loop_ns=delay_loop_ns,
        retry=around.number(check, "retry", _RETRIES.get(check.name, 1)),
        delay_before_retry_ns=around.number(check, "delay_before_retry", retry_delay_ns),
        warmup_ns=around.number(check, "warmup", delay_loop_ns),
        log_all_failures=check.switch("log_all_failures", default=around.log_all_failures),
        max_latency_ns=around.number(check, "pyhad_max_latency", 0),
        latency_warning_ns=around.number(check, "pyhad_latency_warning", 0),
    )


def is_alpha(real: Statement, virtual: Statement) -> bool:
    """`alpha` of the real server, else of the service."""
    return real.switch("alpha", default=virtual.has("alpha"))


def _alpha(check: Statement, around: Around) -> bool:
    return check.switch("alpha", default=is_alpha(around.real, around.virtual))


def _target(check: Statement, around: Around, complaints: Complaints) -> Target | None:
    """Where the check connects; None when it cannot (FIX-65)."""
    address = check.text_of("connect_ip", around.address)
    port = check.number_of("connect_port", around.port)
    device = check.text_of("bind_if")
    bind = check.text_of("bindto")
    if ":" in address and not device and ipaddress.ip_address(address).is_link_local:
        message = f"{check.name} is ignored: {address} is link-local and there is no bind_if"
        complaints.warning(message, check.at, hint="add: bind_if IFNAME")
        return None
    if bind and address and (":" in bind) != (":" in address):
        found = check.last("bindto") or check
        message = f"bindto: {bind} and the target {address} are not of one address family"
        complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)
        return None
    if not port and check.name != "PING_CHECK":
        message = f"{check.name} is ignored: neither the real server nor the service has a port"
        complaints.warning(message, check.at, hint="add: connect_port N")
        return None
    return Target(
        address=address,
        port=port,
        bind_address=bind,
        bind_port=check.number_of("bind_port", 0),
        bind_interface=device,
        fwmark=check.number_of("fwmark", 0),
        connect_timeout_ns=around.number(check, "connect_timeout", 5 * SECOND_NS),
    )


def _misc(check: Statement, around: Around, complaints: Complaints) -> MiscCheck | None:
    if not check.given("misc_path"):
        complaints.warning("MISC_CHECK is ignored: it has no misc_path", check.at)
        return None
    as_user = check.last("user")
    account = around.scripts.account_of(as_user)
    if as_user is not None and account is None:  # CHK-64: said already
        return None
    program = around.scripts.program_of(check, "misc_path", account)
    if program is None:
        return None
    service_delay_ns = around.virtual.number_of("delay_loop", 60 * SECOND_NS)
    return MiscCheck(
        program=program,
        timeout_ns=check.number_of("misc_timeout", 0) or service_delay_ns,
        dynamic=check.has("misc_dynamic"),
        timing=_timing(check, around),
        alpha=_alpha(check, around),
    )

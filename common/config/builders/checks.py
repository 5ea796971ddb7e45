"""The checkers of one real server to the model: checker > real server > virtual server > default (CHK-1)."""

from __future__ import annotations

import ipaddress

from pyhad.common.config.builders.addresses import family_of
from pyhad.common.config.builders.grpc import build_grpc
from pyhad.common.config.builders.http import build_http
from pyhad.common.config.builders.probes import DEFAULT_HELO, build_bfd, build_dns, build_file, build_udp, smtp_targets
from pyhad.common.config.check_settings import settings_of, warn_of_latencies
from pyhad.common.config.checked_around import Around, CheckSettings
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
)
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

ACTING = (
    *("TCP_CHECK", "HTTP_GET", "SSL_GET", "MISC_CHECK", "PING_CHECK"),
    *("SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "FILE_CHECK", "BFD_CHECK"),
    "PYHAD_GRPC_CHECK",
)


def build_checks(around: Around, complaints: Complaints) -> tuple[Check, ...]:
    """Its checks. Of two of the same BFD session the second is ignored (CHK-100)."""
    checks: list[Check] = []
    warn_of_latencies(around.real, complaints)
    for statement in around.real.children:
        if statement.broken or statement.name not in ACTING:
            continue
        warn_of_latencies(statement, complaints)
        targets = smtp_targets(statement, complaints) if statement.name == "SMTP_CHECK" else (statement,)
        for built in (_check(one, around, complaints) for one in targets):
            if isinstance(built, BfdCheck) and built in checks:
                complaints.warning(f"BFD_CHECK is ignored: it names {built.session} again", statement.at)
            elif built is not None:
                checks.append(built)
    return tuple(checks)


def _check(check: Statement, around: Around, complaints: Complaints) -> Check | None:
    if check.name == "MISC_CHECK":
        return _misc(check, around, settings_of(check, around), complaints)
    if check.name == "FILE_CHECK":
        return build_file(check, around, complaints)
    if check.name == "BFD_CHECK":
        return build_bfd(check, around, complaints, alpha=settings_of(check, around).alpha)
    settings = settings_of(check, around)
    target = _target(check, around, settings, complaints)
    if target is None:
        return None
    timing, alpha = settings.timing, settings.alpha
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


def _target(check: Statement, around: Around, settings: CheckSettings, complaints: Complaints) -> Target | None:
    """Where the check connects; None when it cannot (FIX-65)."""
    address, port = settings.connect_ip or around.address, settings.connect_port or around.port
    device, bind = settings.bind_interface, settings.bind_address
    if ":" in address and not device and ipaddress.ip_address(address).is_link_local:
        message = f"{check.name} is ignored: {address} is link-local and there is no bind_if"
        complaints.warning(message, check.at, hint="add: bind_if IFNAME")
        return None
    if bind and family_of(bind) != (family_of(address) if address else around.family):
        found = check.last("bindto") or check
        target = address or f"{around.real.text()}, of an IPv{around.family} service,"
        message = f"bindto: {bind} and the target {target} are not of one address family"
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
        bind_port=settings.bind_port,
        bind_interface=device,
        fwmark=settings.fwmark,
        connect_timeout_ns=settings.connect_timeout_ns,
    )


def _misc(check: Statement, around: Around, settings: CheckSettings, complaints: Complaints) -> MiscCheck | None:
    if not check.given("misc_path"):
        complaints.warning("MISC_CHECK is ignored: it has no misc_path", check.at, hint="add: misc_path COMMAND")
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
        timing=settings.timing,
        alpha=settings.alpha,
    )

"""What keepalived prints of virtual servers, real servers and their checkers (`-d`), beside pyhad's model.

keepalived prints them only where the kernel has IPVS: `tests.lab.dumped --half services` inside `tests/vm/lab-kernel`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pyhad.common.config.keyword import Keyword
from pyhad.common.config.model import (
    Check,
    CheckedServer,
    Configuration,
    DnsCheck,
    Forwarding,
    HttpCheck,
    HttpUrl,
    MiscCheck,
    RealServer,
    SmtpCheck,
    Tunnel,
    TunnelChecksum,
    UdpCheck,
    VirtualServer,
)
from pyhad.common.config.model.alerts import ToldServer, ToldService
from pyhad.common.config.model.checks import BfdCheck, FileCheck, TcpCheck
from tests.lab.config_files import known_rows
from tests.lab.dump_reader import Block, Facts, compare, enabled, is_explained, on_off, program_text, read_dump, yes_no

T = TypeVar("T", "Service", "Server", "Checker")
SECOND_NS = 1_000_000_000
END = "Activating healthchecker for service [10.0.0.250]"
"""Said of the server of `LAST` when everything is printed."""
LAST = """virtual_server 203.0.113.250 1 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.0.0.250 1 {
    TCP_CHECK {
    }
  }
}
"""
_SECTIONS = ("Virtual server", "Real server", "Health checkers")
_OF_URL = re.compile("Virtual host|Regex (options|ref count|stack)|TLS compliant|tls")
"""Lines of a url that are not compared."""
_RISKY = re.compile("fifo|script|notify_|user|priority|rlimit|cpu|swap|netlink|nftables|sync_daemon|flush|timeouts")
_DNS_TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 15: "MX", 16: "TXT", 28: "AAAA", 46: "RRSIG", 48: "DNSKEY"}
_CHECKSUMS = {TunnelChecksum.NONE: "", TunnelChecksum.FULL: ", checksum", TunnelChecksum.REMOTE: ", remote checksum"}


@dataclass(frozen=True)
class Service:
    """A virtual server and whom it tells."""

    config: VirtualServer
    told: ToldService


@dataclass(frozen=True)
class Server:
    """A real server, whom it tells, and its checks."""

    config: RealServer
    told: ToldServer
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Checker:
    """One check of one real server."""

    check: Check
    title: str


def rows() -> list[Keyword]:
    """Of services and their checks, and their defaults, but for what touches the machine around them."""
    return [
        row
        for row in known_rows()
        if row.block.startswith("virtual_server")
        or (row.block == "global_defs" and re.match("checker_|smtp_|lvs_|rs_|no_", row.name))
        if not _RISKY.search(row.name)
    ]


def disagreements(log: str, ours: Configuration) -> tuple[int, list[str]]:
    """How many blocks both have, and `TITLE: LABEL: keepalived has X, pyhad Y` of what differs."""
    dump, (services, servers, checkers) = read_dump(log), _things(ours)
    printed = {section: [one for one in dump if one.section == section and not _follows(one)] for section in _SECTIONS}
    lines = [
        *_differing(printed[_SECTIONS[0]], services, SERVICE, SERVICE_PASSED_OVER),
        *_differing(printed[_SECTIONS[1]], servers, SERVER, SERVER_PASSED_OVER),
        *_differing(_sorted(printed[_SECTIONS[2]], checkers), checkers, CHECKER, CHECKER_PASSED_OVER),
    ]
    return sum(map(len, printed.values())), [line for line in lines if not is_explained(line.partition(" | ")[2])]


def _follows(block: Block) -> bool:
    """A checker that asks nobody: what it follows is printed at its server."""
    return block.values().get("Keepalive method", "").startswith(("FILE_CHECK", "BFD_CHECK"))


def _differing(blocks: list[Block], things: list[T], facts: Facts[T], passed_over: re.Pattern[str]) -> Iterator[str]:
    if len(blocks) != len(things):
        yield f"count | keepalived has {[block.title for block in blocks]}, pyhad {things}"
        return
    for block, thing in zip(blocks, things, strict=True):
        yield from (f"{block.title} | {line}" for line in compare(block, thing, facts, passed_over))


def _sorted(blocks: list[Block], checkers: list[Checker]) -> list[Block]:
    """In our order."""
    left, found = list(blocks), []
    for checker in checkers:
        fits = [
            one for one in left if one.title == checker.title and one.values().get("Keepalive method") == _kind(checker)
        ]
        block = next(iter(fits or left), None)
        if block is not None:
            left.remove(block)
            for entry in block.every("Checked url"):
                entry.items = [item for item in entry.items if not _OF_URL.match(item)]
            found.append(block)
    return found + left


def _things(ours: Configuration) -> tuple[list[Service], list[Server], list[Checker]]:
    told = {one.service: one for one in ours.checker.told}
    checked: dict[tuple[str, str], CheckedServer] = {(one.service, one.server): one for one in ours.checker.servers}
    services = [Service(one, told[one.id]) for one in ours.ipvs.services]
    servers, checkers = [], []
    for service in services:
        for config, hears in zip(service.config.servers, service.told.servers, strict=True):
            one = checked.get((service.config.id, config.id))
            checks = one.checks if one is not None else ()
            servers.append(Server(config, hears, checks))
            title = f"{service.told.name} -> {hears.name}"
            checkers += [Checker(check, title) for check in checks if not isinstance(check, FileCheck | BfdCheck)]
    return services, servers, checkers


def _method(forwarding: Forwarding, tunnel: Tunnel) -> str:
    if forwarding is not Forwarding.TUNNEL:
        return str(forwarding)
    port = f", port = {tunnel.port}" if tunnel.port else ""
    return f"TUN, type = {tunnel.type.upper()}{port}{_CHECKSUMS[tunnel.checksum]}"


def _flag(name: str) -> Callable[[Service], str | None]:
    def fact(one: Service) -> str | None:
        own = {"sh": ("sh-port", "sh-fallback"), "mh": ("mh-port", "mh-fallback")}.get(
            one.config.scheduler, ("flag-1", "flag-2", "flag-3")
        )
        return enabled(name in one.config.flags) if name in own else None

    return fact


def _sorry(one: Service) -> str | None:
    sorry = one.config.sorry_server
    if sorry is None:
        return None
    address = f"[{sorry.address}]:{one.config.listeners[0].protocol}:{sorry.port}"
    method = _method(sorry.forwarding, sorry.tunnel)
    return f"{address}; forwarding method = {method}; Inhibit on failure is {on_off(sorry.inhibit)}"


SERVICE: Facts[Service] = {
    "Address family": lambda one: "inet6" if one.config.listeners[0].family == 6 else "inet",
    "lvs_sched": lambda one: one.config.scheduler,
    **{
        name: _flag(name) for name in ("flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback")
    },
    "One packet scheduling": lambda one: enabled("ops" in one.config.flags),
    "persistence timeout": lambda one: str(one.config.persistence_timeout_s or "") or None,
    "persistence granularity": lambda one: one.config.persistence_granularity or None,
    "persistence_engine": lambda one: one.config.persistence_engine or None,
    "protocol": lambda one: "none" if one.config.listeners[0].fwmark else str(one.config.listeners[0].protocol).upper(),
    "alpha": lambda one: on_off(one.told.alpha),
    "omega": lambda one: on_off(one.told.omega),
    "quorum": lambda one: f"{one.config.quorum}, hysteresis = {one.config.hysteresis}",
    "Quorum up notify script": lambda one: program_text(one.told.up),
    "Quorum down notify script": lambda one: program_text(one.told.down),
    "Using smtp notification": lambda one: yes_no(one.told.mails),
    "sorry server": _sorry,
}
SERVICE_PASSED_OVER = re.compile(
    r"connection timeout|delay_loop|Retry count|Retry delay|Warmup|Inhibit on failure|default forwarding|VirtualHost"
    r"|SNMP name|Hashed|alive|quorum_state_up|reloaded"
)
"""Defaults of its servers and their checks, where they are compared; state of the running program."""

SERVER: Facts[Server] = {
    "forwarding method": lambda one: _method(one.config.forwarding, one.config.tunnel),
    "connection limit range": lambda one: f"{one.config.lower_threshold} -> {one.config.upper_threshold}",
    "Inhibit on failure": lambda one: on_off(one.config.inhibit_on_failure),
    "RS up notify script": lambda one: program_text(one.told.up),
    "RS down notify script": lambda one: program_text(one.told.down),
    "Using smtp notification": lambda one: yes_no(one.told.mails),
    "initial weight": lambda one: str(one.config.weight),
    "Tracked Files": lambda one: _files(one),
    "Tracked BFDs": lambda one: "; ".join(check.session for check in one.checks if isinstance(check, BfdCheck)) or None,
}
SERVER_PASSED_OVER = re.compile(
    r"Alpha|connection timeout|Delay loop|Retry count|Retry delay|Warmup|VirtualHost|effective weight"
    r"|SNMP name|previous effective|alive|num failed|RS set|reloaded"
)


def _files(one: Server) -> str | None:
    found = [
        f"{check.file.name}, weight {abs(check.weight)}{' reverse' if check.weight < 0 else ''}"
        for check in one.checks
        if isinstance(check, FileCheck)
    ]
    return "; ".join(found) or None


def _kind(one: Checker) -> str:
    match one.check:
        case HttpCheck():
            return f"{'SSL_GET' if one.check.tls else 'HTTP_GET'}, http protocol {one.check.http_protocol}"
        case TcpCheck():
            return "TCP_CHECK"
        case SmtpCheck():
            return "SMTP_CHECK"
        case DnsCheck():
            return "DNS_CHECK"
        case MiscCheck():
            return "MISC_CHECK"
        case UdpCheck():
            return "UDP_CHECK"
        case _:
            return "PING_CHECK"


def _connection(one: Checker) -> str | None:
    if isinstance(one.check, MiscCheck | FileCheck | BfdCheck):
        return None
    target = one.check.target
    bind = f"Bind to = [{target.bind_address}]:{target.bind_port}" if target.bind_address else ""
    parts = (
        f"Dest = [{target.address}]:{target.port}",
        bind,
        target.bind_interface and f"Bind i/f = {target.bind_interface}",
        f"Mark = {target.fwmark}" if target.fwmark else "",
        f"Timeout = {target.connect_timeout_ns / SECOND_NS:.6f}",
    )
    return "; ".join(part for part in parts if part)


def _retry_delay(one: Checker) -> str | None:
    return _us(one.check.timing.delay_before_retry_ns) if one.check.timing.retry else None


def _us(value_ns: int) -> str:
    return f"{value_ns // 1000} us"


def _urls(one: Checker) -> str | None:
    if not isinstance(one.check, HttpCheck):
        return None
    return " | ".join("; ".join(_url(url)) for url in one.check.urls)


def _url(url: HttpUrl) -> Iterator[str]:
    yield url.path
    if url.digest:
        yield f"digest = {url.digest}"
    yield "HTTP Status Code(s)"
    for codes in url.status:
        yield f"{codes.first}-{codes.last}" if codes.first != codes.last else str(codes.first)
    if url.regex is not None:
        yield f'Regex = "{url.regex.pattern}"'
        if not url.regex.is_wanted:
            yield "Regex no match"
        least = f"min offset = {url.regex.min_offset}" if url.regex.min_offset else ""
        most = f"max_offset = {url.regex.max_offset}" if url.regex.max_offset >= 0 else ""
        if least or most:
            yield f"Regex {', '.join(one for one in (least, most) if one)}"


def _reply(one: Checker) -> str | None:
    if not isinstance(one.check, UdpCheck):
        return None
    if not one.check.needs_reply:
        return "no"
    lengths = f"Min reply length = {one.check.min_reply}; Max reply length = {one.check.max_reply}"
    return f"yes; {lengths}; Reply data len = {len(one.check.pattern)}"


CHECKER: Facts[Checker] = {
    "Alpha": lambda one: yes_no(one.check.alpha),
    "Delay loop": lambda one: _us(one.check.timing.delay_loop_ns),
    "Warmup": lambda one: _us(one.check.timing.warmup_ns),
    "Retries": lambda one: str(one.check.timing.retry),
    "Delay before retry": _retry_delay,
    "Log all failures": lambda one: yes_no(one.check.timing.log_all_failures),
    "Connection": _connection,
    "Keepalive method": _kind,
    "Fast recovery": lambda one: (
        ("set" if one.check.fast_recovery else "unset") if isinstance(one.check, HttpCheck) else None
    ),
    "Checked url": _urls,
    "Payload specified": lambda one: yes_no(bool(one.check.payload)) if isinstance(one.check, UdpCheck) else None,
    "Require reply": _reply,
    "Type": lambda one: _DNS_TYPES.get(one.check.record_type, "") if isinstance(one.check, DnsCheck) else None,
    "Name": lambda one: one.check.name if isinstance(one.check, DnsCheck) else None,
    "helo": lambda one: one.check.helo_name if isinstance(one.check, SmtpCheck) else None,
}
CHECKER_PASSED_OVER = re.compile(
    r"Enabled|Up|Has run|Current weight|Retries iterations|Default delay|Virtualhost|Enable SNI"
)

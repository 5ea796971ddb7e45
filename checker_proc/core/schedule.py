"""When probes run: what identifies a check, its place in the warm-up, the grid. Pure arithmetic, no clock."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import assert_never

from pyhad.common.config.model import (
    BfdCheck,
    Check,
    DnsCheck,
    FileCheck,
    GrpcCheck,
    HttpCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    Target,
    TcpCheck,
    UdpCheck,
)

GRID_NS = 20_000_000
"""Probes start on multiples of this, so that many share one wake-up: waking costs as much as several probes."""
FIRST_DELAY_NS = 1_000_000_000
"""No probe in the first second (CHK-2)."""

Identity = tuple[object, ...]


def identity_of(check: Check) -> Identity:
    """What makes a check the same over a reload or a restart: its kind and whom it asks what (REL-37).

    Timing, timeout and alpha are left out: a check whose pace changed keeps its result.
    """
    match check:
        case TcpCheck():
            return ("TCP_CHECK", *_whom(check.target))
        case HttpCheck():
            protocol = "2" if check.http2 else check.http_protocol
            hidden = tuple(header.secret_value for url in check.urls for header in url.headers)
            return ("SSL_GET" if check.tls else "HTTP_GET", *_whom(check.target), protocol, check.urls, *hidden)
        case GrpcCheck():
            return ("PYHAD_GRPC_CHECK", *_whom(check.target), check.service, check.host, check.tls, check.sni)
        case PingCheck():
            return ("PING_CHECK", *_whom(replace(check.target, port=0)))
        case SmtpCheck():
            return ("SMTP_CHECK", *_whom(check.target), check.helo_name)
        case DnsCheck():
            return ("DNS_CHECK", *_whom(check.target), check.name, check.record_type)
        case UdpCheck():
            wanted = (check.needs_reply, check.pattern, check.mask, check.min_reply, check.max_reply)
            return ("UDP_CHECK", *_whom(check.target), check.payload, *wanted)
        case FileCheck():
            return ("FILE_CHECK", check.file.path, check.weight)
        case BfdCheck():
            return ("BFD_CHECK", check.session)
        case MiscCheck():
            return ("MISC_CHECK", check.program, check.dynamic)
        case _:
            assert_never(check)


def _whom(target: Target) -> Identity:
    return (target.address, target.port, target.bind_address, target.bind_port, target.bind_interface, target.fwmark)


def fingerprint(identity: Identity) -> int:
    """64 bits that stand for an identity, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(identity).encode(), digest_size=8).digest(), "big")


def spread_ns(mark: int, span_ns: int) -> int:
    """A place in 0..span for this fingerprint, on the grid: always the same one, far from that of most others."""
    places = span_ns // GRID_NS
    return mark % places * GRID_NS if places > 0 else 0


def grid_slot(at_ns: int) -> int:
    """The first moment of the grid at or after `at_ns`."""
    return -(-at_ns // GRID_NS) * GRID_NS


def next_turn_ns(turn_ns: int, period_ns: int, now_ns: int) -> int:
    """The first `turn_ns + k * period_ns`, k >= 1, after `now_ns`: keeps the phase, never catches up."""
    period_ns = max(period_ns, GRID_NS)
    following_ns = turn_ns + period_ns
    if following_ns > now_ns:
        return following_ns
    return turn_ns + ((now_ns - turn_ns) // period_ns + 1) * period_ns

"""Starts the right kind of probe for a check. The only place that knows all kinds and how many may run at once."""

from __future__ import annotations

import importlib
import resource
import ssl
from collections.abc import Mapping
from typing import assert_never

from pyhad.checker_proc.core.events import ProbeImpossible, Result
from pyhad.checker_proc.core.http_request import request_bytes
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.probes import datagram, http_probe, smtp_probe, tcp, tls_probe
from pyhad.checker_proc.probes.bfd_sessions import BfdSessions
from pyhad.checker_proc.probes.deadlines import Deadlines
from pyhad.checker_proc.probes.exchange import Exchange, Http1Exchange
from pyhad.checker_proc.probes.marks import Marked, Marks
from pyhad.checker_proc.probes.number_files import NumberFiles
from pyhad.checker_proc.probes.ping import Pinger
from pyhad.checker_proc.probes.probe import Owner, Probe
from pyhad.checker_proc.probes.programs import Programs
from pyhad.checker_proc.settling import GIVING_BACK_NS, give_back
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
    TcpCheck,
    UdpCheck,
)
from pyhad.common.loop import Loop
from pyhad.common.scripts.client import Scripts

SPARE_DESCRIPTORS = 128
"""Kept for the bus, the log and the interpreter: ZeroMQ gives up the whole process when it finds none."""

Started = Probe | Result


def raise_descriptor_limit() -> int:
    """Use all the descriptors the kernel grants this process; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Home:
    """What only the checker's own process can ask: ping sockets, programs, files and BFD sessions are there alone."""

    def __init__(
        self, loop: Loop, scripts: Scripts, files: NumberFiles, marks: Marks, icmp: Mapping[tuple[int, int], int]
    ) -> None:
        """`icmp`: raw sockets by family and mark; -1 where there is none."""
        self._deadlines = Deadlines(loop)
        self._pingers = {one: Pinger(loop, self._deadlines, one[0], fd, one[1]) for one, fd in icmp.items()}
        self.marks = marks
        self.programs = Programs(scripts, loop, self._deadlines)
        self._files = files
        self.sessions = BfdSessions()

    def start(self, check: PingCheck | MiscCheck | FileCheck | BfdCheck, owner: Owner, now_ns: int) -> Started:
        """As `Prober.start`."""
        match check:
            case PingCheck():
                pinger = self._pingers.get((6 if ":" in check.target.address else 4, check.target.fwmark))
                if pinger is None:
                    return ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED)
                return pinger.start(check.target, owner, now_ns)
            case MiscCheck():
                return self.programs.start(check, owner, now_ns)
            case BfdCheck():
                return self.sessions.look(check)
            case FileCheck():
                return self._files.look(check)
            case _:
                assert_never(check)


class Prober:
    """The shared deadlines and limits of all probes. A worker's has no `home`."""

    def __init__(self, loop: Loop, home: Home | None, *, max_descriptors: int) -> None:
        self._loop = loop
        self._home = home
        self._deadlines = Deadlines(loop)
        loop.every(GIVING_BACK_NS, give_back)
        self._limit = max(1, max_descriptors - SPARE_DESCRIPTORS)
        self.tls: ssl.SSLContext
        """Shared by all SSL_GET; the service sets both before it starts one."""
        self.tls_http2: ssl.SSLContext
        """The same for HTTP/2, which it offers."""
        self.in_flight = 0
        """Probes that hold a descriptor; their checks count them (`RunningCheck`)."""

    def requests_of(self, check: Check) -> tuple[bytes, ...]:
        """The HTTP/1 requests of a check, by url, so that they are built once. Loads HTTP/2 where it is spoken."""
        if isinstance(check, GrpcCheck) or (isinstance(check, HttpCheck) and check.http2):
            importlib.import_module("pyhad.checker_proc.probes.grpc_call")  # 0.1 s and 4 MB that others need not pay
            return ()
        if not isinstance(check, HttpCheck):
            return ()
        return tuple(request_bytes(check, url) for url in check.urls)

    def start(self, check: Check, url: int, requests: tuple[bytes, ...], owner: Owner, now_ns: int) -> Started:
        """Start one probe; `owner.take` hears its result, unless the result is what this returns."""
        if self.in_flight >= self._limit:
            return ProbeImpossible(reason=Reason.NO_RESOURCES)
        return self._begin(check, url, requests, owner, now_ns)

    def start_marked(self, check: Check, url: int, requests: tuple[bytes, ...], owner: Owner, now_ns: int) -> Started:
        """As `start`, where `marks.needs_mark(check)`. It counts as in flight before it has its mark."""
        if self._home is None or not isinstance(check, Marked):
            return ProbeImpossible(reason=Reason.FWMARK_NOT_PERMITTED)
        if self.in_flight >= self._limit:
            return ProbeImpossible(reason=Reason.NO_RESOURCES)
        now = self._loop.now_ns
        return self._home.marks.start(check, owner, now_ns, lambda one: self._begin(one, url, requests, owner, now()))

    def _begin(self, check: Check, url: int, requests: tuple[bytes, ...], owner: Owner, now_ns: int) -> Started:
        match check:
            case TcpCheck():
                return tcp.start(self._loop, self._deadlines, check.target, owner, now_ns)
            case HttpCheck():
                exchange = _exchange_of(check, url, requests)
                page = check.urls[url]
                return self._start_exchange(check, exchange, page.sni, owner, now_ns, compliant=page.tls_compliant)
            case GrpcCheck():
                from pyhad.checker_proc.probes.grpc_call import GrpcCall

                return self._start_exchange(check, GrpcCall(check), check.sni, owner, now_ns)
            case SmtpCheck():
                return smtp_probe.start(self._loop, self._deadlines, check, owner, now_ns)
            case DnsCheck():
                return datagram.start_dns(self._loop, self._deadlines, check, owner, now_ns)
            case UdpCheck():
                return datagram.start_udp(self._loop, self._deadlines, check, owner, now_ns)
            case PingCheck() | MiscCheck() | FileCheck() | BfdCheck():
                none = ProbeImpossible(reason=Reason.NO_RESOURCES)
                return none if self._home is None else self._home.start(check, owner, now_ns)
            case _:
                assert_never(check)

    def _start_exchange(
        self,
        check: HttpCheck | GrpcCheck,
        exchange: Exchange,
        sni: str,
        owner: Owner,
        now_ns: int,
        *,
        compliant: bool = False,
    ) -> Started:
        if not check.tls:
            return http_probe.start(self._loop, self._deadlines, check.target, exchange, owner, now_ns)
        http2 = isinstance(check, GrpcCheck) or check.http2
        manner = tls_probe.TlsManner(
            context=self.tls_http2 if http2 else self.tls, sni=sni, is_compliant=compliant, needs_http2=http2
        )
        return tls_probe.start(self._loop, self._deadlines, check.target, exchange, manner, owner, now_ns)


def _exchange_of(check: HttpCheck, url: int, requests: tuple[bytes, ...]) -> Exchange:
    if not check.http2:
        return Http1Exchange(requests[url], check.urls[url])
    from pyhad.checker_proc.probes.http2 import Http2Exchange

    return Http2Exchange(check, check.urls[url])

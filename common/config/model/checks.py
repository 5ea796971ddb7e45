"""What a configuration means for the checker process. Part of `model`, which names it all; import it from there.

Pure data, as everything in the model.
"""

from __future__ import annotations

from pyhad.common.config.model.alerts import MailSettings, ToldService
from pyhad.common.config.model.tracking import Fifo, Program, TrackFile
from pyhad.common.records import dataclass, field

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where and how a network check connects. `address` and `port` have their defaults filled in."""

    address: str
    port: int
    bind_address: str = ""
    bind_port: int = 0
    bind_interface: str = ""
    fwmark: int = 0
    connect_timeout_ns: int = 5 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a check runs (CHK-1 to CHK-4)."""

    delay_loop_ns: int = 60 * SECOND_NS
    retry: int = 1
    delay_before_retry_ns: int = SECOND_NS
    warmup_ns: int = 60 * SECOND_NS
    """First probe 1 s plus a part of this after the start."""
    log_all_failures: bool = False
    max_latency_ns: int = 0
    """A good answer that took longer is a failure; 0: it may take as long as it likes."""
    latency_warning_ns: int = 0
    """A good answer that took longer is a warning; 0: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpCheck:
    """TCP_CHECK: success is a completed connect (CHK-30)."""

    target: Target
    timing: Timing
    alpha: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRange:
    """Accepted HTTP status codes, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """A pattern that a body must hold, or must not (CHK-23). It has been compiled once before it gets here."""

    pattern: str
    options: tuple[str, ...] = ()
    """PCRE2's compile options by keepalived's words."""
    is_wanted: bool = True
    """False: `regex_no_match`."""
    min_offset: int = 0
    max_offset: int = -1
    """Last place of the body where a match may start; -1: anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader:
    """One field of a request, as written. Its value may be a password, so it is never shown."""

    name: str
    secret_value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUrl:
    """One `url` of an HTTP_GET."""

    path: str
    method: str = "GET"
    headers: tuple[HttpHeader, ...] = ()
    """Sent beside those that every request has; one of the name User-Agent instead of ours."""
    body: str = ""
    digest: str = ""
    """MD5 of the body, 32 lower-case hex digits; empty: not looked at."""
    status: tuple[StatusRange, ...] = (StatusRange(first=200, last=299),)
    host: str = ""
    """Host header as it is; empty: `ADDRESS:PORT` of the connection (CHK-21)."""
    sni: str = ""
    """Name sent in the TLS handshake, SSL_GET only; empty: none is sent."""
    tls_compliant: bool = False
    """An end of the connection without close_notify is a failure (CHK-26)."""
    regex: Regex | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """HTTP_GET and, with `tls`, SSL_GET (CHK-20 to CHK-26)."""

    target: Target
    timing: Timing
    alpha: bool
    urls: tuple[HttpUrl, ...]
    http_protocol: str = "1.0"
    """"1.0", "1.0C" or "1.1"."""
    fast_recovery: bool = False
    tls: bool = False
    http2: bool = False
    """By TLS's ALPN, or without TLS by prior knowledge (RFC 9113 3.3); `http_protocol` says nothing then."""
    certificate_warning_ns: int = 0
    """The server's certificate ends sooner: a warning; 0: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcCheck:
    """PYHAD_GRPC_CHECK: the standard health service of gRPC (grpc.health.v1.Health/Check) says SERVING."""

    target: Target
    timing: Timing
    alpha: bool
    service: str = ""
    """Whom it is asked about; empty: the server as a whole."""
    host: str = ""
    """`:authority`; empty: `ADDRESS:PORT` of the connection."""
    tls: bool = False
    sni: str = ""
    certificate_warning_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PingCheck:
    """PING_CHECK (CHK-70)."""

    target: Target
    timing: Timing
    alpha: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MiscCheck:
    """MISC_CHECK (CHK-60 to CHK-64): a program's exit status."""

    program: Program
    timeout_ns: int
    dynamic: bool
    timing: Timing
    alpha: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpCheck:
    """SMTP_CHECK (CHK-40): a greeting, a HELO and a QUIT. Each `host` block is a check of its own (CHK-41)."""

    target: Target
    timing: Timing
    alpha: bool
    helo_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsCheck:
    """DNS_CHECK (CHK-50): one question over UDP. `name` is "." or labels without empty ones, at most 255 bytes."""

    target: Target
    timing: Timing
    alpha: bool
    name: str
    record_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpCheck:
    """UDP_CHECK (CHK-80)."""

    target: Target
    timing: Timing
    alpha: bool
    payload: bytes = b""
    """Empty: random text."""
    needs_reply: bool = False
    pattern: bytes = b""
    """What the reply must begin with, in the bits of `mask`; empty: any reply will do."""
    mask: bytes = b""
    min_reply: int = 0
    max_reply: int = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """FILE_CHECK (CHK-90): the number in a file times `weight` is added to the server's weight.

    Weight 0: any number but zero means down.
    """

    file: TrackFile
    weight: int
    timing: Timing
    alpha: bool = False
    """Always False: its state is known at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdCheck:
    """BFD_CHECK (CHK-100): down while the session is not up; nothing is asked, the BFD process says it."""

    session: str
    timing: Timing
    alpha: bool


Check = (
    TcpCheck | HttpCheck | PingCheck | MiscCheck | SmtpCheck | DnsCheck | UdpCheck | FileCheck | BfdCheck | GrpcCheck
)


ALIKE: frozenset[type] = frozenset({Timing, HttpUrl, Program, TrackFile})
"""Parts of checks of which equal ones are one object where thousands of servers are asked the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedServer:
    """A real server of one service with its checks. `service` and `server` are the ids used everywhere."""

    service: str
    server: str
    address: str
    port: int
    weight: int
    alpha: bool
    checks: tuple[Check, ...]
    suspends_without: str = ""
    """`ha_suspend`: the address of the service; while this machine lacks it nothing is asked (CHK-10)."""
    name: str = ""
    """A host name: `address`, and that of targets that are this server, are empty until it was looked up."""
    family: int = 4
    """Of the addresses that are looked for."""
    is_unresolved: bool = False
    """The name was asked for in vain, and no address is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsClient:
    """What SSL_GET shows of itself, as PEM (the `SSL` block): read by the compiler, since the checker may not.

    Never shown: not in its representation, so not in a log either.
    """

    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    """Empty with a certificate: the certificate's file holds the key too."""
    ca: bytes = field(default=b"", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerDocument:
    """All that the checker process needs."""

    schema: int
    generation: int
    servers: tuple[CheckedServer, ...]
    log_all_failures: bool = False
    resolve_interval_ns: int = 30 * SECOND_NS
    """`pyhad_resolve_interval`: how often names are looked up again."""
    tls_client: TlsClient = TlsClient()
    told: tuple[ToldService, ...] = ()
    """Every service, in the order of the configuration: who is told of it and its servers."""
    fifos: tuple[Fifo, ...] = ()
    mail: MailSettings | None = None
    router_id: str = ""
    """In the subjects of mails."""
    mails_each_check: bool = True
    """A mail for every check that changed; False with `no_checker_emails`: only where the server did (MAIL-9)."""
    tells_first_up: bool = False
    """`rs_init_notifies`: servers that are taken as up at the start are told."""
    workers: int = 0
    """`pyhad_checker_workers`: processes that run its checks; -1: as many as the load asks for."""
    script_security: bool = False
    keep_script_links: bool = False

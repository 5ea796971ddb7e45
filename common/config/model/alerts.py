"""Who is told of changes by mail, and whom the checks tell, as frozen dataclasses. Part of the model (see model.py).

Pure data. Accounts of programs are resolved already.
"""

from __future__ import annotations

import enum

from pyhad.common.config.model.tracking import Program
from pyhad.common.records import dataclass, field

SECOND_NS = 1_000_000_000


class MailSecurity(enum.StrEnum):
    """How a mail travels (`pyhad_smtp_security`): as it is, by STARTTLS, or within TLS from the first byte."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """Where alert mail goes (MAIL-1). Empty `sender` and `helo`: made from this machine's name when one is sent."""

    host: str
    recipients: tuple[str, ...]
    port: int = 25
    sender: str = ""
    helo: str = ""
    timeout_ns: int = 30 * SECOND_NS
    """Of each step of the dialogue."""
    security: MailSecurity = MailSecurity.NONE
    user: str = ""
    password: str = field(default="", repr=False)
    """Never logged or shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldServer:
    """One real server as others hear of it: its id in verdicts, its name in lines and subjects (NTF-21)."""

    server: str
    name: str
    up: Program | None = None
    """`notify_up`."""
    down: Program | None = None
    mails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldService:
    """One virtual server as others hear of it."""

    service: str
    name: str
    servers: tuple[ToldServer, ...]
    up: Program | None = None
    """`quorum_up`."""
    down: Program | None = None
    mails: bool = False
    alpha: bool = False
    omega: bool = False
    """At an orderly stop its servers and it go down for those who are told (PROC-41)."""

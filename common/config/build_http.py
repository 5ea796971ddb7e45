"""HTTP_GET and SSL_GET to the model: urls, what they must answer, the names that are asked for (CHK-20 to CHK-27)."""

from __future__ import annotations

import re

from pyhad.common.config.checked_around import Around
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import HttpCheck, HttpUrl, StatusRange, Target, Timing
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

_PORT_AT_END = re.compile(r"(?<=[^:]):\d+$")


def build_http(
    check: Statement, around: Around, target: Target, timing: Timing, alpha: bool, complaints: Complaints
) -> HttpCheck | None:
    """The check; None when it has no url that can be asked."""
    urls = _urls(check, around, complaints)
    if not urls:
        if not check.given("url"):
            complaints.warning(f"{check.name} is ignored: it has no url", check.at, hint="add: url { path / }")
        return None
    return HttpCheck(
        target=target,
        timing=timing,
        alpha=alpha,
        urls=urls,
        http_protocol=check.text_of("http_protocol", "1.0").upper(),
        fast_recovery=check.has("fast_recovery"),
        tls=check.name == "SSL_GET",
    )


def _urls(check: Statement, around: Around, complaints: Complaints) -> tuple[HttpUrl, ...]:
    host = ""
    for level in (around.virtual, around.real, check):
        host = level.text_of("virtualhost", host)
    is_tls = check.name == "SSL_GET"
    compliant = is_tls and check.has("tls_compliant")
    urls: list[HttpUrl] = []
    for url in check.every("url"):
        path = url.text_of("path")
        if not path:
            if not url.given("path"):
                complaints.warning("url is ignored: it has no path", url.at, hint="add: path /")
            continue
        status = url.last("status_code")
        own_host = url.text_of("virtualhost", host)
        urls.append(
            HttpUrl(
                path=path,
                digest=url.text_of("digest"),
                status=(StatusRange(first=200, last=299),) if status is None else _ranges(status),
                host=own_host,
                sni=_sni(check, own_host, complaints) if is_tls else "",
                tls_compliant=url.switch("tls_compliant", default=compliant),
            )
        )
    return tuple(urls)


def _ranges(status: Statement) -> tuple[StatusRange, ...]:
    pairs = [value for value in status.values if isinstance(value, tuple)]
    return tuple(StatusRange(first=int(first), last=int(last)) for first, last in pairs)


def _sni(check: Statement, host: str, complaints: Complaints) -> str:
    """`sni_name`, else the host without a port (RFC 6066 section 3 knows names only); "" where none is to be sent."""
    found = check.last("sni_name")
    if found is None and not check.has("enable_sni"):
        return ""
    name = check.text_of("sni_name") or _PORT_AT_END.sub("", host)
    try:
        name.encode("idna")
        is_usable = not name.startswith(".") and "\0" not in name
    except UnicodeError:
        is_usable = False
    if not is_usable:
        complaints.error(f"SNI: {name!r} is no host name", (found or check).at, trouble=Trouble.INVALID_VALUE)
        return ""
    return name

"""HTTP_GET and SSL_GET to the model: urls, what they must answer, the names that are asked for (CHK-20 to CHK-27)."""

from __future__ import annotations

import re
from dataclasses import replace

from pyhad.common.config.builders.request import build_request
from pyhad.common.config.checked_around import Around
from pyhad.common.config.commands import split_decoded
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import SECOND_NS, HttpCheck, HttpUrl, Regex, StatusRange, Target, Timing
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.errors import ConfigError
from pyhad.common.pcre import OPTIONS, pattern_of

_NAME_MAX = 253
_DAY_NS = 86_400 * SECOND_NS
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
    http2 = check.switch("pyhad_http2", default=False)
    if http2 and (unused := check.last("http_protocol")) is not None:
        complaints.warning("http_protocol is ignored: pyhad_http2 asks over HTTP/2", unused.at)
    return HttpCheck(
        target=target,
        timing=timing,
        alpha=alpha,
        urls=urls,
        http_protocol=check.text_of("http_protocol", "1.0").upper(),
        fast_recovery=check.has("fast_recovery"),
        tls=check.name == "SSL_GET",
        http2=http2,
        certificate_warning_ns=certificate_warning_ns(check),
    )


def certificate_warning_ns(check: Statement) -> int:
    """`pyhad_certificate_warning`, 0 when it is not asked for."""
    return check.number_of("pyhad_certificate_warning", 0) * _DAY_NS


def host_around(check: Statement, around: Around) -> str:
    """`virtualhost` of the checker, else of the real server, else of the service; empty: none (CHK-21)."""
    host = ""
    for level in (around.virtual, around.real, check):
        host = level.text_of("virtualhost", host)
    return host


def _urls(check: Statement, around: Around, complaints: Complaints) -> tuple[HttpUrl, ...]:
    host = host_around(check, around)
    is_tls = check.name == "SSL_GET"
    compliant = is_tls and check.has("tls_compliant")
    urls: list[HttpUrl] = []
    for url in check.every("url"):
        path = url.text_of("path")
        if not path:
            if not url.given("path"):
                complaints.warning("url is ignored: it has no path", url.at, hint="add: path /")
            continue
        own_host = url.text_of("virtualhost", host)
        request = build_request(url, complaints)
        urls.append(
            HttpUrl(
                path=path,
                method=request.method,
                headers=request.headers,
                body=request.body,
                digest=_digest(url, complaints),
                status=_ranges(url) or (StatusRange(first=200, last=299),),
                host=own_host,
                sni=sni_of(check, own_host, complaints) if is_tls else "",
                tls_compliant=url.switch("tls_compliant", default=compliant),
                regex=_regex(url, complaints),
            )
        )
    return tuple(urls)


def _digest(url: Statement, complaints: Complaints) -> str:
    """Of several the first counts, as in keepalived."""
    digests = list(url.every("digest"))
    for other in digests[1:]:
        complaints.warning("digest is ignored: the url has one already", other.at)
    return digests[0].text() if digests else ""


def _ranges(url: Statement) -> tuple[StatusRange, ...]:
    """Of all lines together (CHK-23)."""
    pairs = [value for line in url.every("status_code") for value in line.values if isinstance(value, tuple)]
    return tuple(StatusRange(first=int(first), last=int(last)) for first, last in pairs)


def sni_of(check: Statement, host: str, complaints: Complaints) -> str:
    """`sni_name`, else the host without a port (RFC 6066 section 3 knows names only); "" where none is to be sent."""
    found = check.last("sni_name")
    if found is None and not check.has("enable_sni"):
        return ""
    name = check.text_of("sni_name") or _PORT_AT_END.sub("", host)
    try:
        sent = name.encode("idna")  # what is not ASCII may become a dot, or nothing
        is_usable = (
            bool(sent) is bool(name) and not sent.startswith(b".") and b"\0" not in sent and len(sent) <= _NAME_MAX
        )
    except UnicodeError:
        is_usable = False
    if not is_usable:
        complaints.error(f"SNI: {name!r} is no host name", (found or check).at, trouble=Trouble.INVALID_VALUE)
        return ""
    return name


def _regex(url: Statement, complaints: Complaints) -> Regex | None:
    """The pattern, tried out once so that a mistake in it is found here (CHK-23)."""
    found = url.last("regex")
    if found is None:
        for name in ("regex_no_match", "regex_options", "regex_min_offset", "regex_max_offset"):
            if (alone := url.last(name)) is not None and not url.given("regex"):
                complaints.warning(f"{name} is ignored: the url has no regex", alone.at)
        return None
    low, high = url.number_of("regex_min_offset", 0), url.number_of("regex_max_offset", -1)
    try:
        words = split_decoded(found.line.raw)
        regex = Regex(
            pattern=words[1] if len(words) > 1 else "",
            options=_options(url, complaints),
            is_wanted=not url.has("regex_no_match"),
            min_offset=low,
            max_offset=high,
        )
        pattern_of(regex)
    except ConfigError as problem:
        at = replace(found.at, column=found.at.column + max(problem.column, 1) - 1)
        complaints.error(problem.message, at, hint=problem.hint, trouble=Trouble.INVALID_VALUE)
        return None
    if len(words) > 2:
        complaints.warning(f"regex: {words[2]!r} and what follows is ignored", found.at, hint="quote the pattern")
    if 0 <= high < low:
        at = (url.last("regex_max_offset") or found).at
        complaints.error(f"regex_max_offset {high} is below regex_min_offset {low}", at, trouble=Trouble.INVALID_VALUE)
    return regex


def _options(url: Statement, complaints: Complaints) -> tuple[str, ...]:
    """All that are given, in all lines; keepalived ignores a word that is none, so it is no error here."""
    names: list[str] = []
    for line in url.every("regex_options"):
        for name in line.values:
            if name in OPTIONS:
                names.append(str(name))
            else:
                complaints.warning(f"regex_options: {name!r} is unknown, and ignored", line.at)
    return tuple(dict.fromkeys(names))

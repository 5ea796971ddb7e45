"""Method, fields and body of the request of one `url`: our own words (`pyhad_method`, `pyhad_header`, `pyhad_body`)."""

from __future__ import annotations

from pyhad.common.config.commands import split_decoded
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import HttpHeader
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.errors import ConfigError
from pyhad.common.records import dataclass

_MADE_HERE = {
    "host": "use virtualhost",
    "content-length": "it is made from pyhad_body",
    "transfer-encoding": "the body is sent as it is",
    "connection": "use http_protocol",
    "keep-alive": "each probe has a connection of its own",
    "proxy-connection": "each probe has a connection of its own",
    "upgrade": "use pyhad_http2",
    "te": "no trailers are wanted",
    "expect": "the body is sent at once",
}
"""Fields that are ours to send, or that HTTP/2 forbids (RFC 9113 8.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a url is asked with."""

    method: str
    headers: tuple[HttpHeader, ...]
    body: str


def build_request(url: Statement, complaints: Complaints) -> Request:
    """The request; what cannot be sent is an error."""
    method = url.text_of("pyhad_method", "GET")
    if method.upper() == "CONNECT":
        _error(url, "pyhad_method", "CONNECT asks for a tunnel, not for a page", "", complaints)
    if method == "HEAD":
        for name in ("digest", "regex"):
            if url.given(name):
                _error(url, name, "an answer to HEAD has no body", "leave it out, or use GET", complaints)
    headers = tuple(header for line in url.every("pyhad_header") if (header := _header(line, complaints)) is not None)
    found = url.last("pyhad_body")
    body = _quoted(found, 1, complaints) if found is not None else ""
    return Request(method=method, headers=headers, body=body)


def _header(line: Statement, complaints: Complaints) -> HttpHeader | None:
    """One field. What stands after its name may be a secret, and is never shown."""
    if len(line.values) < 2:
        return None
    name, value = line.text(), _quoted(line, 2, complaints)
    message = hint = ""
    if name.lower() in _MADE_HERE:
        message, hint = f"{name} is made by the check itself", _MADE_HERE[name.lower()]
    elif any(character < " " or character == "\x7f" for character in value.replace("\t", " ")):
        message = f"the value of {name} holds a control character"
    if message:
        complaints.error(f"pyhad_header: {message}", line.at, hint=hint, trouble=Trouble.INVALID_VALUE)
        return None
    return HttpHeader(name=name, secret_value=value.strip(" \t"))


def _quoted(line: Statement, place: int, complaints: Complaints) -> str:
    """The word at `place` of a line, escapes decoded; empty with an error when it cannot be read."""
    name = line.keyword.name
    try:
        words = split_decoded(line.line.raw)
    except ConfigError as problem:
        complaints.error(f"{name}: {problem.message}", line.at, hint=problem.hint, trouble=Trouble.INVALID_VALUE)
        return ""
    if len(words) > place + 1:
        complaints.error(f"{name}: only one word is taken", line.at, hint="quote it", trouble=Trouble.INVALID_VALUE)
    return words[place] if len(words) > place else ""


def _error(url: Statement, name: str, message: str, hint: str, complaints: Complaints) -> None:
    at = (url.last(name) or url).at
    complaints.error(f"{name}: {message}", at, hint=hint, trouble=Trouble.INVALID_VALUE)

"""What an HTTP check sends: the bytes of a request of HTTP/1, or the fields of one of HTTP/2. Pure text.

Method, fields and body of our own (`pyhad_method`, `pyhad_header`, `pyhad_body`) have been checked by the compiler:
no field holds a line end, and none is one that we make ourselves.
"""

from __future__ import annotations

from pyhad.common.config.model import HttpCheck, HttpUrl, Target

USER_AGENT = "KeepAliveClient"
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose request says its length even if that is 0 (RFC 9110 8.6)."""


def request_bytes(check: HttpCheck, url: HttpUrl) -> bytes:
    """The request for one url, byte for byte as operators' servers know it (CHK-20, CHK-21)."""
    version = "1.1" if check.http_protocol == "1.1" else "1.0"
    body = body_bytes(url)
    lines = [f"{url.method} {url.path} HTTP/{version}"]
    own = {header.name.lower() for header in url.headers}
    if "user-agent" not in own:
        lines.append(f"User-Agent: {USER_AGENT}")
    if check.http_protocol != "1.0":
        lines.append("Connection: close")
    lines.append(f"Host: {url.host or host_of(check.target)}")
    lines += [f"{header.name}: {header.secret_value}" for header in url.headers]
    if body or url.method in _WITH_LENGTH:
        lines.append(f"Content-Length: {len(body)}")
    return _encoded("\r\n".join(lines) + "\r\n\r\n") + body


def http2_fields(check: HttpCheck, url: HttpUrl) -> list[tuple[bytes, bytes]]:
    """The same as fields of HTTP/2, pseudo fields first (RFC 9113 8.3.1); names are in lower case (8.2.1)."""
    fields = [
        (":method", url.method),
        (":scheme", "https" if check.tls else "http"),
        (":authority", url.host or host_of(check.target)),
        (":path", url.path),
    ]
    if all(header.name.lower() != "user-agent" for header in url.headers):
        fields.append(("user-agent", USER_AGENT))
    fields += [(header.name.lower(), header.secret_value) for header in url.headers]
    body = body_bytes(url)
    if body or url.method in _WITH_LENGTH:
        fields.append(("content-length", str(len(body))))
    return [(_encoded(name), _encoded(value)) for name, value in fields]


def body_bytes(url: HttpUrl) -> bytes:
    """The body of its request."""
    return _encoded(url.body)


def host_of(target: Target) -> str:
    """`ADDRESS:PORT` of the connection, IPv6 in brackets and without its zone."""
    address = target.address.partition("%")[0]
    return f"[{address}]:{target.port}" if ":" in address else f"{address}:{target.port}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

"""What a mail says of a check that changed, in keepalived's words (MAIL-6). Data and one lookup."""

from __future__ import annotations

from pyhad.checker_proc.core.reasons import Reason

_GOOD = {
    "TCP_CHECK": "TCP CHECK succeed",
    "HTTP_GET": "CHECK succeed",
    "SSL_GET": "CHECK succeed",
    "SMTP_CHECK": "CHECK succeed",
    "MISC_CHECK": "MISC CHECK succeeded",
    "DNS_CHECK": "DNS_CHECK: succeed",
    "UDP_CHECK": "UDP CHECK succeed",
    "PING_CHECK": "ICMP CHECK succeed",
    "BFD_CHECK": "BFD CHECK succeeded",
    "FILE_CHECK": "FILE CHECK succeeded",
}
_BAD = {
    "TCP_CHECK": "TCP CHECK failed on service",
    "HTTP_GET": "CHECK failed on service : HTTP request failed",
    "SSL_GET": "CHECK failed on service : HTTP request failed",
    "MISC_CHECK": "MISC CHECK failed on service",
    "DNS_CHECK": "DNS_CHECK: failed on service",
    "UDP_CHECK": "UDP CHECK failed on service",
    "PING_CHECK": "ICMP CHECK failed on service",
    "BFD_CHECK": "BFD CHECK failed on service",
    "FILE_CHECK": "FILE CHECK failed on service",
}


def body_of(kind: str, *, up: bool, reason: str) -> str:
    """The body of its mail, without the frame."""
    if up:
        return f"{_GOOD.get(kind, f'{kind} succeeded')} on service"
    if kind == "MISC_CHECK" and reason == Reason.TIMEOUT:
        return "MISC CHECK timed out on service"  # CHK-62
    return _BAD.get(kind, f"CHECK failed on service : {reason}")

"""Mails about checks are in keepalived's words."""

from __future__ import annotations

import pytest

from pyhad.checker_proc.core.mail_words import body_of


@pytest.mark.behaviour("MAIL-6")
@pytest.mark.parametrize(
    ("kind", "up", "reason", "body"),
    [
        ("TCP_CHECK", True, "check_succeeded", "TCP CHECK succeed on service"),
        ("TCP_CHECK", False, "timeout", "TCP CHECK failed on service"),
        ("HTTP_GET", True, "check_succeeded", "CHECK succeed on service"),
        ("SSL_GET", False, "http_status", "CHECK failed on service : HTTP request failed"),
        ("SMTP_CHECK", False, "smtp_greeting", "CHECK failed on service : smtp_greeting"),
        ("MISC_CHECK", True, "check_succeeded", "MISC CHECK succeeded on service"),
        ("MISC_CHECK", False, "exit_status", "MISC CHECK failed on service"),
        ("MISC_CHECK", False, "timeout", "MISC CHECK timed out on service"),
        ("DNS_CHECK", False, "timeout", "DNS_CHECK: failed on service"),
        ("PING_CHECK", True, "check_succeeded", "ICMP CHECK succeed on service"),
        ("FILE_CHECK", True, "check_succeeded", "FILE CHECK succeeded on service"),
        ("FILE_CHECK", False, "file_says_down", "FILE CHECK failed on service"),
    ],
)
def test_each_kind_has_its_words(kind: str, up: bool, reason: str, body: str) -> None:
    assert body_of(kind, up=up, reason=reason) == body

"""What a good answer may warn of."""

from __future__ import annotations

import pytest

from pyhad.checker_proc.core.warnings import warnings_of
from pyhad.common.config.model import HttpCheck, HttpUrl, Target, TcpCheck, Timing

S = 1_000_000_000
DAY_S = 86_400


def page(days: int = 14, latency_warning_ns: int = 0) -> HttpCheck:
    return HttpCheck(
        target=Target(address="10.0.0.1", port=443), timing=Timing(latency_warning_ns=latency_warning_ns), alpha=False,
        urls=(HttpUrl(path="/"),), tls=True, certificate_warning_ns=days * DAY_S * S,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("until_s", "said"),
    [
        (1_000_000 + 14 * DAY_S + 1, ()),
        (1_000_000 + 14 * DAY_S, ("certificate_ends",)),
        (1_000_001, ("certificate_ends",)),
        (1_000_000, ("certificate_ended",)),
        (0, ()),
    ],
)
def test_a_certificate_warns_from_its_days_on(until_s: int, said: tuple[str, ...]) -> None:
    assert warnings_of(page(), 5, until_s, 1_000_000.0) == said


def test_a_certificate_that_nobody_asked_about_warns_of_nothing() -> None:
    assert warnings_of(page(days=0), 5, 1, 1_000_000.0) == ()


def test_an_answer_warns_when_it_took_longer_than_it_should() -> None:
    check = page(latency_warning_ns=S)
    assert warnings_of(check, S, 0, 0.0) == ()
    assert warnings_of(check, S + 1, 1, 2.0) == ("slow", "certificate_ended")
    plain = TcpCheck(target=check.target, timing=check.timing, alpha=False)
    assert warnings_of(plain, S + 1, 1, 2.0) == ("slow",)

"""Which marks a configuration needs."""

from __future__ import annotations

from pyhad.checker_proc.core.marks import mark_of, marks_of, ping_marks_of
from pyhad.common.config.model import (
    SCHEMA,
    BfdCheck,
    Check,
    CheckedServer,
    CheckerDocument,
    PingCheck,
    Target,
    TcpCheck,
    Timing,
)


def tcp(mark: int) -> TcpCheck:
    return TcpCheck(target=Target(address="10.0.0.1", port=80, fwmark=mark), timing=Timing(), alpha=False)


def ping(address: str, mark: int) -> PingCheck:
    return PingCheck(target=Target(address=address, port=0, fwmark=mark), timing=Timing(), alpha=False)


def document(*checks: Check, family: int = 4) -> CheckerDocument:
    server = CheckedServer(
        service="10.0.0.9:80/tcp", server="web:80", address="", port=80, weight=1, alpha=False, checks=checks,
        family=family,
    )  # fmt: skip
    return CheckerDocument(schema=SCHEMA, generation=1, servers=(server,))


def test_marks_of_sockets_and_of_pings_are_told_apart() -> None:
    found = document(tcp(0), tcp(5), tcp(6), ping("10.0.0.1", 7), ping("fd00::1", 7), ping("10.0.0.1", 0))
    assert marks_of(found) == {5, 6}
    assert ping_marks_of(found) == {(4, 7), (6, 7)}


def test_a_server_given_by_name_has_the_family_of_its_service() -> None:
    assert ping_marks_of(document(ping("", 7), family=6)) == {(6, 7)}


def test_what_sends_no_packets_has_no_mark() -> None:
    assert mark_of(BfdCheck(session="one", timing=Timing(), alpha=False)) == 0
    assert mark_of(tcp(5)) == 5

"""Which marks the probes of a configuration have (`fwmark`), and whether what came over a socket asks for one. Pure."""

from __future__ import annotations

import struct

from pyhad.common.config.model import BfdCheck, Check, CheckerDocument, FileCheck, MiscCheck, PingCheck

WISH = struct.Struct("=QI")
"""Number of the wish, mark. The socket to be marked comes with it."""
ANSWER = struct.Struct("=Qi")
"""Number of the wish, errno; 0: done."""


def mark_of(check: Check) -> int:
    """The mark of its packets; 0: none."""
    return 0 if isinstance(check, MiscCheck | FileCheck | BfdCheck) else check.target.fwmark


def marks_of(document: CheckerDocument) -> frozenset[int]:
    """Every mark of a probe that opens a socket of its own."""
    found = {mark_of(check) for server in document.servers for check in server.checks if not _is_ping(check)}
    return frozenset(found - {0})


def ping_marks_of(document: CheckerDocument) -> frozenset[tuple[int, int]]:
    """Family and mark of every ping with a mark: those of one family and mark share a socket."""
    return frozenset(
        (_family(check.target.address, server.family), check.target.fwmark)
        for server in document.servers
        for check in server.checks
        if isinstance(check, PingCheck) and check.target.fwmark
    )


def _is_ping(check: Check) -> bool:
    return isinstance(check, PingCheck)


def _family(address: str, otherwise: int) -> int:
    """`otherwise`: of a server given by name."""
    return (6 if ":" in address else 4) if address else otherwise

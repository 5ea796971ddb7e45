"""Servers given by name: which address counts, and what the checks look like with it. Looks nothing up."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pyhad.common.config.model import BfdCheck, Check, CheckedServer, CheckerDocument, FileCheck, MiscCheck
from pyhad.common.records import dataclass

_BROADCAST = ipaddress.IPv4Address("255.255.255.255")

Name = tuple[str, int]
"""A host name, and the family of the addresses that fit."""
Known = Mapping[Name, tuple[str, ...]]
"""All addresses of names, as `rank` has them."""
Key = tuple[str, str]
"""Ids of service and server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A document with addresses for names."""

    document: CheckerDocument
    moves: tuple[CheckedServer, ...] = ()
    """Servers that are up at the address in the document, at the one that their name has now: to be tried first."""


def names_of(document: CheckerDocument) -> frozenset[Name]:
    """All that have to be looked up."""
    return frozenset((server.name, server.family) for server in document.servers if server.name)


def usable(answers: Iterable[str]) -> list[str]:
    """Those that a server elsewhere can have, in their usual spelling. Raises `ValueError` for what is no address."""
    return [str(address) for address in map(ipaddress.ip_address, answers) if not _is_special(address)]


def rank(answers: Iterable[str], present: str) -> tuple[str, ...]:
    """The answers, first the one for servers that are nowhere yet: the present one if it is there, else the least."""
    return tuple(sorted(set(answers), key=lambda text: (text != present, int(ipaddress.ip_address(text)))))


def targets(document: CheckerDocument, known: Known, used: Mapping[Key, str]) -> dict[Key, str | None]:
    """Where each server with a name is to be: where it is while that is among the answers. See `place`."""
    found: dict[Key, str | None] = {}
    for server in document.servers:
        if server.name:
            key, answers = (server.service, server.server), known.get((server.name, server.family))
            here = used.get(key, "")
            found[key] = None if answers is None else here if here in answers else next(iter(answers), "")
    return found


def place(document: CheckerDocument, known: Known, used: Mapping[Key, str], is_up: Callable[[Key], bool]) -> Placed:
    """The document with addresses for names.

    `known`: empty for a name asked for in vain, nothing before the answer. `used`: where each server was. One that is
    up there, by `is_up`, stays until its checks have succeeded at another address: make before break.
    """
    wanted = targets(document, known, used)
    if not wanted:
        return Placed(document=document)
    servers: list[CheckedServer] = []
    moves: list[CheckedServer] = []
    for server in document.servers:
        key = server.service, server.server
        here, there = _fitting(used.get(key, ""), server), wanted.get(key)
        if here and there and here != there and server.checks and is_up(key):
            moves.append(_at(server, there))
            there = here
        servers.append(_at(server, there or here or there) if server.name else server)
    return Placed(document=replace(document, servers=tuple(servers)), moves=tuple(moves))


def used_by(document: CheckerDocument) -> dict[Key, str]:
    """The addresses of its servers that have a name."""
    return {(one.service, one.server): one.address for one in document.servers if one.name and one.address}


def _fitting(address: str, server: CheckedServer) -> str:
    """Not one of another family: the configuration may be another than then."""
    return address if (6 if ":" in address else 4) == server.family else ""


def _is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Ours, of a link, of many, or of none."""
    is_local = address.is_loopback or address.is_link_local
    is_nobodys = address.is_unspecified or address.is_multicast or address == _BROADCAST
    return is_local or is_nobodys or (address.version == 6 and address.ipv4_mapped is not None)


def _at(server: CheckedServer, address: str | None) -> CheckedServer:
    if not address:
        return replace(server, checks=(), is_unresolved=address is not None)
    return replace(server, address=address, checks=tuple(_check(check, address) for check in server.checks))


def _check(check: Check, address: str) -> Check:
    """Where it connects to this server; another target, or none, stays."""
    if isinstance(check, MiscCheck | FileCheck | BfdCheck) or check.target.address:
        return check
    return replace(check, target=replace(check.target, address=address))

"""Addresses that a service listens on: `virtual_server` heads and `virtual_server_group` lines (LVS-20)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from pyhad.common.config.arguments import MARK, Argument, number
from pyhad.common.config.builders.addresses import family_of
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import Listener, Protocol
from pyhad.common.config.source import Location, Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.config.values import BadValue, canonical_address, read_value
from pyhad.common.records import dataclass

MAX_ADDRESSES = 65536
"""Most addresses that one line of a group may stand for."""
_PORT = number(0, 65535)


@dataclass(frozen=True, slots=True)
class Head:
    """What a `virtual_server` line names: an address, a firewall mark, or a group. Exactly one is set."""

    address: str = ""
    port: int = 0
    fwmark: int | None = None
    group: str = ""


def read_head(statement: Statement, complaints: Complaints) -> Head | None:
    """The words after `virtual_server`; None after an error."""
    first = statement.text()
    second = statement.text(1) if len(statement.values) > 1 else None
    if first in ("group", "fwmark"):
        if second is None:
            message = f"virtual_server {first} is missing its {'name' if first == 'group' else 'mark'}"
            complaints.error(message, statement.at, trouble=Trouble.MISSING_PARAMETER)
            return None
        if first == "group":
            return Head(group=second)
        mark = _whole(MARK, second, "virtual_server fwmark", statement.at, complaints)
        return None if mark is None else Head(fwmark=mark)
    try:
        address = canonical_address(first)
    except BadValue:
        message = f"virtual_server: '{first}' is not an IP address, 'fwmark' or 'group'"
        complaints.error(message, statement.at, trouble=Trouble.INVALID_VALUE)
        return None
    port = 0 if second is None else _whole(_PORT, second, "virtual_server port", statement.at, complaints)
    return None if port is None else Head(address=address, port=port)


def _whole(argument: Argument, text: str, what: str, at: Location, complaints: Complaints) -> int | None:
    try:
        value = read_value(argument, text, [])
    except BadValue as problem:
        complaints.error(f"{what}: '{text}' is not a {problem.expected}", at, trouble=Trouble.INVALID_VALUE)
        return None
    assert isinstance(value, int)
    return value


@dataclass(frozen=True, slots=True)
class Group:
    """A `virtual_server_group`: listeners without a protocol; a mark's family is 0 until a service gives it."""

    statement: Statement
    listeners: tuple[Listener, ...]


def build_groups(root: Statement, complaints: Complaints) -> dict[str, Group]:
    """All groups by name."""
    groups: dict[str, Group] = {}
    for statement in (child for child in root.children if child.name == "virtual_server_group"):
        if not statement.values:
            continue
        name = statement.text()
        if name in groups:
            first = groups[name].statement.at
            message = f"virtual_server_group '{name}' is defined twice: first at {first.file}:{first.line}"
            complaints.error(message, statement.at)
            continue
        listeners: list[Listener] = []
        for entry in statement.children:
            listeners += _entry(entry, complaints)
        if not statement.children:
            complaints.warning(f"virtual_server_group '{name}' has no entries", statement.at)
        groups[name] = Group(statement, tuple(dict.fromkeys(listeners)))
    return groups


def _entry(entry: Statement, complaints: Complaints) -> list[Listener]:
    if entry.broken:
        return []
    mark = list(entry.options.get("fwmark", ()))
    if mark:
        family = {"inet": 4, "inet6": 6}.get(str(mark[1]), 0) if len(mark) > 1 else 0
        return [Listener(protocol=Protocol.NONE, family=family, fwmark=int(str(mark[0])))]
    values = list(entry.options.get("ADDRESS", ()))
    if not values:
        complaints.error("this line names no address", entry.at, trouble=Trouble.INVALID_VALUE)
        return []
    port = int(str(values[1])) if len(values) > 1 else 0
    try:
        addresses = expand(str(values[0]))
    except BadValue as problem:
        hint = "A, A-LAST, A-B or A/LENGTH"
        message = f"'{values[0]}' is not {problem.expected}"
        complaints.error(message, entry.at, hint=hint, trouble=Trouble.INVALID_VALUE)
        return []
    family = family_of(addresses[0])
    return [Listener(protocol=Protocol.NONE, family=family, address=address, port=port) for address in addresses]


def expand(text: str) -> list[str]:
    """The addresses that `A`, `A-LAST`, `A-B` or `A/LENGTH` stands for. Raises `BadValue`."""
    if "/" in text:
        return _network(text)
    first_text, dash, last_text = text.partition("-")
    first = canonical_address(first_text)
    if not dash:
        return [first]
    low = _as_number(first)
    high = _as_number(canonical_address(last_text)) if _is_full(last_text) else _short(first, low, last_text)
    if _is_full(last_text) and family_of(canonical_address(last_text)) != family_of(first):
        raise BadValue("a range within one address family")
    if high < low:
        raise BadValue("a range: it ends before it begins")
    if high - low >= MAX_ADDRESSES:
        raise BadValue(f"a range of at most {MAX_ADDRESSES} addresses")
    kind = ipaddress.IPv6Address if family_of(first) == 6 else ipaddress.IPv4Address
    return [str(kind(value)) for value in range(low, high + 1)]


def _is_full(text: str) -> bool:
    return "." in text or ":" in text


def _as_number(address: str) -> int:
    return int(ipaddress.ip_address(address))


def _short(first: str, low: int, last: str) -> int:
    """The end of `A-LAST`: last octet in decimal, or last 16 bits in hexadecimal; it must exceed the first."""
    base, bits = (16, 16) if family_of(first) == 6 else (10, 8)
    try:
        if not last.isalnum():
            raise ValueError(last)
        value = int(last, base)
    except ValueError:
        raise BadValue("a range of addresses") from None
    own = low & ((1 << bits) - 1)
    if not own < value < 1 << bits:
        raise BadValue("a range: its end must be greater than its begin and fit the last part of the address")
    return low - own + value


def _network(text: str) -> list[str]:
    address, _, length = text.partition("/")
    family = family_of(canonical_address(address))
    widest = 128 if family == 6 else 32
    if not (length.isascii() and length.isdigit() and len(length) <= 3) or not 1 <= int(length) <= widest:
        raise BadValue(f"a network: its length must be 1 to {widest}")
    if 1 << (widest - int(length)) > MAX_ADDRESSES:
        raise BadValue(f"a network of at most {MAX_ADDRESSES} addresses")
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise BadValue("a network: the bits after its length must be zero") from None
    return [str(one) for one in network]


def with_protocol(listener: Listener, protocol: Protocol, family: int) -> Listener:
    """The same for one service; marks have no protocol, and the service's family where they name none."""
    if not listener.address:
        return replace(listener, family=listener.family or family)
    return replace(listener, protocol=protocol)

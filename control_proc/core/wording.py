"""Addresses, commands and numbers as keepalived's dumps write them (SIG-24). Pure."""

from __future__ import annotations

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model_tracking import Program

_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}


def address(virtual: VirtualAddress, *, is_set: bool) -> str:
    """`10.1.1.1/24 brd 10.1.1.255 dev eth0 scope global label eth0:1 set`."""
    is_ipv6 = ":" in virtual.address
    words = [virtual.address if virtual.prefix_len == (128 if is_ipv6 else 32) else _with_prefix(virtual)]
    words += ["brd", virtual.broadcast] if virtual.broadcast else []
    words += ["dev", virtual.interface, "scope", _SCOPES.get(virtual.scope, str(virtual.scope))]
    words += ["label", virtual.label] if virtual.label else []
    if virtual.preferred_lft_s == 0:
        words.append("deprecated")
    elif is_ipv6:
        lifetime = virtual.preferred_lft_s
        words += ["preferred_lft", "forever" if lifetime is None else str(lifetime)]
    return " ".join(words + ["set"] * is_set)


def _with_prefix(virtual: VirtualAddress) -> str:
    return f"{virtual.address}/{virtual.prefix_len}"


def command(program: Program) -> str:
    """`'/path' 'word'`."""
    return " ".join(f"'{word}'" for word in program.argv)


def seconds(span_ns: int) -> int | float:
    """A whole number where it is one."""
    return span_ns // 1_000_000_000 if span_ns % 1_000_000_000 == 0 else span_ns / 1_000_000_000


def interval(centiseconds: int) -> int | float:
    """The same of an advertisement interval."""
    return centiseconds // 100 if centiseconds % 100 == 0 else centiseconds / 100

"""Addresses, commands and numbers as keepalived's dumps write them (SIG-24). Pure."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.config.model.tracking import Program

_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}


def address(virtual: VirtualAddress, *, is_set: bool, base: str = "") -> str:
    """`10.1.1.1/24 brd 10.1.1.255 dev eth0 scope global label eth0:1 set`. `base`: what its virtual MAC stands on."""
    is_ipv6 = ":" in virtual.address
    words = [virtual.address if virtual.prefix_len == (128 if is_ipv6 else 32) else _with_prefix(virtual)]
    words += ["brd", virtual.broadcast] if virtual.broadcast else []
    words += [
        "dev",
        f"{virtual.interface}@{base}" if base else virtual.interface,
        "scope",
        _SCOPES.get(virtual.scope, str(virtual.scope)),
    ]
    words += ["label", virtual.label] if virtual.label else []
    if virtual.preferred_lft_s == 0:
        words.append("deprecated")
    elif is_ipv6:
        lifetime = virtual.preferred_lft_s
        words += ["preferred_lft", "forever" if lifetime is None else str(lifetime)]
    return " ".join(words + ["set"] * is_set)


def addresses(config: VrrpInstance, several: tuple[VirtualAddress, ...], own_name: str, *, is_set: bool) -> list[str]:
    """Of one instance. `own_name`: what its virtual MAC is called here, whatever was configured."""
    bases = {vmac.name: vmac.base for vmac in config.vmacs}
    names = {config.vmac.name: own_name} if config.vmac is not None and own_name else {}
    return [
        address(
            replace(one, interface=names.get(one.interface, one.interface)),
            is_set=is_set,
            base=bases.get(one.interface, ""),
        )
        for one in several
    ]


def named_interfaces(config: VrrpInstance) -> list[str]:
    """Of `track_interface` without weight. What only holds an address is followed too, but not listed."""
    devices = {one.interface for one in config.addresses + config.excluded_addresses}
    return [name for name in config.tracked_interfaces if name not in devices]


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

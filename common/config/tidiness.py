"""Blocks that say too little, or one thing twice, or something that needs another word beside it.

Runs over the tree, by tables; changes nothing, builds nothing. All of it is usable, so all of it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyhad.common.config.arguments import Kind
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.tree import Statement

_NEEDED = {
    "vrrp_script": ("script",),
    "vrrp_track_process": ("process",),
    "track_file": ("file",),
    "vrrp_track_file": ("file",),
    "garp_group": ("garp_interval", "gna_interval"),
}
"""Of these words one must be there, or the block does nothing."""

_ONCE = {
    "vrrp_track_process": ("process", "weight"),
    "track_file": ("file", "weight"),
    "vrrp_track_file": ("file", "weight"),
    "vrrp_sync_group": ("group",),
    "track_group": ("group",),
    "DNS_CHECK": ("name",),
    "SSL": ("password", "ca", "certificate", "key"),
    "global_defs": ("lvs_sync_daemon", "snmp_socket", "notify_fifo"),
}
"""Words whose second use keepalived refuses, as that of every script: a reader would not know which one counts."""

_NAMED = (
    "track_group",
    "bfd_instance",
    "vrrp_sync_group",
    "vrrp_script",
    "track_file",
    "vrrp_track_file",
    "vrrp_track_process",
)
"""Blocks that others refer to by name."""

_SENSIBLE_VALUE = 254
"""What a file's first number can be worth: the span of priorities."""

_MAX_CHARACTERS = {"persistence_engine": 15}

_LAST_COUNTS = ("script", "misc_path", "regex")

_BESIDE = {
    "sorry_server_inhibit": ("sorry_server",),
    "sorry_server_lvs_method": ("sorry_server",),
    "vmac_xmit_base": ("use_vmac", "use_ipvlan"),
    "nftables_ipvs_priority": ("nftables_ipvs",),
    "nftables_ipvs_start_fwmark": ("nftables_ipvs",),
}
"""Words that mean something only beside one of the others."""


_WATCHED = frozenset({*_BESIDE, *_MAX_CHARACTERS, "hashed"})
"""Words that are looked at together with others of their block."""


def check_tidiness(root: Statement, complaints: Complaints) -> None:
    """Say what has no effect as it is written."""
    _names_twice(root, complaints)
    for block in _blocks(root):
        if block.name in _NEEDED or block.name == "lvs_timeouts":
            _needed(block, complaints)
        if len(block.children) > 1:
            _once(block, complaints)
        if any(child.keyword.canonical in _WATCHED for child in block.children):
            _beside(block, complaints)
        if block.name in ("track_file", "vrrp_track_file"):
            _first_number(block, complaints)


def _names_twice(root: Statement, complaints: Complaints) -> None:
    seen: dict[tuple[str, str], Statement] = {}
    for block in root.children:
        if block.name in _NAMED and block.values:
            first = seen.setdefault((block.name, block.text()), block)
            if first is not block:
                message = f"{_title(block)} is defined twice: first at {first.at.file}:{first.at.line}"
                complaints.warning(message, block.at, hint="give each its own name")


def _blocks(owner: Statement) -> Iterator[Statement]:
    for child in owner.children:
        if child.keyword.opens and child.keyword.form == "block":
            yield child
            yield from _blocks(child)
        elif child.name == "lvs_timeouts":
            yield child


def _needed(block: Statement, complaints: Complaints) -> None:
    words = _NEEDED.get(block.keyword.name, ())
    if words and not any(block.given(word) for word in words):
        message = f"{_title(block)} has no {' or '.join(words)}: it does nothing"
        complaints.warning(message, block.at, hint=f"add: {words[0]} ...")
    if block.name == "lvs_timeouts" and not block.options and not block.broken:
        complaints.warning("lvs_timeouts names no timeout", block.at, hint="lvs_timeouts tcp N tcpfin N udp N")


def _once(block: Statement, complaints: Complaints) -> None:
    once = _ONCE.get(block.keyword.name, ())
    seen: dict[str, Statement] = {}
    for child in block.children:
        if child.keyword.canonical not in once and not _is_script(child):
            continue
        first = seen.setdefault(child.name, child)
        if first is not child:
            message = f"'{child.name}' stands twice in {_title(block)}: first at {first.at.file}:{first.at.line}"
            complaints.warning(message, child.at, hint="keep one of them")


def _is_script(statement: Statement) -> bool:
    arguments = statement.keyword.arguments
    return bool(arguments) and arguments[0].kind is Kind.SCRIPT and statement.name not in _LAST_COUNTS


def _beside(block: Statement, complaints: Complaints) -> None:
    for child in block.children:
        others = _BESIDE.get(child.name)
        if others and not any(block.given(other) for other in others):
            message = f"{child.name} is ignored: {_title(block)} has no {' or '.join(others)}"
            complaints.warning(message, child.at)
        limit = _MAX_CHARACTERS.get(child.name)
        if limit and child.values and len(child.text()) > limit:
            complaints.warning(f"{child.name}: only the first {limit} characters count", child.at)
    hashed = block.last("hashed")
    if hashed is not None and block.text_of("lb_algo", "wlc") not in ("sh", "mh"):
        complaints.warning("hashed is ignored: it belongs to lb_algo sh or mh", hashed.at)


def _first_number(block: Statement, complaints: Complaints) -> None:
    init = block.last("init_file")
    values = init.options.get("VALUE", ()) if init is not None else ()
    if init is not None and values and isinstance(values[0], int) and abs(values[0]) > _SENSIBLE_VALUE:
        message = f"init_file: {values[0]} is outside the sensible range of -{_SENSIBLE_VALUE} to {_SENSIBLE_VALUE}"
        complaints.warning(message, init.at)


def _title(block: Statement) -> str:
    name = f" '{block.line.words[1].text}'" if len(block.line.words) > 1 else ""
    return f"{block.keyword.name}{name}"

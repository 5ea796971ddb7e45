"""A compiled configuration with every default filled in, for a person and for programs. Pure.

Each value of the text says where it was written (`# FILE:LINE`), or that it is a default. Secrets are hidden.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from typing import Any

from pyhad.common.config.model import (
    CheckedServer,
    Configuration,
    Statics,
    VirtualAddress,
    VirtualRule,
    VrrpInstance,
)
from pyhad.common.config.tree import Statement
from pyhad.ctl.plan import is_secret
from pyhad.ctl.resolved_checks import service_rows, shown
from pyhad.ctl.written import place, row, statement, tree, whole, written

_INSTANCE = (
    ("interface", "interface", "interface"),
    ("virtual_router_id", "vrid", "virtual_router_id"),
    ("version", "version", "version"),
    ("priority", "base_priority", "priority"),
    ("advert_int", "advertisement_interval_cs", "advert_int"),
    ("down_timer_adverts", "down_timer_adverts", "down_timer_adverts"),
    ("preempt", "preempt_mode", "nopreempt"),
    ("preempt_delay", "preempt_delay_ns", "preempt_delay"),
    ("mcast_dst_ip", "multicast_group", "mcast_dst_ip"),
    ("skip_check_adv_addr", "skip_check_adv_addr", "skip_check_adv_addr"),
    ("lower_prio_no_advert", "lower_prio_no_advert", "lower_prio_no_advert"),
    ("higher_prio_send_advert", "higher_prio_send_advert", "higher_prio_send_advert"),
)
"""(word shown, field of the model, keyword that sets it)"""

_HELD = frozenset({"virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes", "virtual_rules"})
_SHOWN_APART = frozenset({
    "global_defs", "vrrp_instance", "virtual_server", "static_ipaddress", "static_routes", "static_rules"
})  # fmt: skip
_WITH_DEFAULTS = ("vrrp_script", "vrrp_track_process", "track_file", "vrrp_track_file")


def to_document(configuration: Configuration, root: Statement) -> dict[str, Any]:
    """All documents as plain data, durations in the unit of their name; `written`: each statement and its place."""
    return {
        "schema": 1,
        "files": list(configuration.control.files),
        "vrrp": _plain(configuration.vrrp),
        "checker": _plain(configuration.checker),
        "ipvs": _plain(configuration.ipvs),
        "written": tree(root),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, bytes):
        return f"({len(value)} bytes, hidden)"  # certificates and keys
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        plain: dict[str, Any] = {"kind": kind} if kind.endswith("Check") else {}
        for field in dataclasses.fields(value):
            found = getattr(value, field.name)
            plain[field.name] = "(hidden)" if is_secret(field.name) and found else _plain(found)
        return plain
    return value


def to_text(configuration: Configuration, root: Statement) -> str:
    """Everything that is configured as keepalived.conf has it, every value with its origin.

    What instances, services and checks work by is shown as it is after fix-ups; the rest as it was written.
    """
    blocks = {block.text(): block for block in root.every("vrrp_instance")}
    rows: list[str] = [f"# {file}" for file in configuration.control.files]
    rows.append(row(f"router_id {configuration.vrrp.router_id}", _global(root, "router_id"), ""))
    for block in root.every("global_defs"):
        rows += ["", *whole(block, "")]
    for one in root.children:
        if one.name not in _SHOWN_APART and not one.broken:
            rows += ["", *(whole(one, "", defaults=one.name in _WITH_DEFAULTS) if one.children else statement(one, ""))]
    for instance in configuration.vrrp.instances:
        rows += ["", *_instance(instance, blocks[instance.name])]
    statics = list(_statics(configuration.vrrp.statics, root))
    rows += ["", *statics] if statics else []
    places = {f"{one.at.file}:{one.at.line}": one for one in root.every("virtual_server")}
    checked: dict[str, dict[str, CheckedServer]] = {}
    for server in configuration.checker.servers:
        checked.setdefault(server.service, {})[server.server] = server
    for service in configuration.ipvs.services:
        rows += ["", *service_rows(service, places.get(service.source), checked.get(service.id, {}))]
    return "\n".join(rows) + "\n"


def _global(root: Statement, name: str) -> Statement | None:
    found = [one for block in root.every("global_defs") if (one := block.last(name)) is not None]
    return found[-1] if found else None


def _instance(instance: VrrpInstance, block: Statement) -> Iterator[str]:
    yield f"vrrp_instance {instance.name} {{  # {place(block)}"
    for word, field, keyword in _INSTANCE:
        yield row(f"{word} {shown(field, getattr(instance, field))}", block.last(keyword), "    ")
    for name, addresses in (
        ("virtual_ipaddress", instance.addresses),
        ("virtual_ipaddress_excluded", instance.excluded_addresses),
    ):
        yield from _lines(name, [_address(one) for one in addresses], block, "    ")
    yield from _lines("virtual_routes", [one.text for one in instance.routes], block, "    ")
    yield from _lines("virtual_rules", [_rule(one) for one in instance.rules], block, "    ")
    yield from written(block, "    ", _HELD.union(*({word, keyword} for word, _, keyword in _INSTANCE)))
    yield "}"


def _statics(statics: Statics, root: Statement) -> Iterator[str]:
    yield from _lines("static_ipaddress", [_address(one) for one in statics.addresses], root, "")
    yield from _lines("static_routes", [one.text for one in statics.routes], root, "")
    yield from _lines("static_rules", [_rule(one) for one in statics.rules], root, "")


def _lines(name: str, lines: list[str], owner: Statement, indent: str) -> Iterator[str]:
    """As they count; their places where each line of the file gave one of them."""
    if not lines:
        return
    entries = [entry for block in owner.children if block.name == name for entry in block.children]
    found = [f"  # {place(entry)}" for entry in entries] if len(entries) == len(lines) else [""] * len(lines)
    yield f"{indent}{name} {{"
    for line, origin in zip(lines, found, strict=True):
        yield (f"{indent}    {line}".ljust(44) + origin).rstrip()
    yield f"{indent}}}"


def _address(one: VirtualAddress) -> str:
    return f"{one.address}/{one.prefix_len} dev {one.interface}"


def _rule(one: VirtualRule) -> str:
    """As written, with the preference that counts."""
    return one.text if f" {one.priority}" in one.text else f"{one.text} preference {one.priority}"

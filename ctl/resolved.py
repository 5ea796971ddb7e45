"""A compiled configuration with every default filled in, for a person and for programs. Pure.

Each value of the text says where it was written (`# FILE:LINE`), or that it is a default. Secrets are hidden.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from typing import Any

from pyhad.common.config.model import Configuration, Statics, VirtualAddress, VirtualRule, VirtualServer, VrrpInstance
from pyhad.common.config.tree import Statement
from pyhad.ctl.plan import is_secret

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

_SERVICE = (
    ("lb_algo", "scheduler", "lb_algo"),
    ("persistence_timeout", "persistence_timeout_s", "persistence_timeout"),
    ("quorum", "quorum", "quorum"),
    ("hysteresis", "hysteresis", "hysteresis"),
    ("alpha", "alpha", "alpha"),
)


def to_document(configuration: Configuration) -> dict[str, Any]:
    """All documents as plain data; durations keep the unit of their name."""
    return {
        "schema": 1,
        "files": list(configuration.control.files),
        "vrrp": _plain(configuration.vrrp),
        "checker": _plain(configuration.checker),
        "ipvs": _plain(configuration.ipvs),
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
    """Instances and services as keepalived.conf has them, every value with its origin."""
    blocks = {block.text(): block for block in root.every("vrrp_instance")}
    rows: list[str] = [f"# {file}" for file in configuration.control.files]
    rows += _row("router_id", configuration.vrrp.router_id, _global(root, "router_id"), "")
    for instance in configuration.vrrp.instances:
        rows += ["", *_instance(instance, blocks[instance.name])]
    statics = list(_statics(configuration.vrrp.statics))
    rows += ["", *statics] if statics else []
    places = {f"{one.at.file}:{one.at.line}": one for one in root.every("virtual_server")}
    for service in configuration.ipvs.services:
        rows += ["", *_service(service, places.get(service.source))]
    return "\n".join(rows) + "\n"


def _global(root: Statement, name: str) -> Statement | None:
    found = [one for block in root.every("global_defs") if (one := block.last(name)) is not None]
    return found[-1] if found else None


def _instance(instance: VrrpInstance, block: Statement) -> Iterator[str]:
    yield f"vrrp_instance {instance.name} {{  # {block.at.file}:{block.at.line}"
    for word, field, keyword in _INSTANCE:
        yield from _row(word, _value(field, getattr(instance, field)), block.last(keyword), "    ")
    for name, addresses in (
        ("virtual_ipaddress", instance.addresses),
        ("virtual_ipaddress_excluded", instance.excluded_addresses),
    ):
        yield from _lines(name, [_address(one) for one in addresses], "    ")
    yield from _lines("virtual_routes", [one.text for one in instance.routes], "    ")
    yield from _lines("virtual_rules", [_rule(one) for one in instance.rules], "    ")
    yield "}"


def _statics(statics: Statics) -> Iterator[str]:
    yield from _lines("static_ipaddress", [_address(one) for one in statics.addresses], "")
    yield from _lines("static_routes", [one.text for one in statics.routes], "")
    yield from _lines("static_rules", [_rule(one) for one in statics.rules], "")


def _lines(name: str, lines: list[str], indent: str) -> Iterator[str]:
    if lines:
        yield f"{indent}{name} {{"
        yield from (f"{indent}    {line}" for line in lines)
        yield f"{indent}}}"


def _address(one: VirtualAddress) -> str:
    return f"{one.address}/{one.prefix_len} dev {one.interface}"


def _rule(one: VirtualRule) -> str:
    """As written, with the preference that counts."""
    return one.text if f" {one.priority}" in one.text else f"{one.text} preference {one.priority}"


def _service(service: VirtualServer, block: Statement | None) -> Iterator[str]:
    yield f"virtual_server {service.id} {{  # {service.source}"
    for word, field, keyword in _SERVICE:
        found = block.last(keyword) if block else None
        yield from _row(word, _value(field, getattr(service, field)), found, "    ")
    for server in service.servers:
        yield f"    real_server {server.id} weight {server.weight} {server.forwarding}"
    if service.sorry_server:
        yield f"    sorry_server {service.sorry_server.address} {service.sorry_server.port}"
    yield "}"


def _row(word: str, value: str, found: Statement | None, indent: str) -> Iterator[str]:
    origin = f"{found.at.file}:{found.at.line}" if found is not None else "default"
    yield f"{indent}{word} {value}".ljust(44) + f"  # {origin}"


def _value(field: str, value: Any) -> str:
    if field.endswith("_ns"):
        return f"{value / 1_000_000_000:g}"
    if field.endswith("_cs"):
        return f"{value / 100:g}"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)

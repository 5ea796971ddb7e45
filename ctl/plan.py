"""What a reload would do: the difference of two configurations, by instance, service, server and check. Pure.

Virtual routers are the same when VRID, family and interface are (REL-11); services and servers when their id is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from pyhad.common.config.model import CheckedServer, Path, VirtualAddress, VirtualRoute, VirtualServer, VrrpInstance
from pyhad.common.config.model.tracking import Program, Tracker, TrackerKind
from pyhad.common.records import dataclass
from pyhad.common.states import RouterState
from pyhad.ctl.in_force import Documents

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
_SIGN = {ADDED: "+", CHANGED: "~", REMOVED: "-"}
_WORDS = {
    "base_priority": "priority",
    "advertisement_interval_cs": "advert_int",
    "preempt_mode": "preempt",
    "multicast_group": "mcast_dst_ip",
    "source_address": "source address",
    "start_as_master": "starts as master",
    "vip_lease_s": "pyhad_vip_lease",
    "up": "program when up",
    "down": "program when down",
    "mails": "mails",
    "fwmark": "fwmark",
    "alpha": "alpha",
}
"""Names of fields as keepalived.conf has them; other names are shown with blanks for underscores."""

_NAMES = ("address", "id", "name", "path", "interface", "service")
"""What things are called by: the first of these fields that one has."""
_HELD = ("addresses", "excluded_addresses", "routes", "rules")
_LISTS = ("servers", "checks", "source", "generation")
"""Fields that have lines of their own, or say nothing."""
_TOLD = frozenset({"instances", "statics", "scripts", "services", "told"})
"""Fields of the documents that are told item by item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that would change. `transition` says what happens to who is master; empty: nothing."""

    verb: str
    what: str
    """`instance`, `static items`, `script`, `service`, `server`, `checks`, `alerts` or `settings`."""
    name: str
    details: tuple[str, ...] = ()
    transition: str = ""


def plan(old: Documents, new: Documents, states: Mapping[str, RouterState]) -> tuple[Change, ...]:
    """Everything that a reload from `old` to `new` changes. `states` are the routers' states now, where known."""
    return (
        *_instances(old, new, states),
        *_statics(old, new),
        *_scripts(old, new),
        *_services(old, new),
        *_checks(old, new),
        *_alerts(old, new),
        *_settings(old, new),
    )


def render(changes: tuple[Change, ...], writes: tuple[str, ...] = ()) -> str:
    """The plan for a person; `writes` as `plan_writes.kernel_writes` has them."""
    if not changes:
        return "Nothing would change.\n"
    rows: list[str] = []
    for change in changes:
        rows.append(f"{_SIGN[change.verb]} {change.what} {change.name}" + ("" if change.details else f" {change.verb}"))
        rows += [f"    {detail}" for detail in change.details]
        if change.transition:
            rows.append(f"    -> {change.transition}")
    risky = list(dict.fromkeys(change.name for change in changes if change.transition))  # gone and new, if its id is
    rows.append("")
    if writes:
        rows += ["Written to the kernel, in this order:", *(f"    {line}" for line in writes), ""]
    rows.append(_counts(changes))
    rows.append(
        f"A change of master is possible for: {', '.join(risky)}." if risky else "No virtual router changes its state."
    )
    return "\n".join(rows) + "\n"


def to_document(changes: tuple[Change, ...], writes: tuple[str, ...] = ()) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "schema": 1,
        "changes": [dataclasses.asdict(change) | {"details": list(change.details)} for change in changes],
        "transition_possible": any(change.transition for change in changes),
        "kernel_writes": list(writes),
    }


def _counts(changes: tuple[Change, ...]) -> str:
    parts = []
    for what in ("instance", "static items", "script", "service", "server", "checks", "alerts", "settings"):
        for verb in (ADDED, CHANGED, REMOVED):
            count = sum(change.what == what and change.verb == verb for change in changes)
            if count:
                parts.append(f"{count} {what}{'s' if count > 1 and what[-1] != 's' else ''} {verb}")
    return ", ".join(parts) + "."


# ------------------------------------------------------------------------------------------------ instances


def _instances(old: Documents, new: Documents, states: Mapping[str, RouterState]) -> Iterator[Change]:
    before = {identity_of(one): one for one in old.vrrp.instances}
    after = {identity_of(one): one for one in new.vrrp.instances}
    for identity, gone in before.items():
        if identity not in after:
            yield Change(
                verb=REMOVED, what="instance", name=gone.name,
                details=tuple(f"- {one}" for one in _held(gone)),
                transition=_leaving(states.get(gone.name)),
            )  # fmt: skip
    for identity, fresh in after.items():
        known = before.get(identity)
        if known is None:
            yield Change(
                verb=ADDED, what="instance", name=fresh.name,
                details=tuple(f"+ {one}" for one in _held(fresh)),
                transition="begins as BACKUP and becomes MASTER when nobody better is heard",
            )  # fmt: skip
        elif known != fresh:
            details = tuple(_details(known, fresh))
            transition = _election(known, fresh, states.get(known.name))
            yield Change(verb=CHANGED, what="instance", name=fresh.name, details=details, transition=transition)


def _scripts(old: Documents, new: Documents) -> Iterator[Change]:
    """Scripts that an instance follows before and after; others come or go with the instance's trackers."""
    before = {one.name: one for one in old.vrrp.scripts}
    for fresh in new.vrrp.scripts:
        known = before.get(fresh.name)
        if known is not None and known != fresh:
            details = list(_details(known, fresh))
            if known.program != fresh.program:
                details.append("it runs at once; what was found before counts until then")  # REL-17
            yield Change(verb=CHANGED, what="script", name=fresh.name, details=tuple(details))


def _settings(old: Documents, new: Documents) -> Iterator[Change]:
    """All that has no lines of its own."""
    parts = {"of VRRP": (old.vrrp, new.vrrp), "of the checks": (old.checker, new.checker)}
    for name, (before, after) in (parts | {"of the table": (old.ipvs, new.ipvs)}).items():
        details = tuple(_details(before, after, _TOLD))
        if details:
            yield Change(verb=CHANGED, what="settings", name=name, details=details)


def _held(instance: VrrpInstance) -> list[str]:
    addresses = [_address(one) for one in instance.addresses + instance.excluded_addresses]
    return [*addresses, *(_path(path) for path in instance.routes + instance.rules)]


def _statics(old: Documents, new: Documents) -> Iterator[Change]:
    details = tuple(_details(old.vrrp.statics, new.vrrp.statics))
    if details:
        yield Change(verb=CHANGED, what="static items", name="of the daemon", details=details)


def identity_of(instance: VrrpInstance) -> tuple[int, int, str, str]:
    """What makes it the same router after a reload (REL-11); by unicast its name too, as in the VRRP process."""
    return instance.vrid, instance.family, instance.interface, instance.name if instance.unicast_peers else ""


def _leaving(state: RouterState | None) -> str:
    if state is RouterState.MASTER or state is None:
        return "priority 0 is sent, the addresses are removed here: a peer takes over"
    return ""


def _election(old: VrrpInstance, new: VrrpInstance, state: RouterState | None) -> str:
    if old.version != new.version:
        return "peers of the other version hear nothing any more: change all nodes together"
    if old.advertisement_interval_cs != new.advertisement_interval_cs and new.version == 2:
        return "version 2 peers with another advert_int drop our adverts: change all nodes together"
    if new.base_priority < old.base_priority and state is not RouterState.BACKUP:
        return f"a peer with a priority above {new.base_priority} that preempts takes over"
    if new.base_priority > old.base_priority and state is not RouterState.MASTER and new.preempt_mode:
        return f"takes over from a master with a priority below {new.base_priority}"
    if new.preempt_mode and not old.preempt_mode and state is not RouterState.MASTER:
        return "takes over from a master with a lower priority"
    return _following(old, new)


def _following(old: VrrpInstance, new: VrrpInstance) -> str:
    """What it newly follows with weight 0 can keep it out."""
    needed = [one for one in new.trackers if one not in old.trackers and not one.weight]
    unknown = [one.name for one in needed if one.kind is TrackerKind.SCRIPT]
    if unknown:
        return f"FAULT until {', '.join(unknown)} has succeeded"
    names = [*(_called(one) for one in needed), *(set(new.tracked_interfaces) - set(old.tracked_interfaces))]
    return f"FAULT if this is not well now: {', '.join(sorted(names))}" if names else ""


# ------------------------------------------------------------------------------------------------- services


def _services(old: Documents, new: Documents) -> Iterator[Change]:
    before = {one.id: one for one in old.ipvs.services}
    after = {one.id: one for one in new.ipvs.services}
    for name in before.keys() - after.keys():
        gone = f"- {len(before[name].servers)} servers; their connections are cut"
        yield Change(verb=REMOVED, what="service", name=name, details=(gone,))
    for name, fresh in after.items():
        known = before.get(name)
        if known is None:
            details = tuple(f"+ server {one.id} weight {one.weight}" for one in fresh.servers)
            yield Change(verb=ADDED, what="service", name=name, details=details)
            continue
        details = tuple(_details(known, fresh))
        if details:
            yield Change(verb=CHANGED, what="service", name=name, details=details)
        yield from _servers(name, known, fresh)


def _servers(service: str, old: VirtualServer, new: VirtualServer) -> Iterator[Change]:
    before, after = {one.id: one for one in old.servers}, {one.id: one for one in new.servers}
    for name in before.keys() - after.keys():
        yield Change(verb=REMOVED, what="server", name=f"{service} {name}")
    for name, fresh in after.items():
        known = before.get(name)
        if known is None:
            detail = f"weight {fresh.weight}, {fresh.forwarding}"
            yield Change(verb=ADDED, what="server", name=f"{service} {name}", details=(detail,))
        elif known != fresh:
            yield Change(
                verb=CHANGED, what="server", name=f"{service} {name}", details=tuple(_details(known, fresh))
            )  # fmt: skip


def _checks(old: Documents, new: Documents) -> Iterator[Change]:
    before = {(one.service, one.server): one for one in old.checker.servers}
    for fresh in new.checker.servers:
        known = before.get((fresh.service, fresh.server))
        if known is not None and known.checks != fresh.checks:
            details = (f"{_kinds(known)} -> {_kinds(fresh)}", *_timings(known, fresh))
            yield Change(verb=CHANGED, what="checks", name=f"{fresh.service} {fresh.server}", details=details)


def _alerts(old: Documents, new: Documents) -> Iterator[Change]:
    """Scripts and mails of services and servers that were there before."""
    before = {one.service: one for one in old.checker.told}
    for fresh in new.checker.told:
        known = before.get(fresh.service)
        if known is None:
            continue
        details = list(_details(known, fresh))
        servers = {one.server: one for one in known.servers}
        for server in fresh.servers:
            if server.server in servers:
                details += (f"{server.server} {line}" for line in _details(servers[server.server], server))
        if details:
            yield Change(verb=CHANGED, what="alerts", name=fresh.service, details=tuple(details))


def _kinds(server: CheckedServer) -> str:
    return ", ".join(type(check).__name__.removesuffix("Check").upper() for check in server.checks) or "none"


def _timings(old: CheckedServer, new: CheckedServer) -> Iterator[str]:
    for before, after in zip(old.checks, new.checks, strict=False):
        if type(before) is type(after):
            yield from _details(before, after)


# -------------------------------------------------------------------------------------------------- details


def _details(old: Any, new: Any, left_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """Differing fields of two values of one dataclass, addresses one by one, nested ones by their path."""
    for field in dataclasses.fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after or field.name in _LISTS or field.name in left_out:
            continue
        if field.name in _HELD:
            show = _path if field.name in ("routes", "rules") else _address
            yield from (f"- {show(one)}" for one in before if one not in after)
            yield from (f"+ {show(one)}" for one in after if one not in before)
        elif dataclasses.is_dataclass(before) and type(before) is type(after):
            yield from _details(before, after)
        else:
            yield f"{_word(field.name)}: {_shown(field.name, before)} -> {_shown(field.name, after)}"


def _word(name: str) -> str:
    return _WORDS.get(name) or name.removesuffix("_ns").removesuffix("_s").replace("_", " ")


def is_secret(name: str) -> bool:
    """Fields whose value is shown to nobody."""
    return any(word in name for word in ("password", "passphrase", "secret", "auth_pass", "private_key", "hmac"))


def _shown(name: str, value: Any) -> str:
    if is_secret(name) or isinstance(value, bytes):
        return "(hidden)"
    if name.endswith("_ns"):
        return f"{value / 1_000_000_000:g} s"
    if name.endswith("_cs"):
        return f"{value / 100:g} s"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(_called(one) for one in value) or "none"
    if dataclasses.is_dataclass(value):
        return _called(value) or "set"
    return str(value) if value not in ("", None) else "none"


def _called(value: Any) -> str:
    """A thing of a list by what people know it by."""
    if isinstance(value, Tracker):
        return f"{value.kind.value} {value.name}" + (f" weight {value.weight:+d}" if value.weight else "")
    if isinstance(value, Program):
        return " ".join(value.argv)
    if not dataclasses.is_dataclass(value):
        return str(value)
    return next((str(word) for name in _NAMES if (word := getattr(value, name, ""))), "")


def _path(path: Path) -> str:
    return f"{'route' if isinstance(path, VirtualRoute) else 'rule'} {path.text}"


def _address(virtual: VirtualAddress) -> str:
    return f"{virtual.address}/{virtual.prefix_len} dev {virtual.interface}"

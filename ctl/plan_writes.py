"""What a reload would write to the kernel, in order. Pure.

Links, addresses, routes and rules are written by the VRRP process, the load-balancing table by its owner.

The two work at the same time; within each the order is the one below. Verdicts are not known here: servers are taken
as up, and one with `alpha` as added when its first check succeeds. Routers are taken as in `states`; one whose state
is not known as master. A virtual MAC without a name of the operator's may get another where its own is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from pyhad.common.config.model import (
    IpvsDocument,
    Path,
    RealServer,
    VirtualAddress,
    VirtualRoute,
    VirtualServer,
    VrrpDocument,
    VrrpInstance,
)
from pyhad.common.config.model.vmac import Vmac
from pyhad.common.states import RouterState
from pyhad.ctl.in_force import Documents
from pyhad.ctl.plan import identity_of

_TABLE_FIELDS = ("scheduler", "flags", "persistence_timeout_s", "persistence_granularity", "persistence_engine")
"""Of a service, what the kernel's table knows."""
_T = TypeVar("_T", VirtualAddress, Path)


def kernel_writes(old: Documents, new: Documents, states: Mapping[str, RouterState]) -> tuple[str, ...]:
    """One line each, `vrrp: …` or `ipvs: …`."""
    return (
        *(f"vrrp: {line}" for line in _vrrp(old.vrrp, new.vrrp, states)),
        *(f"ipvs: {line}" for line in _table(old.ipvs, new.ipvs)),
    )


# ------------------------------------------------------------------------------- links, addresses, routes, rules


def _vrrp(old: VrrpDocument, new: VrrpDocument, states: Mapping[str, RouterState]) -> Iterator[str]:
    """REL-10 to REL-16: who leaves says so first; links before what stands on them; removals before additions."""
    before, after = ({identity_of(one): one for one in document.instances} for document in (old, new))
    masters = {
        identity for identity, one in before.items()
        if states.get(one.name, RouterState.MASTER) is RouterState.MASTER
    }  # fmt: skip
    for identity, gone in before.items():
        if identity not in after and identity in masters:
            yield f"advertise priority 0 for {gone.name}"
    links_before, links_after = _links(old), _links(new)
    for name in links_before.keys() & links_after.keys():
        if _made_as(links_before[name]) != _made_as(links_after[name]):
            yield f"remove {_link(links_before[name])}"
    for name, link in links_after.items():
        if name not in links_before or _made_as(links_before[name]) != _made_as(link):
            yield f"make {_link(link)}"
        elif link.mac != links_before[name].mac:
            yield f"give {name} the MAC {link.mac}"
    if _filtered(old) != _filtered(new):
        yield f"write the nftables table {new.firewall.table}"
    for identity, fresh in after.items():
        known = before.get(identity)
        if known is not None and identity in masters and known != fresh:
            yield f"advertise {fresh.name} with its new settings"
            yield from _differences(_all(known), _all(fresh), _paths(known), _paths(fresh), f"({fresh.name})")
    was, will = old.statics, new.statics
    yield from _differences(
        was.addresses, will.addresses, was.routes + was.rules, will.routes + will.rules,  "(static)"
    )  # fmt: skip
    for identity, gone in before.items():
        if identity not in after and identity in masters:
            yield from _differences(_all(gone), (), _paths(gone), (), f"when a successor is heard ({gone.name})")
    for name, link in links_before.items():
        if name not in links_after:
            yield f"remove {_link(link)}"


def _differences(
    held: tuple[VirtualAddress, ...],
    wanted: tuple[VirtualAddress, ...],
    paths: tuple[Path, ...],
    wanted_paths: tuple[Path, ...],
    why: str,
) -> Iterator[str]:
    """NET-2: routes and rules come after the addresses and go, the last first, before them."""
    yield from (f"remove {_path(one)} {why}" for one in reversed(_without(paths, wanted_paths)))
    yield from (f"remove {_shown(one)} {why}" for one in _without(held, wanted))
    yield from (f"add {_shown(one)} {why}" for one in _without(wanted, held))
    yield from (f"add {_path(one)} {why}" for one in _without(wanted_paths, paths))


def _without(some: tuple[_T, ...], others: tuple[_T, ...]) -> list[_T]:
    """Whether something is tracked is nothing to the kernel."""
    known = {replace(one, tracked=True) for one in others}
    return [one for one in some if replace(one, tracked=True) not in known]


def _links(document: VrrpDocument) -> dict[str, Vmac]:
    return {vmac.name: vmac for instance in document.instances for vmac in instance.vmacs}


def _made_as(vmac: Vmac) -> tuple[object, ...]:
    """What can only be had by making it anew."""
    return vmac.kind, vmac.base


def _link(vmac: Vmac) -> str:
    return f"{vmac.kind.value} {vmac.name} on {vmac.base}" + (f" with MAC {vmac.mac}" if vmac.mac else "")


def _filtered(document: VrrpDocument) -> tuple[object, ...]:
    """What the rules of virtual routers are made of: addresses that are not accepted, and virtual MACs."""
    closed = tuple(one for each in document.instances if not each.accept_mode for one in _all(each))
    links = tuple(sorted(_links(document)))
    return (closed, links, document.firewall if closed or links else None)


def _all(instance: VrrpInstance) -> tuple[VirtualAddress, ...]:
    return instance.addresses + instance.excluded_addresses


def _paths(instance: VrrpInstance) -> tuple[Path, ...]:
    return instance.routes + instance.rules


def _path(path: Path) -> str:
    return f"{'route' if isinstance(path, VirtualRoute) else 'rule'} {path.text}"


def _shown(virtual: VirtualAddress) -> str:
    return f"{virtual.address}/{virtual.prefix_len} dev {virtual.interface}"


# -------------------------------------------------------------------------------------------------- table


def _table(old: IpvsDocument, new: IpvsDocument) -> Iterator[str]:
    """Within a service: itself, servers that come, servers that change, servers that go. Services that go come last."""
    before, after = {one.id: one for one in old.services}, {one.id: one for one in new.services}
    for name, fresh in after.items():
        known = before.get(name)
        if known is None:
            yield f"add service {name} scheduler {fresh.scheduler}"
        elif any(getattr(known, field) != getattr(fresh, field) for field in _TABLE_FIELDS):
            yield f"change service {name} scheduler {fresh.scheduler}"
        yield from _servers(name, known.servers if known else (), fresh)
        if known is not None:
            yield from (f"serve {name} at {place}" for place in _places(fresh) if place not in _places(known))
    if _marked(old) != _marked(new):
        marking = new.marking or old.marking
        yield f"write the nftables table {marking.table if marking is not None else ''}"
    for name, fresh in after.items():
        places = _places(before[name]) if name in before else ()
        yield from (f"serve {name} at {place} no more" for place in places if place not in _places(fresh))
    for name, gone in before.items():
        if name not in after:
            yield from (f"remove {server.id} from {name}" for server in gone.servers)
            yield f"remove service {name}"


def _places(service: VirtualServer) -> tuple[str, ...]:
    """Where the kernel has it, with all its servers; the mark of a marked group is for the table's owner to choose."""
    if service.marked:
        return ("its mark",)
    places = []
    for one in service.listeners:
        address = f"[{one.address}]" if one.family == 6 else one.address
        places.append(f"{address} port {one.port}" if one.address else f"fwmark {one.fwmark}")
    return tuple(places)


def _marked(document: IpvsDocument) -> object:
    """What the tables are made of that mark packets (`nftables_ipvs`); None without them."""
    groups = tuple((one.id, one.listeners) for one in document.services if one.marked)
    return (document.marking, groups) if groups else None


def _servers(name: str, old: tuple[RealServer, ...], fresh: VirtualServer) -> Iterator[str]:
    before, after = {one.id: one for one in old}, {one.id: one for one in fresh.servers}
    for server in fresh.servers:
        if server.id not in before:
            when = " when its first check succeeds" if server.alpha or fresh.alpha else ""
            yield f"add {server.id} to {name} weight {server.weight} {server.forwarding}{when}"
    for server in fresh.servers:
        known = before.get(server.id)
        if known is not None and _row(known) != _row(server):
            yield f"change {server.id} of {name} to weight {server.weight} {server.forwarding}"
    yield from (f"remove {server.id} from {name}" for server in old if server.id not in after)


def _row(server: RealServer) -> tuple[object, ...]:
    thresholds = server.upper_threshold, server.lower_threshold
    return (server.weight, server.forwarding, *thresholds, server.tunnel)

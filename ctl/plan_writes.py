"""What a reload would write to the kernel, in order: addresses by the VRRP process, the table by its owner. Pure.

The two work at the same time; within each the order is the one below. Verdicts are not known here: servers are taken
as up, and one with `alpha` as added when its first check succeeds. Routers are taken as in `states`; one whose state
is not known as master.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyhad.common.config.model import RealServer, VirtualAddress, VirtualServer, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.ctl.in_force import Documents

_TABLE_FIELDS = ("scheduler", "flags", "persistence_timeout_s", "persistence_granularity", "persistence_engine")
"""Of a service, what the kernel's table knows."""


def kernel_writes(old: Documents, new: Documents, states: Mapping[str, RouterState]) -> tuple[str, ...]:
    """One line each, `vrrp: …` or `ipvs: …`."""
    return (
        *(f"vrrp: {line}" for line in _addresses(old.vrrp.instances, new.vrrp.instances, states)),
        *(f"ipvs: {line}" for line in _table(old.ipvs.services, new.ipvs.services)),
    )


# ---------------------------------------------------------------------------------------------- addresses


def _addresses(
    old: tuple[VrrpInstance, ...], new: tuple[VrrpInstance, ...], states: Mapping[str, RouterState]
) -> Iterator[str]:
    """REL-10 to REL-16: who leaves says so first; then differences, removals before additions."""
    before, after = {_identity(one): one for one in old}, {_identity(one): one for one in new}
    masters = {
        _identity(one) for one in old if states.get(one.name, RouterState.MASTER) is RouterState.MASTER
    }  # fmt: skip
    for identity, gone in before.items():
        if identity not in after and identity in masters:
            yield f"advertise priority 0 for {gone.name}"
            for one in _all(gone):
                yield f"remove {_shown(one)} when a successor is heard ({gone.name})"
    for identity, fresh in after.items():
        known = before.get(identity)
        if known is None or identity not in masters or known == fresh:
            continue
        yield f"advertise {fresh.name} with its new settings"
        yield from (f"remove {_shown(one)} ({fresh.name})" for one in _all(known) if one not in _all(fresh))
        yield from (f"add {_shown(one)} ({fresh.name})" for one in _all(fresh) if one not in _all(known))


def _identity(instance: VrrpInstance) -> tuple[int, int, str, str]:
    name = instance.name if instance.unicast_peers else ""
    return instance.vrid, instance.family, instance.interface, name


def _all(instance: VrrpInstance) -> tuple[VirtualAddress, ...]:
    return instance.addresses + instance.excluded_addresses


def _shown(virtual: VirtualAddress) -> str:
    return f"{virtual.address}/{virtual.prefix_len} dev {virtual.interface}"


# -------------------------------------------------------------------------------------------------- table


def _table(old: tuple[VirtualServer, ...], new: tuple[VirtualServer, ...]) -> Iterator[str]:
    """Within a service: itself, servers that come, servers that change, servers that go. Services that go come last."""
    before, after = {one.id: one for one in old}, {one.id: one for one in new}
    for name, fresh in after.items():
        known = before.get(name)
        if known is None:
            yield f"add service {name} scheduler {fresh.scheduler}"
        elif any(getattr(known, field) != getattr(fresh, field) for field in _TABLE_FIELDS):
            yield f"change service {name} scheduler {fresh.scheduler}"
        yield from _servers(name, known.servers if known else (), fresh)
    for name, gone in before.items():
        if name not in after:
            yield from (f"remove {server.id} from {name}" for server in gone.servers)
            yield f"remove service {name}"


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

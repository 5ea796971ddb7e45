"""Which interface each virtual MAC is on this machine: what is there already goes on, what is another's is left alone.

Pure. A router of ours whose interface exists under another name keeps that one, so that the order of instances in a
file does not matter; a name that somebody else's interface has is not fought over (VMAC-5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.config.model.vmac import IpvlanMode, Vmac, VmacKind
from pyhad.common.records import dataclass

MACVLAN_PRIVATE = 1
_IPVLAN_FLAGS = {IpvlanMode.BRIDGE: 0, IpvlanMode.PRIVATE: 1, IpvlanMode.VEPA: 2}
_TRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An interface of the machine. `base` is the name of what it stands on, empty when that is unknown."""

    name: str
    kind: str
    mode: int
    base: str
    mac: str
    ours: bool
    """It carries the mark of this daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`instances` with the names that hold here. `taken`: names that could not be had, each with the one used."""

    instances: tuple[VrrpInstance, ...]
    taken: tuple[tuple[str, str], ...] = ()


def ipvlan_flags(vmac: Vmac) -> int:
    """Its mode as the kernel says it."""
    return _IPVLAN_FLAGS[vmac.mode]


def key_of(vmac: Vmac) -> tuple[str, str, str]:
    """Two of the same key are one interface: the kernel lets one MAC be up once on a base."""
    return vmac.base, vmac.mac, vmac.name if vmac.kind is VmacKind.IPVLAN else ""


def real_base(vmac: Vmac, machine: Mapping[str, Found]) -> str:
    """The kernel puts a macvlan on a macvlan onto the base of that one (VMAC-7)."""
    base = machine.get(vmac.base)
    return base.base if base is not None and base.kind == "macvlan" else vmac.base


def can_become(found: Found, vmac: Vmac, machine: Mapping[str, Found]) -> bool:
    """Whether it is what was to be made, but perhaps for its MAC. Of an ipvlan the mark decides."""
    if found.kind != vmac.kind.value or found.base != real_base(vmac, machine):
        return False
    return found.ours if vmac.kind is VmacKind.IPVLAN else found.mode == MACVLAN_PRIVATE


def fits(found: Found, vmac: Vmac, machine: Mapping[str, Found]) -> bool:
    """Whether it is what was to be made (VMAC-5)."""
    return can_become(found, vmac, machine) and (not vmac.mac or found.mac == vmac.mac)


def make_plan(instances: Iterable[VrrpInstance], machine: Mapping[str, Found]) -> Plan:
    """The names to use. `machine`: all interfaces by name."""
    wanted = list(instances)
    vmacs: dict[tuple[str, str, str], Vmac] = {}
    for config in wanted:
        for vmac in config.vmacs:
            vmacs.setdefault(key_of(vmac), vmac)
    names: dict[tuple[str, str, str], str] = {}
    used: set[str] = set()
    for key, vmac in vmacs.items():  # what is there already, before anything new takes its name
        there = _there(vmac, machine)
        if there and there not in used:
            names[key] = there
            used.add(there)
    for key, vmac in vmacs.items():
        if key not in names:
            names[key] = _free_name(vmac, machine, used)
            used.add(names[key])
    taken = [
        (vmac.name, names[key])
        for key, vmac in vmacs.items()
        if names[key] != vmac.name and vmac.name in machine and not machine[vmac.name].ours
    ]
    return Plan(instances=tuple(_renamed(config, names) for config in wanted), taken=tuple(taken))


def _there(vmac: Vmac, machine: Mapping[str, Found]) -> str:
    same = machine.get(vmac.name)
    if same is not None and fits(same, vmac, machine):
        return vmac.name
    wants_its_name = vmac.named and (same is None or same.ours)
    if wants_its_name or vmac.kind is VmacKind.IPVLAN:
        return ""
    return next((found.name for found in machine.values() if found.ours and fits(found, vmac, machine)), "")


def _free_name(vmac: Vmac, machine: Mapping[str, Found], used: set[str]) -> str:
    """Its own, unless somebody else has it; then one as it would be given to an instance that names none."""
    head, _, tail = ("vrrp.0" if vmac.named else vmac.name).rpartition(".")
    number = str(int(vmac.mac[-2:], 16)) if vmac.named and vmac.mac else tail
    head = head.rstrip("0123456789") or "vrrp"
    for name in (vmac.name, f"{head}.{number}", *(f"{head}{count}.{number}" for count in range(1, _TRIES))):
        if name not in used and (name not in machine or machine[name].ours):
            return name
    return vmac.name


def rivals(vmac: Vmac, machine: Mapping[str, Found]) -> list[str]:
    """Ours under other names that have its MAC on its base: two of them cannot be up at once."""
    others = (found for found in machine.values() if found.ours and found.name != vmac.name)
    return [found.name for found in others if vmac.mac and fits(found, vmac, machine)]


def _renamed(config: VrrpInstance, names: Mapping[tuple[str, str, str], str]) -> VrrpInstance:
    if not config.vmacs:
        return config
    changed = {vmac.name: names[key_of(vmac)] for vmac in config.vmacs}
    if all(old == new for old, new in changed.items()):
        return config

    def moved(vmac: Vmac) -> Vmac:
        return replace(vmac, name=changed[vmac.name])

    def placed(addresses: tuple[VirtualAddress, ...]) -> tuple[VirtualAddress, ...]:
        return tuple(replace(one, interface=changed.get(one.interface, one.interface)) for one in addresses)

    return replace(
        config,
        vmac=None if config.vmac is None else moved(config.vmac),
        address_vmacs=tuple(moved(vmac) for vmac in config.address_vmacs),
        addresses=placed(config.addresses),
        excluded_addresses=placed(config.excluded_addresses),
    )

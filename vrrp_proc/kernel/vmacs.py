"""The interfaces that virtual routers make for themselves: made at start, mended when somebody touches them, removed.

Which name each has is decided in core/vmac_plan.py. Everything of one round is written at once; the picture of links is
brought up to date before anybody looks. An interface of ours carries the mark `pyhad` in its alias, so that a later
run knows what a killed one left.
"""

from __future__ import annotations

import collections
import errno
import functools
import os
from collections.abc import Callable, Iterable

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.vmac import Vmac, VmacKind
from pyhad.common.log import FilteringBoundLogger
from pyhad.vrrp_proc.core.vmac_plan import (
    Found,
    Plan,
    can_become,
    fits,
    ipvlan_flags,
    make_plan,
    rivals,
)
from pyhad.vrrp_proc.kernel import link_orders
from pyhad.vrrp_proc.kernel.base_settings import BaseSettings, quieten_ipv6
from pyhad.vrrp_proc.kernel.links import Changes, Interface, LinkMonitor, Links
from pyhad.vrrp_proc.kernel.netlink import AddressRequest, encode_add
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket

Order = Callable[[int], bytes]
"""A message that only lacks its sequence number."""
_SETTINGS = {
    link_orders.ARP_IGNORE: 1,
    link_orders.ACCEPT_LOCAL: 1,
    link_orders.RP_FILTER: 0,
    link_orders.PROMOTE_SECONDARIES: 1,
}
"""VMAC-2."""
_MARK = "pyhad"
_DOOMED = 0x70796864
"""A link group of our own, for those that are deleted together."""
_REMEDIES = {
    errno.EOPNOTSUPP: "this kernel has no such interfaces",
    errno.EADDRINUSE: "another interface on the base has this MAC",
    errno.EBUSY: "the base belongs to a bridge or bond: use that one",
    errno.EINVAL: "the base must be an Ethernet interface",
    errno.EEXIST: "the name is taken",
}


class Vmacs:
    """All of the process. `mark` tells ours from those of another daemon."""

    def __init__(
        self,
        route: RouteSocket,
        monitor: LinkMonitor,
        settings: BaseSettings,
        logger: FilteringBoundLogger,
        counters: collections.Counter[str],
    ) -> None:
        self._route = route
        self._monitor = monitor
        self._links = monitor.links
        self._settings = settings
        self._logger = logger
        self._counters = counters
        self._mark = ""
        self._wanted: dict[str, Vmac] = {}
        self._promoted: set[str] = set()
        """Interfaces of others that are to promote secondary addresses."""
        self._complaints: dict[str, int] = {}
        self._just_made: set[str] = set()
        """The kernel says nothing of a mark while an interface is down: these are ours all the same."""
        self._settled: set[int] = set()
        """Indices of those that have all their settings."""

    def name_all(self, instances: Iterable[VrrpInstance], daemon: str) -> tuple[VrrpInstance, ...]:
        """The instances with the names that their interfaces have, or will have, on this machine."""
        self._mark = mark_of(daemon)
        plan = names_on(self._links, instances, self._mark)
        for name, used in plan.taken:
            self._logger.error("vmac_name_taken", name=name, used=used, remedy="it is not ours: rename or remove it")
        return plan.instances

    def base_of(self, name: str) -> str:
        """The interface that a virtual MAC stands on; empty when `name` is none of ours."""
        vmac = self._wanted.get(name)
        return vmac.base if vmac is not None else ""

    def want(self, instances: Iterable[VrrpInstance]) -> None:
        """From now on these are to be there."""
        configs = list(instances)
        self._wanted = {vmac.name: vmac for config in configs for vmac in config.vmacs}
        self._promoted = {config.interface for config in configs if config.promote_secondaries}

    def concerns(self, names: Iterable[str]) -> bool:
        """Whether one of the interfaces is ours, or the base of one."""
        if not self._wanted and not self._promoted:
            return False
        ours = {name for vmac in self._wanted.values() for name in (vmac.name, vmac.base)} | self._promoted
        return not ours.isdisjoint(names)

    def fit(self, changes: Changes) -> bool:
        """Make and mend; `changes` learns what became different. False: something is missing though its base is there.

        Call it again a little later then.
        """
        machine = self._machine()
        names = self._wanted.keys() & machine.keys()
        doomed = {name for name in names if self._is_in_the_way(self._wanted[name], machine)}
        doomed.update(name for vmac in self._wanted.values() for name in rivals(vmac, machine))
        self._delete(sorted(doomed), changes)
        absent = [vmac for vmac in self._wanted.values() if self._can_be_made(vmac)]
        whole = self._make(absent, changes) if absent else True
        whole = self._mend(changes) and whole
        bases = (vmac.base for vmac in self._wanted.values() if vmac.kind is VmacKind.MACVLAN)
        self._settings.fit(bases, self._promoted, self._shared())
        return whole

    def sweep(self, changes: Changes, kept: Iterable[VrrpInstance] = ()) -> None:
        """Remove interfaces of ours that nobody wants; `kept` are wanted too."""
        wanted = self._wanted.keys() | {vmac.name for config in kept for vmac in config.vmacs}
        ours = (link.name for link in self._links.by_index.values() if self._is_ours(link))
        self._delete([name for name in ours if name not in wanted], changes)

    def remove_all(self) -> None:
        """The end: no interface of ours stays, and the bases are as they were."""
        self._wanted = {}
        self.sweep(Changes())
        self._settings.restore(self._shared())

    # ----------------------------------------------------------------------------------------------- looking

    def _shared(self) -> set[int]:
        """Indices of the interfaces that virtual MACs of another daemon stand on."""
        return {
            link.details.base
            for link in self._links.by_index.values()
            if link.details.kind == "macvlan" and not self._is_ours(link) and _is_virtual(link)
        }

    def _machine(self) -> dict[str, Found]:
        return machine_of(self._links, self._mark)

    def _is_ours(self, link: Interface) -> bool:
        return _is_marked(link, self._mark)

    def _is_in_the_way(self, vmac: Vmac, machine: dict[str, Found]) -> bool:
        """It has the name and is ours, but cannot become what is wanted."""
        found = machine[vmac.name]
        return found.ours and not can_become(found, vmac, machine)

    def _can_be_made(self, vmac: Vmac) -> bool:
        return vmac.name not in self._links.by_name and vmac.base in self._links.by_name

    # ------------------------------------------------------------------------------------------------ making

    def _make(self, absent: list[Vmac], changes: Changes) -> bool:
        """Whether all could be made."""
        answers = self._order([self._creation(vmac) for vmac in absent])
        made = [vmac.name for vmac, number in zip(absent, answers, strict=True) if not number]
        self._order([functools.partial(link_orders.encode_alias, name, self._mark) for name in made])
        self._just_made.update(made)
        self._monitor.catch_up(changes)
        for vmac, number in zip(absent, answers, strict=True):
            if number:
                self._judge(vmac, number)
        notify = {vmac.base for vmac, number in zip(absent, answers, strict=True) if vmac.notify_base and not number}
        groups = {name: self._links.by_name[name].details.group for name in notify}
        self._order([functools.partial(link_orders.encode_group, name, group) for name, group in groups.items()])
        return not any(answers)

    def _creation(self, vmac: Vmac) -> Order:
        base = self._links.by_name[vmac.base]
        group = base.details.group if vmac.group is None else vmac.group
        vrf = self._links.by_index.get(base.details.master)
        master = vrf.index if vrf is not None and vrf.details.kind == "vrf" else 0
        if vmac.kind is VmacKind.IPVLAN:
            flags = ipvlan_flags(vmac)
            return functools.partial(link_orders.encode_ipvlan, vmac.name, base.index, flags, group, master)
        mac = bytes.fromhex(vmac.mac.replace(":", ""))
        return functools.partial(link_orders.encode_macvlan, vmac.name, base.index, mac, group, master)

    def _judge(self, vmac: Vmac, number: int) -> None:
        """Each kind of failure is said once."""
        if self._complaints.get(vmac.name, 0) == number:
            return
        self._complaints[vmac.name] = number
        if number:
            self._counters["vmac_errors"] += 1
            self._logger.error(
                "vmac_not_made",
                name=vmac.name, base=vmac.base, error=os.strerror(number), remedy=_REMEDIES.get(number, ""),
            )  # fmt: skip

    def _mend(self, changes: Changes) -> bool:
        """What is new to this process gets all its settings; what is known is only kept right. Whether all are up."""
        orders: list[Order] = []
        fresh: dict[str, int] = {}
        machine = self._machine()
        for vmac in self._wanted.values():
            link = self._links.by_name.get(vmac.name)
            if link is None or not self._may_mend(vmac, link, machine):
                continue
            if link.index not in self._settled:
                orders += self._first_settings(vmac)
                fresh[vmac.name] = len(orders) - 1  # the last of them puts it up
            orders += self._corrections(vmac, link)
        numbers = self._order(orders)
        if orders:
            self._monitor.catch_up(changes)
        for name, place in fresh.items():
            self._settle(self._wanted[name], numbers[place])
        self._settled.intersection_update(self._links.by_index)
        return all(numbers[place] == 0 for place in fresh.values())

    def _may_mend(self, vmac: Vmac, link: Interface, machine: dict[str, Found]) -> bool:
        return self._is_ours(link) or vmac.name in self._just_made or fits(machine[vmac.name], vmac, machine)

    def _settle(self, vmac: Vmac, number: int) -> None:
        link = self._links.by_name.get(vmac.name)
        if number == 0 and link is not None:
            self._settled.add(link.index)
            self._just_made.discard(vmac.name)
            self._logger.info("vmac_ready", name=vmac.name, base=vmac.base, mac=link.mac.hex(":"))
        self._judge(vmac, number)

    def _first_settings(self, vmac: Vmac) -> list[Order]:
        orders: list[Order] = [
            functools.partial(link_orders.encode_alias, vmac.name, self._mark),
            functools.partial(link_orders.encode_ipv4_settings, vmac.name, _SETTINGS),
        ]
        if vmac.kind is VmacKind.MACVLAN:
            orders.append(functools.partial(link_orders.encode_no_link_local, vmac.name))
            quieten_ipv6(vmac.name)
        return [*orders, functools.partial(link_orders.encode_up, vmac.name)]

    def _corrections(self, vmac: Vmac, link: Interface) -> list[Order]:
        orders: list[Order] = []
        base = self._links.by_name.get(vmac.base)
        if vmac.mac and link.mac.hex(":") != vmac.mac:
            orders.append(
                functools.partial(link_orders.encode_mac, vmac.name, bytes.fromhex(vmac.mac.replace(":", "")))
            )
        if base is not None and base.details.mtu and link.details.mtu != base.details.mtu:
            orders.append(functools.partial(link_orders.encode_mtu, vmac.name, base.details.mtu))
        if vmac.address and not link.has_address(vmac.address):
            request = AddressRequest(link.index, vmac.address, vmac.prefix_len, protocol=0)
            orders.append(functools.partial(encode_add, request))
        return orders

    def _delete(self, names: list[str], changes: Changes) -> None:
        """Each alone is worth a line. Several go as one group: one by one each costs the kernel some 20 ms."""
        if not names:
            return
        links = [self._links.by_name[name] for name in names]
        if len(links) > 1 and not any(link.details.group == _DOOMED for link in self._links.by_index.values()):
            marked = self._order([functools.partial(link_orders.encode_group, name, _DOOMED) for name in names])
            numbers = marked if any(marked) else [self._order([_delete_doomed])[0]] * len(names)
        else:
            numbers = self._order([functools.partial(link_orders.encode_delete, link.index) for link in links])
        for name, number in zip(names, numbers, strict=True):
            self._logger.info("vmac_removed", name=name, error=os.strerror(number) if number else "")
        self._monitor.catch_up(changes)

    def _order(self, orders: list[Order]) -> list[int]:
        """The errno of each, 0 for done."""
        messages = [(sequence := self._route.next_sequence(), order(sequence)) for order in orders]
        answers = self._route.order(messages)
        return [answers[sequence] for sequence, _ in messages]


def _delete_doomed(sequence: int) -> bytes:
    return link_orders.encode_delete_group(_DOOMED, sequence)


def mark_of(daemon: str) -> str:
    """The alias of the interfaces of the daemon of that name (`instance`), or of the one without."""
    return f"{_MARK} {daemon}" if daemon else _MARK


def names_on(links: Links, instances: Iterable[VrrpInstance], mark: str) -> Plan:
    """The names that the interfaces have, or will have, on this machine."""
    return make_plan(instances, machine_of(links, mark))


def machine_of(links: Links, mark: str) -> dict[str, Found]:
    """All interfaces as the plan wants to see them."""
    found = {}
    for link in links.by_index.values():
        base = links.by_index.get(link.details.base)
        found[link.name] = Found(
            name=link.name,
            kind=link.details.kind,
            mode=link.details.mode,
            base=base.name if base is not None else "",
            mac=link.mac.hex(":"),
            ours=_is_marked(link, mark),
        )
    return found


def _is_virtual(link: Interface) -> bool:
    """Some daemon's: by its MAC (RFC 9568 7.3), or by its mark."""
    return link.mac[:4] == b"\x00\x00\x5e\x00" or link.details.alias.partition(" ")[0] == _MARK


def _is_marked(link: Interface, mark: str) -> bool:
    return link.details.alias == mark and link.details.kind in ("macvlan", "ipvlan")

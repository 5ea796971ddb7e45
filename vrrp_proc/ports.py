"""All ports of the process: one per interface and family, while the interface is there. Decides nothing about VRRP."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator

from pyhad.common.config.model.vmac import VmacKind
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.interface_port import Group, InterfacePort, is_vmac, wanted_of
from pyhad.vrrp_proc.kernel.links import Interface, Links
from pyhad.vrrp_proc.wire.sockets_vmac import Memberships, VmacSockets
from pyhad.vrrp_proc.wire.strangers import Strangers

_NOWHERE = Interface(0, "", 0, b"")
WEIGH_NS = 500_000_000
MUCH_PER_S = 200
"""So many packets in a second are worth the delay."""
GATHER_PACKETS = 16
"""So many at most may gather: a reading takes 64, and a flood must not outrun it."""
GATHER_SHARE = 10
GATHER_MAX_NS = 10_000_000
"""A tenth of the shortest interval, a hundredth of the usual one: by so much later, at most, a release is heard or a
silence begun."""


class Ports:
    """All ports of the process, opened and closed as interfaces and virtual routers come and go."""

    port: type[InterfacePort] = InterfacePort
    """What is opened; the simulator has another."""

    def __init__(
        self, links: Links, loop: Loop, logger: FilteringBoundLogger, counters: collections.Counter[str]
    ) -> None:
        self._links = links
        self._loop = loop
        self._logger = logger
        self._counters = counters
        self._open: dict[tuple[str, int], InterfacePort] = {}
        self.strangers = Strangers(logger)
        self._memberships = Memberships()
        self._vmac_sockets = {family: VmacSockets(family, loop, counters) for family in (4, 6)}
        self._shortest_ns = 0
        """Of the intervals of all virtual routers."""
        self._packets = 0
        loop.every(WEIGH_NS, self._weigh)

    def fit(self, instances: Iterable[Instance]) -> bool:
        """Make the sockets fit interfaces and instances, and tell each instance its port.

        False when one could not be opened though its interface is there: call again a little later.
        """
        wanted: dict[tuple[str, int], Group] = {}
        self._shortest_ns = 0
        everybody = list(instances)
        self.strangers.learn(instance.config for instance in everybody)
        for instance in everybody:
            config = instance.config
            interval_ns = config.advertisement_interval_cs * CENTISECOND_NS
            self._shortest_ns = min(self._shortest_ns or interval_ns, interval_ns)
            group = wanted.setdefault((config.speaks_on, config.family), {})
            group.setdefault(config.vrid, []).append(instance)
        for key in [key for key in self._open if key not in wanted]:
            self._open.pop(key).close()
        for family, sockets in self._vmac_sockets.items():
            sockets.expect(sum(self._lines(name, group) for (name, its), group in wanted.items() if its == family))
        whole = True
        for key, group in wanted.items():
            port = self._fit_one(key, group)
            whole = whole and (port is not None or self._place(key[0]) is None)
            for several in group.values():
                for instance in several:
                    instance.port = port
        self._memberships.fit(self._groups_of_bases(wanted))
        for sockets in self._vmac_sockets.values():
            sockets.settle()
        return whole

    def _place(self, name: str) -> Interface | None:
        """None while it is missing. Unicast without an interface has a port of its own, bound to none."""
        return self._links.by_name.get(name) if name else _NOWHERE

    def _groups_of_bases(self, wanted: dict[tuple[str, int], Group]) -> Iterator[tuple[int, int, str]]:
        """(index, family, group) of the bases of virtual MACs that have joined at the link layer only."""
        for (name, family), group in wanted.items():
            if is_vmac(group, name):
                for config in (instance.config for several in group.values() for instance in several):
                    base = self._links.by_name.get(config.interface)
                    if base is not None:
                        yield base.index, family, config.multicast_group

    def _lines(self, name: str, group: Group) -> int:
        """How many that port has at its virtual MACs."""
        return 1 if is_vmac(group, name) else len(self._overheard(name, group))

    def _overheard(self, name: str, group: Group) -> frozenset[tuple[str, int, int]]:
        found = set()
        for config in (instance.config for several in group.values() for instance in several):
            vmac = config.vmac
            link = self._links.by_name.get(vmac.name) if vmac is not None and vmac.name != name else None
            if link is not None and vmac is not None and vmac.kind is VmacKind.MACVLAN and not config.unicast_peers:
                found.add((link.name, link.index, config.vrid))
        return frozenset(found)

    def forget_known(self) -> None:
        """See `InterfacePort.forget_known`."""
        for port in self._open.values():
            port.forget_known()

    def close(self) -> None:
        """Close all."""
        for port in self._open.values():
            port.close()
        self._open.clear()
        self._memberships.close()

    def _weigh(self) -> None:
        """Where much comes in, have it gather a little: a waking costs several times as much as a packet."""
        packets = sum(port.packets for port in self._open.values())
        packets += sum(sockets.packets for sockets in self._vmac_sockets.values())
        came, self._packets = packets - self._packets, packets
        is_much = came >= MUCH_PER_S * WEIGH_NS // 1_000_000_000
        longest_ns = min(GATHER_MAX_NS, self._shortest_ns // GATHER_SHARE)
        self._loop.gather_ns = min(longest_ns, GATHER_PACKETS * WEIGH_NS // came) if is_much else 0

    def _fit_one(self, key: tuple[str, int], group: Group) -> InterfacePort | None:
        name, family = key
        interface = self._place(name)
        port = self._open.get(key)
        fits = port is not None and interface is not None and port.index == interface.index
        overheard = self._overheard(name, group)
        needs = wanted_of(group), overheard, self.strangers.on(name, family)
        if port is not None and fits and (port.wants, port.overheard, port.foreign) == needs:
            port.instances = group
            port.forget_known()
            return port
        fresh: InterfacePort | None = None
        if interface is not None:
            try:
                fresh = self.port(
                    interface,
                    family,
                    group,
                    self._loop,
                    self._logger,
                    self._counters,
                    self._vmac_sockets[family],
                    overheard,
                    self.strangers,
                )
            except KernelError as error:
                self._counters["socket_errors"] += 1
                self._logger.error("socket_not_opened", interface=name, error=str(error))
        if port is not None:  # after the new one is there, so that nothing is missed between
            self._open.pop(key).close()
        if fresh is not None:
            self._open[key] = fresh
        return fresh

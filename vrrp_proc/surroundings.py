"""What a virtual router finds around it: causes of fault, its source address, the weight of its trackers. Tells nobody.

Looks at interfaces, addresses and tracker readings as they are now. Who is told of the outcome is the service's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.tracking import InterfaceDelay, TrackerKind
from pyhad.common.config.model.vmac import VmacKind
from pyhad.common.loop import Loop, Timer
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.events import FaultCause
from pyhad.vrrp_proc.core.link_delays import LinkDelays
from pyhad.vrrp_proc.core.tracking import Readings, weigh
from pyhad.vrrp_proc.kernel.links import Links
from pyhad.vrrp_proc.kernel.netlink import IFF_MULTICAST, IFF_UP
from pyhad.vrrp_proc.trackers import Trackers


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look found."""

    faults: frozenset[FaultCause]
    source_address: str
    """Empty while there is none."""
    adjustment: int
    """What the trackers add to the priority (TRK-1)."""


class Surroundings:
    """Interfaces with their delays, and trackers, as every router of the process sees them."""

    def __init__(
        self, links: Links, trackers: Trackers, loop: Loop, on_delay_over: Callable[[frozenset[str]], None]
    ) -> None:
        """`on_delay_over` gets the names of interfaces that count otherwise now, for no news but time."""
        self._links = links
        self._trackers = trackers
        self._loop = loop
        self._on_delay_over = on_delay_over
        self._delays = LinkDelays()
        self._timer: Timer | None = None
        """Rings when the next of the delays is over."""
        self.virtual: frozenset[str] = frozenset()
        """Every virtual address of the process: none of them is anybody's own."""

    def configure(self, delays: Iterable[InterfaceDelay], instances: tuple[VrrpInstance, ...]) -> None:
        """As of the last (re)load."""
        self._delays.configure({delay.interface: delay for delay in delays}, instances)
        self.virtual = frozenset(
            virtual.address for config in instances for virtual in config.addresses + config.excluded_addresses
        )

    def look(self, config: VrrpInstance, *, has_port: bool) -> Seen:
        """As interfaces and addresses are now (FSM-40). `has_port`: packets can be sent and received."""
        source = source_of(config, self._links, self.virtual)
        weighed = weigh(config.trackers, self._readings(config))
        faults = {*self._interface_faults(config, has_port), *self._source_faults(config, source)}
        return Seen(faults=weighed.faults.union(faults), source_address=source, adjustment=weighed.adjustment)

    def _interface_faults(self, config: VrrpInstance, has_port: bool) -> set[FaultCause]:
        faults: set[FaultCause] = set()
        ground = config.interface or config.vrf
        if not has_port or not self._has_ground(config):
            faults.add(FaultCause.INTERFACE_MISSING)
        elif ground and not config.dont_track_primary and not self._is_up(ground):
            faults.add(FaultCause.INTERFACE_DOWN)
        found = self._links.by_name.get(ground)
        if found is not None and not config.unicast_peers and not found.flags & IFF_MULTICAST:
            faults.add(FaultCause.NO_MULTICAST)
        made = {vmac.name: vmac.base for vmac in config.vmacs}
        devices = {virtual.interface for virtual in config.addresses + config.excluded_addresses if virtual.tracked}
        others = {made.get(name, name) for name in devices.union(config.tracked_interfaces, made.values())}
        if not all(self._is_up(name) for name in others - {config.interface}):
            faults.add(FaultCause.TRACKED_INTERFACE_DOWN)
        if not all(self._is_there(name) for name in made):
            faults.add(FaultCause.INTERFACE_MISSING)
        return faults

    def _has_ground(self, config: VrrpInstance) -> bool:
        """A device that is no VRF cannot be one; unicast without both needs none."""
        if config.interface or not config.vrf:
            return not config.interface or config.interface in self._links.by_name
        vrf = self._links.by_name.get(config.vrf)
        return vrf is not None and vrf.details.kind == "vrf"

    def _is_there(self, name: str) -> bool:
        """An interface of our own: that it has carrier is the matter of its base, whose delays count (FSM-46)."""
        found = self._links.by_name.get(name)
        return found is not None and found.flags & IFF_UP != 0

    def _source_faults(self, config: VrrpInstance, source: str) -> set[FaultCause]:
        faults: set[FaultCause] = set()
        own = self._links.by_name.get(_source_interface(config))
        if own is not None and (not source or (config.track_source and not own.has_address(source))):
            faults.add(FaultCause.NO_SOURCE_ADDRESS)
        if config.fault_without_peers:
            faults.add(FaultCause.NO_UNICAST_PEER)
        return faults

    def _readings(self, config: VrrpInstance) -> Readings:
        """What trackers see; interfaces are looked at now."""
        readings = dict(self._trackers.readings) if config.trackers else {}
        for tracker in config.trackers:
            if tracker.kind is TrackerKind.INTERFACE:
                readings[tracker.kind, tracker.name] = int(self._is_up(tracker.name))
        return readings

    def _is_up(self, name: str) -> bool:
        """As it counts (FSM-46); an interface that is gone has no delay."""
        found = self._links.by_name.get(name)
        if found is None:
            return False
        counts = self._delays.counts_up(name, found.is_usable, self._loop.now_ns())
        self._arm()
        return counts

    def _arm(self) -> None:
        """Delays differ, and a link that came back has none any more: the timer follows the soonest of them."""
        deadline_ns, timer = self._delays.next_deadline_ns(), self._timer
        if timer is not None and timer.action is not None:
            if deadline_ns is not None and timer.at_ns <= deadline_ns:
                return
            timer.cancel()
        self._timer = None if deadline_ns is None else self._loop.at(deadline_ns, self._delay_over)

    def _delay_over(self) -> None:
        self._timer = None
        names = frozenset(self._delays.due(self._loop.now_ns()))
        if names:
            self._on_delay_over(names)
        for name in names:
            self._is_up(name)
        self._arm()


def interfaces_of(config: VrrpInstance) -> set[str]:
    """Names of all interfaces whose state matters to that router."""
    names = {virtual.interface for virtual in config.addresses + config.excluded_addresses}
    weighted = (tracker.name for tracker in config.trackers if tracker.kind is TrackerKind.INTERFACE)
    made = (name for vmac in config.vmacs for name in (vmac.name, vmac.base))
    return names.union(config.tracked_interfaces, (config.interface, config.vrf), weighted, made)


def source_of(config: VrrpInstance, links: Links, virtual: frozenset[str]) -> str:
    """The address that it speaks from, which is none of `virtual`; "" while there is none.

    An ipvlan has an address of its own; a virtual MAC speaks with that of its base.
    """
    own = links.by_name.get(_source_interface(config))
    if config.source_address or own is None:
        return config.source_address
    source = own.primary(config.family, virtual)
    if not source and config.base_priority == 255:  # an owner's own address is the virtual one
        source = own.primary(config.family, frozenset())
    return source


def _source_interface(config: VrrpInstance) -> str:
    is_ipvlan = config.vmac is not None and config.vmac.kind is VmacKind.IPVLAN
    return config.speaks_on if is_ipvlan else config.interface

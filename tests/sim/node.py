"""A simulated director: the shell around real virtual routers, with a kernel, a black box, and ways to die.

The address table and the black box outlive the process, as they do on a real node; a power cut clears both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.errors import PacketError
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import (
    AnnounceAddresses,
    ChangePriority,
    ChangeState,
    Effect,
    InstallAddresses,
    Remark,
    RemoveAddresses,
    SendAdvertisement,
)
from pyhad.vrrp_proc.core.events import (
    AddressesLost,
    AdvertisementReceived,
    ConfigurationChanged,
    Event,
    FaultCause,
    FaultsChanged,
    ShutdownWanted,
    StandbyWanted,
    Startup,
    TakebackWanted,
    TimePassed,
)
from pyhad.vrrp_proc.core.packet import (
    build_advertisement,
    build_ipv4,
    check_advertisement,
    parse_ipv4,
    read_vrid,
)
from pyhad.vrrp_proc.core.states import Snapshot
from pyhad.vrrp_proc.core.sweep import left_over
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from tests.sim.lan import Lan
from tests.sim.world import MILLISECOND_NS, World

Watcher = Callable[["Node", VirtualRouter, Snapshot, Event, list[Effect]], None]


class Node:
    """`configs` is its configuration file. Everything it does goes through `_step`, which the watcher sees."""

    def __init__(self, world: World, lan: Lan, name: str, address: str, configs: list[VrrpInstance]) -> None:
        self.world = world
        self.lan = lan
        self.name = name
        self.address = address
        self.configs = {config.vrid: config for config in configs}
        self.routers: dict[int, VirtualRouter] = {}
        self.table: set[str] = set()
        self.black_box: dict[int, Snapshot] = {}
        self.link_up = True
        self.lateness_ns = 0
        self.deaf_counters: dict[str, int] = {}
        self.sent_at_ns: list[tuple[int, int, int]] = []
        """(when, vrid, priority) of what was sent, kept only while `record` is set."""
        self.record = False
        self.missing_until_ns: dict[str, int] = {}
        """Addresses taken away by others, and until when they may be absent."""
        self.watch: Watcher | None = None
        self.patience_ns = 4_500 * MILLISECOND_NS
        """Of whoever stops it."""
        self.thawed_ns = 0
        """When it turned again after its last freeze."""
        self._thaws_at_ns = 0
        self._backlog: list[bytes] | None = None
        """Frames that its kernel keeps while the process is frozen; None: the whole machine is."""
        self._put_off: list[Callable[[], None]] = []
        """What its kernel told it while it was frozen."""
        self._stopping = False
        self._start_again = False
        self._effects_to_live: int | None = None
        self._armed_ns: dict[int, int] = {}
        self._frames: dict[tuple[int, int], bytes] = {}
        self._heard: dict[bytes, tuple[VirtualRouter, AdvertisementReceived] | None] = {}
        lan.plug(self)

    # ------------------------------------------------------------------------------------ life and death

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return bool(self.routers)

    def start(self, _: object = None) -> None:
        """Fork the process: it reads the black box, and goes on or begins."""
        if self.is_running:
            self._start_again = self._stopping
            return
        self.world.disturb(f"{self.name} starts")
        self._sweep()
        self.routers = {vrid: VirtualRouter(config) for vrid, config in self.configs.items()}
        self._forget()
        for vrid, router in list(self.routers.items()):
            self._step(router, self._startup(vrid, self.black_box.get(vrid)))

    def _sweep(self) -> None:
        """The shell's part of a start: addresses that a predecessor installed and no router has any more.

        The routers cannot know them, when the configuration changed while nobody lived or in the middle of a reload.
        """
        there = [VirtualAddress(address=address, prefix_len=32, interface="eth0") for address in sorted(self.table)]
        self.table -= {virtual.address for virtual in left_over(there, self.configs.values())}

    def _startup(self, vrid: int, last: Snapshot | None) -> Startup:
        found = not self.table.isdisjoint(virtual.address for virtual in _all_addresses(self.configs[vrid]))
        startup = Startup(faults=self._faults(), source_address=self.address, found_addresses=found)
        if last is None:
            return startup
        if last.state not in (RouterState.MASTER, RouterState.BACKUP):
            return replace(startup, restored_standby_until_ns=last.standby_until_ns)
        return replace(
            startup,
            restored_active=last.state is RouterState.MASTER,
            last_sent_ns=last.last_sent_ns,
            restored_backup_of=last.master_address,
            restored_master_priority=last.master_priority,
            restored_master_interval_cs=last.active_adver_interval_cs,
            restored_down_at_ns=last.active_down_at_ns,
            restored_since_ns=last.since_ns,
            restored_standby_until_ns=last.standby_until_ns,
        )

    def kill(self, _: object = None) -> None:
        """SIGKILL between two steps: the black box is as the last one left it."""
        if self.is_running:
            self.world.disturb(f"{self.name} is killed")
            box = {vrid: router.snapshot() for vrid, router in self.routers.items()}
            self.black_box = {} if self._stopping else box
            self._end()

    def kill_in_the_middle(self, effects_to_live: int | None) -> None:
        """SIGKILL after so many more effects, which may be between two of one step; None: spare it after all."""
        self._effects_to_live = effects_to_live

    def stop(self, _: object = None) -> None:
        """SIGTERM. The process ends when all its routers have handed their addresses over."""
        if self.is_running and not self._stopping and not self.is_frozen:
            self.world.disturb(f"{self.name} stops")
            self._stopping = True
            for router in list(self.routers.values()):
                self._step(router, ShutdownWanted(patience_ns=self.patience_ns))
            self._end_if_parted()

    def _end_if_parted(self) -> None:
        if self._stopping and not any(router.is_parting for router in self.routers.values()):
            again = self._start_again and self.is_running
            if self.is_running:
                self.black_box = {}
                self._end()
            if again:
                self.start()

    def stand_by(self, vrid: int, until_ns: int) -> None:
        """An operator holds a virtual router back; 0 lets it go."""
        router = self.routers.get(vrid)
        if router is not None and not self.is_frozen and not self._stopping:
            self.world.disturb(f"{self.name}/{vrid} is held back until {until_ns}")
            wish = StandbyWanted(until_ns=until_ns, patience_ns=self.patience_ns) if until_ns else TakebackWanted()
            self._step(router, wish)
            if until_ns:
                self.world.at(until_ns, self.world.disturb, f"{self.name}/{vrid} is free again")

    def cut_power(self, _: object = None) -> None:
        """Everything of it is gone."""
        self.world.disturb(f"{self.name} loses power")
        for neighbour in self.lan.neighbours:
            neighbour.lose(self.name)
        self._end()
        self.table, self.black_box, self.missing_until_ns = set(), {}, {}

    def set_link(self, up: bool) -> None:
        """Cable in or out; the process hears of it if it lives."""
        if up == self.link_up:
            return
        self.link_up = up
        self.world.disturb(f"{self.name} link {'up' if up else 'down'}")
        self._tell_faults()

    def _tell_faults(self) -> None:
        if self.is_frozen:
            self._put_off.append(self._tell_faults)
            return
        for router in list(self.routers.values()):
            self._step(router, FaultsChanged(faults=self._faults()))

    @property
    def is_frozen(self) -> bool:
        """Its process lives and does not turn."""
        return self.is_running and self.world.now_ns < self._thaws_at_ns

    def freeze(self, duration_ns: int, *, whole_machine: bool) -> None:
        """SIGSTOP of the daemon, or (`whole_machine`) a live migration: then frames are lost, not kept."""
        if self.is_running and not self.is_frozen:
            self.world.disturb(f"{self.name} freezes for {duration_ns} ns")
            self._thaws_at_ns = self.world.now_ns + duration_ns
            self._backlog = None if whole_machine else []
            for address, until_ns in self.missing_until_ns.items():
                if until_ns >= self.world.now_ns:  # what waits to be put back waits on
                    self.missing_until_ns[address] = until_ns + duration_ns
            self.world.at(self._thaws_at_ns, self._thaw, self._thaws_at_ns)

    def thaw(self) -> None:
        """Before its time."""
        if self.is_frozen:
            self._thaws_at_ns = self.world.now_ns
            self._thaw(self.world.now_ns)

    def _thaw(self, at_ns: int) -> None:
        """The loop turns again: what waits in the socket comes before what is due."""
        if at_ns != self._thaws_at_ns or not self.is_running:
            return
        self.world.disturb(f"{self.name} thaws")
        self.thawed_ns = at_ns
        backlog, self._backlog, put_off, self._put_off = self._backlog or [], None, self._put_off, []
        for frame in backlog:
            self.receive(frame)
        for vrid, router in list(self.routers.items()):
            if self.routers.get(vrid) is not router:  # the process has ended and begun meanwhile
                continue
            self._armed_ns.pop(vrid, None)
            deadline_ns = router.next_deadline_ns()
            if deadline_ns is not None and deadline_ns <= self.world.now_ns:
                self._step(router, TimePassed())
            self._arm(router)
        for action in put_off:
            action()

    def reload(self, configs: list[VrrpInstance]) -> None:
        """SIGHUP with other settings for the same virtual routers."""
        if self.is_frozen:
            return
        self.configs = {config.vrid: config for config in configs}
        self.world.disturb(f"{self.name} reloads")
        self._frames, self._heard = {}, {}
        for vrid, router in list(self.routers.items()):
            self._step(router, ConfigurationChanged(config=self.configs[vrid]))

    def lose_address(self, address: str) -> None:
        """Somebody runs `ip address del`; the process hears of it a little later."""
        if address in self.table:
            self.world.disturb(f"{self.name} loses {address} to somebody")
            self.table.discard(address)
            self.missing_until_ns[address] = self.world.now_ns + 1100 * MILLISECOND_NS + 2 * self.lateness_ns
            self.world.at(self.world.now_ns + MILLISECOND_NS, self._address_lost, address)

    def _address_lost(self, address: str) -> None:
        if self.is_frozen:
            wait_ns = self._thaws_at_ns - self.world.now_ns
            self.missing_until_ns[address] = self.missing_until_ns.get(address, 0) + wait_ns
            self._put_off.append(lambda: self._address_lost(address))
            return
        for router in list(self.routers.values()):
            if address not in self.table:
                self._step(router, AddressesLost(addresses=(("eth0", address),)))

    def _end(self) -> None:
        self.routers = {}
        self._put_off = []
        self._thaws_at_ns = 0
        self._effects_to_live = None
        self._stopping = self._start_again = False
        self._forget()

    def _forget(self) -> None:
        self._armed_ns, self._frames, self._heard = {}, {}, {}

    def _faults(self) -> frozenset[FaultCause]:
        return frozenset() if self.link_up else frozenset({FaultCause.INTERFACE_DOWN})

    # -------------------------------------------------------------------------------------------- the loop

    def receive(self, frame: bytes) -> None:
        """From the LAN. What was understood once is not parsed again, as in the real shell."""
        if not self.link_up or not self.routers:
            return
        if self.is_frozen:
            if self._backlog is not None:
                self._backlog.append(frame)
            return
        if frame not in self._heard:
            self._heard[frame] = self._understand(frame)
        known = self._heard[frame]
        if known is not None:
            self._step(*known)

    def _understand(self, frame: bytes) -> tuple[VirtualRouter, AdvertisementReceived] | None:
        try:
            received = parse_ipv4(frame)
            router = self.routers.get(read_vrid(received.payload))
            if router is None:
                return None
            advert = check_advertisement(received, router.config, self.address)
        except PacketError as error:
            counter = getattr(error, "counter", "?")
            self.deaf_counters[counter] = self.deaf_counters.get(counter, 0) + 1
            return None
        return router, AdvertisementReceived(
            source=advert.source,
            priority=advert.priority,
            interval_cs=advert.interval_cs,
            addresses_match=advert.addresses_match,
        )

    def _arm(self, router: VirtualRouter) -> None:
        deadline_ns = router.next_deadline_ns()
        vrid = router.config.vrid
        if deadline_ns is None:
            return
        armed_ns = self._armed_ns.get(vrid)
        if armed_ns is None or deadline_ns < armed_ns:
            self._armed_ns[vrid] = deadline_ns
            late_ns = int(self.world.random.random() * self.lateness_ns) if self.lateness_ns else 0
            self.world.at(max(deadline_ns, self.world.now_ns) + late_ns, self._wake, (router, deadline_ns))

    def _wake(self, timer: tuple[VirtualRouter, int]) -> None:
        router, armed_ns = timer
        vrid = router.config.vrid
        if self.routers.get(vrid) is not router or self._armed_ns.get(vrid) != armed_ns or self.is_frozen:
            return
        del self._armed_ns[vrid]
        deadline_ns = router.next_deadline_ns()
        if deadline_ns is not None and deadline_ns <= self.world.now_ns:
            self._step(router, TimePassed())
        else:
            self._arm(router)

    def _step(self, router: VirtualRouter, event: Event) -> None:
        world = self.world
        if self.routers.get(router.config.vrid) is not router:
            return  # its process died meanwhile
        before = router.snapshot()
        if world.trace is not None:
            world.say(f"{self.name}/{router.config.vrid} >> {event}")
        effects = router.handle(event, world.now_ns)
        for effect in effects:
            if self._effects_to_live is not None:
                if self._effects_to_live == 0:
                    self._die_in_the_middle(router, before)
                    return
                self._effects_to_live -= 1
            self._perform(router, effect)
        if self.watch is not None:
            self.watch(self, router, before, event, effects)
        self._arm(router)
        if self._stopping and isinstance(event, TimePassed):
            self._end_if_parted()

    def _die_in_the_middle(self, router: VirtualRouter, before: Snapshot) -> None:
        self.world.disturb(f"{self.name} is killed in the middle of a step")
        box = {vrid: other.snapshot() for vrid, other in self.routers.items() if other is not router}
        self.black_box = {**box, router.config.vrid: before}
        self._end()

    def _perform(self, router: VirtualRouter, effect: Effect) -> None:
        if self.world.trace is not None:
            self.world.say(f"{self.name}/{router.config.vrid} << {effect}")
        match effect:
            case SendAdvertisement(priority=priority):
                self._send(router, priority)
            case InstallAddresses(addresses=addresses):
                self.table.update(virtual.address for virtual in addresses)
            case RemoveAddresses(addresses=addresses):
                self.table.difference_update(virtual.address for virtual in addresses)
            case AnnounceAddresses(addresses=addresses):
                self.lan.announce(self, (virtual.address for virtual in addresses))
            case ChangeState() | ChangePriority() | Remark():
                pass
            case _:
                assert_never(effect)

    def _send(self, router: VirtualRouter, priority: int) -> None:
        key = (router.config.vrid, priority)
        frame = self._frames.get(key)
        if frame is None:
            payload = build_advertisement(router.config, source=self.address, priority=priority)
            group = router.config.multicast_group
            frame = build_ipv4(payload, source=self.address, destination=group, identification=1)
            self._frames[key] = frame
        if self.record:
            self.sent_at_ns.append((self.world.now_ns, router.config.vrid, priority))
        self.lan.send(self, frame)


def _all_addresses(config: VrrpInstance) -> tuple[VirtualAddress, ...]:
    return config.addresses + config.excluded_addresses

"""One virtual router in the world: its pure core, its timer, its packets, its record in the black box.

`handle` is the only way in: event -> core -> effects, performed in their order with nothing between, then the journal
and the timer. The core decides; this file only does. Sending never raises: what goes wrong is counted and said once.
"""

from __future__ import annotations

import collections
import errno
import os
from collections.abc import Iterable
from typing import assert_never

from pyhad.common.config.model import Path, Place, VrrpInstance
from pyhad.common.messages import RouterStatus
from pyhad.common.states import RouterState
from pyhad.vrrp_proc import journal, resuming
from pyhad.vrrp_proc.complaints import Complaints
from pyhad.vrrp_proc.core import effects as do
from pyhad.vrrp_proc.core.events import (
    FOREVER_NS,
    AddressesLost,
    AdvertisementReceived,
    ConfigurationChanged,
    Event,
    FaultCause,
    FaultsChanged,
    InterfaceRenewed,
    PathsInDoubt,
    PriorityChanged,
    ShutdownWanted,
    SourceAddressChanged,
    StandbyWanted,
    TakebackWanted,
    TimePassed,
)
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.core.packet import Received, check_advertisement
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from pyhad.vrrp_proc.journal import Record
from pyhad.vrrp_proc.leading import Leading, watched
from pyhad.vrrp_proc.moving_timer import MovingTimer
from pyhad.vrrp_proc.peers import Peers
from pyhad.vrrp_proc.repeats import Repeats
from pyhad.vrrp_proc.router_status import router_status
from pyhad.vrrp_proc.stopgap import key_for
from pyhad.vrrp_proc.telling import Telling
from pyhad.vrrp_proc.wire.announce import own_address_to_announce
from pyhad.vrrp_proc.wire.intake import read_on
from pyhad.vrrp_proc.world import Port, World


class Instance:
    """One `vrrp_instance`, alive. `port` is None while its interface is missing."""

    def __init__(self, config: VrrpInstance, world: World) -> None:
        self.core = VirtualRouter(config)
        self.port: Port | None = None
        self.counters: collections.Counter[str] = collections.Counter()
        self._world = world
        self.identity = journal.key(config)
        self._log = world.logger.bind(instance=config.name, vrid=config.vrid, interface=config.interface)
        self._now_ns = world.loop.now_ns
        self._faults = self._own_faults = frozenset[FaultCause]()
        self._source = self._known_source = ""
        self._resumed = self._started = self._is_parting = False
        self.outgoing = Outgoing(config, world.numbers)
        self._complaints = Complaints(self.counters)
        self._peers = Peers()
        self.send_error = 0
        """The errno of the last sending."""
        self.repeats = Repeats()
        self._timer = MovingTimer(world.looks, self.repeats, self._wake)
        self._adjustment = 0
        self.follows_fault = False
        """Another member of its sync group is in fault."""
        self._telling = Telling(world.teller)
        world.holdings.leases.agree(self, config.vip_lease_s)
        self._leading = Leading(world.counters)

    @property
    def config(self) -> VrrpInstance:
        """As of the last (re)load."""
        return self.core.config

    @property
    def is_listening(self) -> bool:
        """Whether advertisements matter now (PKT-21)."""
        return self.core.is_parting or self.core.router_state in (RouterState.BACKUP, RouterState.MASTER)

    def expects(self, received: Received) -> bool:
        """Whether a message is for this one of several routers of its VRID (FSM-15)."""
        peers = self.config.unicast_peers
        if not peers:
            return received.destination == self.config.multicast_group
        return received.destination == self._source and any(peer.address == received.source for peer in peers)

    # -------------------------------------------------------------------------------------- what happens

    def start(self, faults: frozenset[FaultCause], source_address: str, left: Record | None) -> None:
        """Begin; `left` is what the predecessor journaled."""
        self._own_faults, faults = faults, self._all_faults(faults)
        self._faults, self._source, self._started = faults, source_address, True
        self.outgoing.change(self.config, source_address)
        self._resumed = left is not None and left.state is RouterState.MASTER
        self._telling.known = left.state if left is not None else None
        if left is not None:
            self.outgoing.restore(left.sequence)
        found = self._world.holdings.found(self.core.all_addresses)
        self.handle(resuming.startup(left, faults=faults, source_address=source_address, found_addresses=found))

    def surroundings(self, faults: frozenset[FaultCause], source_address: str) -> None:
        """What holds now; only differences become events. A new source comes before the fault that it ends."""
        if not self._started:
            return
        self._own_faults, faults = faults, self._all_faults(faults)
        if source_address != self._source and source_address:
            self._change_source(source_address)
        if faults != self._faults:
            self._faults = faults
            self.handle(FaultsChanged(faults=faults))
        if source_address != self._source:
            self._change_source(source_address)

    def follow_fault(self, follows: bool) -> None:
        """Another member of its sync group is in fault, or is no more (GRP-1); before `start` too."""
        self.follows_fault = follows
        self.surroundings(self._own_faults, self._source)

    def _all_faults(self, own: frozenset[FaultCause]) -> frozenset[FaultCause]:
        return own | {FaultCause.SYNC_GROUP} if self.follows_fault else own

    def adjust(self, adjustment: int) -> None:
        """What the trackers add to the priority now (TRK-1); before `start` too."""
        if adjustment != self._adjustment:
            self._adjustment = adjustment
            self.handle(PriorityChanged(adjustment=adjustment))

    def reconfigure(self, config: VrrpInstance) -> None:
        """A reload found the same router with perhaps other settings (REL-12)."""
        if config == self.config and watched(config) == watched(self.config):
            return
        self.outgoing.change(config, self._source)
        self._world.holdings.leases.agree(self, config.vip_lease_s)
        self._log = self._world.logger.bind(instance=config.name, vrid=config.vrid, interface=config.interface)
        self._peers.forget()
        self.handle(ConfigurationChanged(config=config))

    def lose(self, addresses: Iterable[Place], *, with_interface: bool = False) -> None:
        """Somebody else removed addresses that this router holds, or their interface went, or is down."""
        self.handle(AddressesLost(addresses=tuple(addresses), with_interface=with_interface))

    def announce_again(self, interface: str) -> None:
        """Neighbours may have lost their way to its addresses there."""
        self.handle(InterfaceRenewed(interface=interface))

    def doubt(self, paths: Iterable[Path], *, removed: bool = False) -> None:
        """Routes and rules of it may be gone."""
        self.handle(PathsInDoubt(paths=tuple(paths), removed=removed))

    def stand_by(self, until_ns: int, patience_ns: int) -> None:
        """An operator holds it back until then."""
        self._log.warning("standby_ordered", until_taken_back=until_ns == FOREVER_NS)
        self.handle(StandbyWanted(until_ns=until_ns, patience_ns=patience_ns))

    def take_back(self) -> None:
        """An operator ends the standby."""
        self._log.info("standby_ended")
        self.handle(TakebackWanted())

    def shut_down(self, *, keep_addresses: bool = False, deleted: bool = False, patience_ns: int = 0) -> bool:
        """Let go in an orderly way. False: it goes on answering for at most `patience_ns`, until a successor does;
        the world's `on_parted` runs then. Afterwards nothing is left of it but, with `keep_addresses`, its addresses.
        """
        if deleted:
            self._telling.deleted(self.config)
        was_started, self._started = self._started, False
        self._world.journal.forget(self.identity)
        self._world.journal.forget(key_for(self.identity))
        if was_started:
            self.handle(ShutdownWanted(keep_addresses=keep_addresses, patience_ns=patience_ns))
            self._tell_companions()
        if self.core.is_parting:
            self._is_parting = True
            return False
        self._end()
        return True

    def _end(self) -> None:
        self._timer.cancel()
        self._world.beats.leave(self)
        self._world.holdings.release(self, self.core.all_addresses, self.core.paths)

    def receive(self, received: Received) -> AdvertisementReceived | None:
        """A VRRP message for our VRID. Returns the event it made if the very same bytes will make it again."""
        if not self.is_listening:
            self._world.counters["adverts_ignored"] += 1
            return None
        try:
            advert = check_advertisement(
                received,
                self.config,
                self._source,
                known_source=self._known_source,
                last_sequence=self.outgoing.last_heard(received.source),
                memory=self.outgoing.memory,
                wall_ns=self._world.wall_ns(),
            )
        except AdvertisementRefused as refusal:
            self._complaints.refuse(self._log, received.source, refusal)
            self._peers.hear(received, refusal.counter, self._now_ns())
            return None
        if received.seal is not None:
            self.outgoing.learn(received.seal.sequence, received.source)
        self._peers.hear(received, "owner_ignored" if self.config.ignores_adverts else "", self._now_ns())
        if self.config.ignores_adverts:
            self.counters["owner_ignored"] += 1
            return None
        self._known_source = advert.source
        if self.outgoing.follow(advert.checksum_form):
            self._log.info("checksum_form_followed", peer=advert.source, form=advert.checksum_form)
        if not advert.addresses_match:
            self.counters["addr_list_err"] += 1
        event = AdvertisementReceived(
            source=advert.source,
            priority=advert.priority,
            interval_cs=advert.interval_cs,
            addresses_match=advert.addresses_match,
        )
        self.handle(event)
        return event if advert.addresses_match and self.config.hmac is None else None

    def hear_again(self, event: AdvertisementReceived) -> None:
        """The very bytes that made `event` once, where `repeats` does not know them any more, or not yet."""
        if self.is_listening:
            now_ns = self._now_ns()
            self.handle(event)
            self.repeats.remember(event, self.core, now_ns)

    def _take_repeats(self) -> None:
        """What was heard again and put off comes before anything else."""
        repeats = self.repeats
        if times := repeats.times:
            repeats.times = 0
            for effect in self.core.hear_again(repeats.event, times, repeats.last_ns):
                self._perform(effect)

    def handle(self, event: Event) -> None:
        """One turn of the machine."""
        self._take_repeats()
        self.repeats.forget()
        self._turn(event)
        while self._leading.settled:
            self._turn(self._leading.settled.pop(0))
        if self._started:
            self._write_journal()
        if self._started or self.core.is_parting:
            self._arm()
        elif self._is_parting:
            self._is_parting = False
            self._end()
            self._world.on_parted(self)
        if self._started:
            self._tell_companions()

    def _turn(self, event: Event) -> None:
        for effect in self.core.handle(event, self._now_ns()):
            self._perform(effect)

    def _tell_companions(self) -> None:
        if self.config.sync_group:
            self._world.companions.after(self)

    # ----------------------------------------------------------------------------------------- what it does

    def _perform(self, effect: do.Effect) -> None:
        match effect:
            case do.SendAdvertisement(priority=priority):
                self._send(priority)
            case do.InstallAddresses():
                self._install(effect)
            case do.RemoveAddresses(addresses=addresses, paths=paths):
                self._world.announcer.forget(addresses)
                outcome = self._world.holdings.remove(self, addresses, paths)
                self._leading.addresses_removed(self._log, outcome)
                self._leading.removed(self._log, outcome.paths)
            case do.AnnounceAddresses(addresses=addresses, repeat=repeat):
                self._world.announcer.announce(addresses, repeat)
            case do.ChangeState():
                self._change_state(effect)
            case do.ChangePriority(old=old, new=new):
                self._log.info("priority_changed", old=old, new=new)
                is_master = self.core.router_state is RouterState.MASTER
                self._world.teller.priority(self.config, new, is_master=is_master)
                self._world.on_change()
            case do.Remark(event=event, fields=fields, warning=warning):
                (self._log.warning if warning else self._log.info)(event, **fields)
                if event == "lower_priority_heard":
                    self._world.teller.lower_priority(self.config, self.core.effective_priority)
                    self._world.companions.lower_heard(self)
            case _:
                assert_never(effect)

    def _install(self, effect: do.InstallAddresses) -> None:
        # An owner's addresses may be the machine's own: only the mark tells then whose they are.
        owns_found = self._resumed and self.config.base_priority != 255
        outcome = self._world.holdings.install(self, effect.addresses, effect.paths, owns_found=owns_found)
        if effect.addresses:
            waits = bool(self.core.refused_addresses)
            self._leading.addresses_installed(self._log, outcome, mending=effect.mending, is_waited_for=waits)
        self._leading.installed(self._log, outcome.paths, mending=effect.mending)

    def _change_state(self, change: do.ChangeState) -> None:
        self._complaints.forget()
        if change.new is not RouterState.MASTER:
            self._resumed = False
            self._world.announcer.forget(self.core.all_addresses)
        self._log.info(
            "state_changed", old=change.old, new=change.new, reason=change.reason, priority=change.priority,
            **({"detail": change.detail} if change.detail else {}),
        )  # fmt: skip
        self._telling.change(self.config, change, self._faults)
        if own := own_address_to_announce(self.config, self._source, change):
            self._world.announcer.announce((own,), 1)
        self._world.on_change()

    def repeat_state(self) -> None:
        """Tell the FIFOs once more."""
        self._take_repeats()
        self._telling.again(self.config, self.core.snapshot())

    def _send(self, priority: int) -> None:
        number = 0
        for packet, destination in self.outgoing.packets(priority, self._world.wall_ns()):
            number = errno.ENODEV if self.port is None else self.port.send(packet, destination) or number
        self.note_sent(number)
        if priority:
            self._world.holdings.leases.renew(self)

    def packets(self) -> list[tuple[bytearray, str]]:
        """What an advertisement is now, with its destinations."""
        return self.outgoing.packets(self.core.effective_priority, self._world.wall_ns())

    @property
    def packets_are(self) -> tuple[int, int]:
        """Other numbers than before: `packets()` are others too."""
        return self.outgoing.version, self.core.effective_priority

    def note_sent(self, number: int) -> None:
        """An advertisement was sent, or not: the errno."""
        if number:
            self.counters["advert_send_err"] += 1
        if number != self.send_error:
            self.send_error = number
            if number:
                self._log.warning("advert_not_sent", error=os.strerror(number))

    def _change_source(self, source_address: str) -> None:
        self._source = source_address
        self.outgoing.change(self.config, source_address)
        if self.port is not None:
            self.port.forget_known()
        self.handle(SourceAddressChanged(source_address=source_address))

    # ----------------------------------------------------------------------------------- time and memory

    def _arm(self) -> None:
        is_seen_to = self._world.beats.fit(self)
        deadline_ns = self.core.other_deadline_ns() if is_seen_to else self.core.next_deadline_ns()
        self._timer.set(deadline_ns, is_moving=self.core.router_state is RouterState.BACKUP)

    def _wake(self) -> None:
        if self._is_due() and self.port is not None and self.core.router_state is RouterState.BACKUP:
            # The master is silent only if nothing of it waits here unread, behind what others said either.
            read_on(self.port.read, self._is_due)
        if self._is_due():
            self.handle(TimePassed())
        elif self.repeats.times:
            self._timer.set(self.repeats.deadline_ns(self.core), is_moving=True)
        else:
            self._arm()

    def _is_due(self) -> bool:
        deadline_ns = self.repeats.deadline_ns(self.core)
        return deadline_ns is not None and deadline_ns <= self._now_ns()

    def look_soon(self) -> None:
        """Something is due, and now is not the moment for it."""
        self._timer.set(self.core.next_deadline_ns())

    def _write_journal(self) -> None:
        left = resuming.record(self.core.snapshot(), sequence=self.outgoing.sequence)
        self._world.journal.write(self.identity, left)

    def status(self) -> RouterStatus:
        """As `pyhadctl status` shows it."""
        self._take_repeats()
        return router_status(self.core, self.counters, self._now_ns(), self._peers)

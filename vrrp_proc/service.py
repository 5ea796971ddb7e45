"""The VRRP process, wired: netlink and raw sockets in, virtual routers in the middle, packets and addresses out.

Decides nothing about VRRP. What it does decide is which router an outside fact concerns: a link that changed, an
address that somebody removed, a new configuration, the wish to stop.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pyhad.common.config.model import SCHEMA, VrrpDocument, VrrpInstance
from pyhad.common.config.model.lookout import Lookout
from pyhad.common.errors import WireError
from pyhad.common.messages import RouterStatus, StandbyOrdered
from pyhad.common.runtime import Runtime
from pyhad.common.scripts.catalogue import rules_of
from pyhad.common.scripts.client import FINISH_NS, Scripts
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.beats import Beats
from pyhad.vrrp_proc.core.events import FOREVER_NS, FaultCause
from pyhad.vrrp_proc.core.tracking import Key
from pyhad.vrrp_proc.groups import Groups
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.journal import Journal, identity_of
from pyhad.vrrp_proc.kernel.addresses import Addresses, address_mark_of
from pyhad.vrrp_proc.kernel.base_settings import BaseSettings
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.leases import Leases
from pyhad.vrrp_proc.kernel.ledger import FILE, Ledger
from pyhad.vrrp_proc.kernel.linkbeat import LinkBeat
from pyhad.vrrp_proc.kernel.links import Changes, Links, say_addresses
from pyhad.vrrp_proc.kernel.vmacs import Vmacs
from pyhad.vrrp_proc.moving_timer import Looks
from pyhad.vrrp_proc.notifier import Notifier
from pyhad.vrrp_proc.outside import Outside
from pyhad.vrrp_proc.roles import RoleTeller
from pyhad.vrrp_proc.startup import StartupDelay
from pyhad.vrrp_proc.surroundings import Surroundings, interfaces_of
from pyhad.vrrp_proc.trackers import Trackers
from pyhad.vrrp_proc.upkeep import Upkeep
from pyhad.vrrp_proc.wire.paced import PacedAnnouncer
from pyhad.vrrp_proc.world import World

COLLECT_NS = 60_000_000_000
RETRY_NS = 1_000_000_000
SPARE_NS = FINISH_NS + 500_000_000
"""What is left of the parent's patience for scripts and for the end itself."""

_T = TypeVar("_T")
Identity = tuple[int, int, str, str]
"""See `journal.identity_of`."""


class Service:
    """All virtual routers of one document, and everything they share."""

    def __init__(self, runtime: Runtime, scripts: Scripts, outside: Outside) -> None:
        self._runtime, self._logger = runtime, runtime.logger
        self._options = runtime.context.options
        self._instances: dict[Identity, Instance] = {}
        self._parting: set[Instance] = set()
        """Shut down, but still answering until a successor does."""
        self._patience_ns, self._stopping, self._retrying = 0, False, False
        self._on_begin: Callable[[bytes], None] = lambda identity: None
        self._journal = Journal(runtime.context.box)
        self._scripts = scripts
        self._notifier = Notifier(scripts, runtime.logger, runtime.counters)
        self._groups = Groups(self._notifier, self._journal, runtime.logger, runtime.loop.now_ns)
        self._trackers = Trackers(scripts, self._journal, runtime, self._tracked_changed)
        self._startup = StartupDelay(runtime.loop)
        self._route = outside.route()
        self._monitor = outside.monitor(self._route, self._links_changed)
        self._links: Links = self._monitor.links
        self._surroundings = Surroundings(self._links, self._trackers, runtime.loop, self._delay_over)
        self._linkbeat = LinkBeat(runtime.loop, runtime.logger, self._links, self._links_changed)
        self._settings = BaseSettings(self._route, self._links, self._journal, runtime.logger)
        self._vmacs = Vmacs(self._route, self._monitor, self._settings, runtime.logger, runtime.counters)
        self._firewall, self._ports = outside.firewall(), outside.ports(self._links)
        self._reporter = outside.reporter(self._router_status, self._counters, self._stand_by, self._trackers.seen)
        self._roles = RoleTeller(runtime, self._is_master)
        holdings = self._holdings()
        self._world = World(
            loop=runtime.loop,
            logger=runtime.logger,
            holdings=holdings,
            announcer=PacedAnnouncer(outside.announcer(self._links), runtime.loop),
            journal=self._journal,
            beats=Beats(runtime.loop, self._journal, holdings.leases),
            looks=Looks(runtime.loop),
            counters=runtime.counters,
            on_change=self._changed,
            on_parted=self._parted,
            teller=self._notifier,
            companions=self._groups,
        )
        self._upkeep = self._keeping(holdings)

    def _holdings(self) -> Holdings:
        mark = address_mark_of(self._runtime.context.log.daemon)
        return Holdings(
            Addresses(self._route, self._links, mark),
            Leases(self._route, self._links, self._runtime.loop, mark),
            release_foreign=self._options.release_foreign_vips,
        )

    def _keeping(self, holdings: Holdings) -> Upkeep:
        runtime = self._runtime
        ledger = Ledger(self._scripts, runtime.path(FILE), runtime.logger)
        return Upkeep(runtime.loop, runtime.logger, holdings, self._links, runtime.counters, ledger)

    def start(self, document: VrrpDocument, on_begin: Callable[[bytes], None] = lambda identity: None) -> None:
        """Take over the first document and begin to turn. `on_begin` hears of each router before it speaks."""
        runtime = self._runtime
        self._on_begin = on_begin
        runtime.loop.watch(self._monitor.fileno(), self._monitor.read)
        runtime.on_stop = self._stop
        self._reporter.statics, self._reporter.processes = self._upkeep.status, self._trackers.processes
        self._apply(document)
        # The collector's pauses must not fall between a deadline and its advert: it runs when we say so.
        gc.disable()
        gc.freeze()  # and does not look each time through what lasts
        runtime.loop.every(COLLECT_NS, _collect)

    def reload(self, document: VrrpDocument) -> None:
        """Another document: the same routers go on, others end or begin (REL-10 to REL-16)."""
        self._apply(document)
        if document.fifo_states_on_reload:
            for instance in self._instances.values():
                instance.repeat_state()
        self._logger.info("configuration_applied", generation=document.generation, instances=len(self._instances))

    def breathe(self) -> None:
        """Between two steps of long work: adverts that are due go out."""
        self._world.beats.breathe()

    def _breathing(self, things: Iterable[_T]) -> Iterator[_T]:
        for one in things:
            self.breathe()
            yield one

    # ------------------------------------------------------------------------------------ configuration

    def _apply(self, document: VrrpDocument) -> None:
        if document.schema != SCHEMA:
            raise WireError(f"document of schema {document.schema}, this process reads {SCHEMA}")
        self._patience_ns = max(0, document.child_wait_ns - SPARE_NS)
        self._scripts.send(rules_of(document))
        self._notifier.configure(document)
        self._trackers.configure(document)
        self._startup.configure(document.startup_delay_ns, document.delay_after_boot_ns)
        self._monitor.set_receive_buffer(document.monitor_buffer)
        self._world.announcer.configure(document.announce_limits)
        instances = self._vmacs.name_all(document.instances, document.daemon)
        self._surroundings.configure(document.interface_delays, instances)
        wanted = {identity_of(config): config for config in instances}
        for identity in [identity for identity in self._instances if identity not in wanted]:
            self._shut_down(self._instances.pop(identity), deleted=True)
        changes = self._look_out(document.lookout)
        self._vmacs.want(instances)
        self._fit_vmacs(changes)
        self._firewall.configure(document.firewall)
        self._fit_firewall(instances)
        known = {identity: self._instances[identity] for identity in wanted if identity in self._instances}
        fresh = {
            identity: Instance(config, self._world) for identity, config in wanted.items() if identity not in known
        }
        # Losers before winners: an address that moves from one router to another is free when it is wanted.
        for identity in self._breathing(known):
            known[identity].reconfigure(wanted[identity])
        self._instances = {identity: known.get(identity) or fresh[identity] for identity in wanted}
        self._fit_upkeep(document)
        self._groups.configure(document.groups, self._instances.values())
        self._fit_ports()
        for identity in self._breathing(known):
            self._tell_surroundings(known[identity])
        self._start_fresh(list(fresh.values()))
        self._vmacs.sweep(changes, [instance.config for instance in self._parting])
        if changes:
            self._links_changed(changes)
        self._reporter.generation = document.generation
        self._roles.configure(document.sync_instance)
        self._reporter.changed()

    def _look_out(self, lookout: Lookout) -> Changes:
        """Before any port is opened: without reports the machine joins in silence."""
        self._settings.allow_igmp(lookout.local_igmp)
        self._ports.strangers.configure(lookout.unknown_vrids)
        return self._linkbeat.configure(lookout.link_polls)

    def _fit_upkeep(self, document: VrrpDocument) -> None:
        """Static items first, so that none of them is taken for left over."""
        self._upkeep.configure(document, is_successor=self._journal.is_successor)
        self._sweep()

    def _sweep(self) -> None:
        """Each address alone is worth a line: somebody may wonder who took it away."""
        configs = [instance.config for instance in self._instances.values()]
        for address in self._world.holdings.sweep(configs).done:
            self._logger.warning("leftover_address_removed", address=address.address, device=address.interface)

    def _start_fresh(self, fresh: list[Instance]) -> None:
        for instance in self._breathing(fresh):
            self._groups.foresee(instance, self._look(instance)[0])
        self._groups.begin()
        for instance in self._breathing(fresh):
            left = self._journal.left_behind(instance.config)
            if left is None and not self._startup.is_over:  # a successor does not wait a second time
                self._startup.hold(functools.partial(self._start_late, instance))
            else:
                self._on_begin(instance.identity)
                instance.start(*self._look(instance), left)

    def _start_late(self, instance: Instance) -> None:
        if self._instances.get(identity_of(instance.config)) is instance:
            instance.start(*self._look(instance), None)

    # ------------------------------------------------------------------------------------- surroundings

    def _look(self, instance: Instance) -> tuple[frozenset[FaultCause], str]:
        """(causes of fault, source address) as they are now; the weight of the trackers is told on the way."""
        seen = self._surroundings.look(instance.config, has_port=instance.port is not None)
        instance.adjust(seen.adjustment)
        return seen.faults, seen.source_address

    def _delay_over(self, names: frozenset[str]) -> None:
        for instance in self._instances.values():
            if not names.isdisjoint(interfaces_of(instance.config)):
                self._tell_surroundings(instance)

    def _tracked_changed(self, key: Key) -> None:
        for instance in self._instances.values():
            if any((tracker.kind, tracker.name) == key for tracker in instance.config.trackers):
                self._tell_surroundings(instance)

    def _tell_surroundings(self, instance: Instance) -> None:
        instance.surroundings(*self._look(instance))

    def _links_changed(self, changes: Changes) -> None:
        """Faults first: a router that lost its interface lets go of its addresses, and none of them was stolen."""
        if changes.links and self._vmacs.concerns(changes.links):
            self._fit_vmacs(changes)
            self._fit_firewall(instance.config for instance in self._instances.values())
        if changes.links:
            self._world.holdings.leases.forget_interfaces()
            self._fit_ports()
        # Our own virtual addresses come and go by the thousand: they change nobody's source.
        sources = {name for name, address in changes.addresses if address not in self._surroundings.virtual}
        touched = changes.links | sources
        if touched:
            for instance in self._instances.values():
                if not touched.isdisjoint(interfaces_of(instance.config)):
                    self._tell_surroundings(instance)
        if self._options.log_addresses:
            say_addresses(self._links, changes, self._logger)
        self._upkeep.changed(changes, self._surroundings.virtual)
        if changes.moved:
            self._sweep()
        for name in changes.macs | changes.carried:
            for instance in self._instances.values():
                if name in interfaces_of(instance.config):
                    instance.announce_again(name)

    def _fit_vmacs(self, changes: Changes) -> None:
        if not self._vmacs.fit(changes):
            self._try_again()

    def _fit_firewall(self, instances: Iterable[VrrpInstance]) -> None:
        """Before any address is installed. Who is leaving still answers for its own."""
        configs = [*instances, *(instance.config for instance in self._parting)]
        self._firewall.fit(configs, {link.name: link.index for link in self._links.by_index.values()})

    def _try_again(self) -> None:
        if not self._retrying:
            self._retrying = True
            self._runtime.loop.after(RETRY_NS, self._fit_again)

    def _fit_ports(self) -> None:
        # Who is wanted comes after who is leaving: of two on the same place it is the one that is served.
        if not self._ports.fit([*self._parting, *self._instances.values()]):
            self._try_again()
        self._world.beats.fit_ports()

    def _fit_again(self) -> None:
        self._retrying = False
        changes = Changes()
        self._fit_vmacs(changes)
        self._fit_ports()
        for instance in self._instances.values():
            self._tell_surroundings(instance)
        if changes:
            self._links_changed(changes)

    # ------------------------------------------------------------------------------------ end and status

    def _stop(self) -> None:
        """Told at once; the end comes when everybody has handed over, so that scripts run meanwhile."""
        self._stopping = True
        for instance in self._instances.values():
            self._shut_down(instance, keep_addresses=self._options.keep_vips_at_exit)
        self._groups.stop()
        self._notifier.close()
        self._reporter.changed()
        if not self._parting:
            self._end()

    def _shut_down(self, instance: Instance, *, keep_addresses: bool = False, deleted: bool = False) -> None:
        if not instance.shut_down(keep_addresses=keep_addresses, deleted=deleted, patience_ns=self._patience_ns):
            self._parting.add(instance)

    def _parted(self, instance: Instance) -> None:
        self._parting.discard(instance)
        if not self._stopping:
            self._fit_ports()
            changes = Changes()
            self._vmacs.sweep(changes, [one.config for one in self._parting])
            self._fit_firewall(one.config for one in self._instances.values())
            if changes:  # of others too; not now, for a router is in the middle of its turn
                self._runtime.loop.after(0, functools.partial(self._links_changed, changes))
        elif not self._parting:
            self._end()

    def _end(self) -> None:
        """Nobody holds an address any more, or all shall stay where they are."""
        self._upkeep.stop()
        self._linkbeat.close()
        self._settings.allow_igmp(True)
        if not self._options.keep_vips_at_exit:
            self._vmacs.remove_all()
            self._firewall.close()
            self._upkeep.forget()
        self._scripts.finish(self._runtime.finish)

    def _stand_by(self, order: StandbyOrdered) -> tuple[str, ...]:
        """What an operator wants of the instance of that name, or of all. Returns the names of those that obeyed."""
        until_ns = self._runtime.loop.now_ns() + order.for_ns if order.for_ns else FOREVER_NS
        meant = [instance for instance in self._instances.values() if order.name in ("all", instance.config.name)]
        for instance in meant:
            if order.standby:
                instance.stand_by(until_ns, self._patience_ns)
            else:
                instance.take_back()
        return tuple(instance.config.name for instance in meant)

    def _changed(self) -> None:
        self._reporter.changed()
        self._roles.changed()

    def _is_master(self, name: str) -> bool:
        states = (each.core.router_state for each in self._instances.values() if each.config.name == name)
        return RouterState.MASTER in states

    def _router_status(self) -> tuple[RouterStatus, ...]:
        return tuple(instance.status() for instance in self._instances.values())

    def _counters(self) -> dict[str, int]:
        return {
            **self._runtime.counters,
            **self._upkeep.counters(),
            "netlink_overruns": self._monitor.overruns,
            "netlink_refused": self._monitor.refused + self._route.refused,
            "leases_refused": self._world.holdings.leases.refused,
            "journal_lost": self._journal.lost,
            "log_lines_dropped": self._runtime.log.dropped,
        }


def _collect() -> None:
    gc.collect()

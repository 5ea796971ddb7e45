"""What a router does of itself: advertise on time, do its chores, put addresses back, change its state. Hears nothing.

The other half, what it concludes from events, is virtual_router.py. Theory and rules are told there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from pyhad.common.config.model import Path, Place, VirtualAddress, VirtualRule, VrrpInstance
from pyhad.vrrp_proc.core.effects import (
    AnnounceAddresses,
    ChangePriority,
    ChangeState,
    Effect,
    InstallAddresses,
    Reason,
    Remark,
    RemoveAddresses,
    SendAdvertisement,
)
from pyhad.vrrp_proc.core.events import AddressesLost, AddressesSettled, PathsInDoubt, PathsSettled
from pyhad.vrrp_proc.core.packet import PRIORITY_OWNER, PRIORITY_RELEASE
from pyhad.vrrp_proc.core.put_back import PutBack, Thing
from pyhad.vrrp_proc.core.remarks import Remarks
from pyhad.vrrp_proc.core.states import Active, Backup, Chore, Initialize, State, scheduled
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS, active_down_interval_ns, answer_gap_ns, skew_time_ns
from pyhad.vrrp_proc.core.view import RouterView

FAR_PAST_NS = 2**62
RETRY_NS = 5_000_000_000
"""What the kernel refused is tried again after this, besides whenever interfaces change."""


class RouterDuties(RouterView):
    """The acting half of `VirtualRouter`."""

    def __init__(self, config: VrrpInstance) -> None:
        super().__init__(config)
        self._remarks = Remarks()
        self._put_back = PutBack()
        self._answered_ns = -FAR_PAST_NS
        self._accused: frozenset[Path] = frozenset()
        """Paths that somebody removed, by the kernel's word."""

    # ---------------------------------------------------------------------------------------------- time

    def _advertise_in_time(self, state: Active, now_ns: int) -> list[Effect]:
        """FSM-31, on the grid. Who is far too late does not come here (thawing.py)."""
        due_ns = state.adver_at_ns
        if now_ns < due_ns:
            return []
        interval_ns = self._interval_ns()
        next_ns = due_ns + interval_ns
        self._state = Active(
            adver_at_ns=next_ns if next_ns > now_ns else now_ns + interval_ns,
            chores=state.chores,
            asserted_until_ns=state.asserted_until_ns,
            owner_conflict_until_ns=state.owner_conflict_until_ns,
        )
        return [self._advertise(self.effective_priority, now_ns)]

    def _do_chores(self, now_ns: int) -> list[Effect]:
        effects: list[Effect] = []
        while isinstance(self._state, Active) and self._state.chores and self._state.chores[0][0] <= now_ns:
            chore = self._state.chores[0][1]
            self._state = replace(self._state, chores=self._state.chores[1:])
            effects += self._do_chore(chore, now_ns)
        return effects

    def _do_chore(self, chore: Chore, now_ns: int) -> list[Effect]:
        announcement = self.config.announcement
        match chore:
            case Chore.ANNOUNCE_AGAIN:
                return self._announce(self.all_addresses, announcement.master_repeat)
            case Chore.ANNOUNCE_AFTER_LOWER:
                return self._announce(self.all_addresses, announcement.lower_prio_repeat)
            case Chore.ANNOUNCE_AFTER_RELEASE:
                return self._announce(self.all_addresses, min(1, announcement.master_repeat))
            case Chore.REFRESH:
                self._schedule(*self._refresh_chores(now_ns, Chore.REFRESH))
                return self._announce(self.all_addresses, announcement.refresh_repeat)
            case Chore.PUT_BACK:
                return self._mend(self._put_back.take_due(now_ns), now_ns)
            case Chore.ANNOUNCE_EXTRA:
                self._schedule(*self._refresh_chores(now_ns, Chore.ANNOUNCE_EXTRA))
                return self._announce(self._extra_addresses(), 1)
            case Chore.ANSWER_RELEASE:
                return self._answer_release(now_ns)
            case Chore.RETRY:
                addresses, paths = self.refused_addresses, self.refused_paths
                return [InstallAddresses(addresses=addresses, paths=paths)] if addresses or paths else []
            case _:
                assert_never(chore)

    def _schedule(self, *chores: tuple[int, Chore]) -> None:
        state = self._state
        if isinstance(state, Active):
            pending = state.chores
            for at_ns, chore in chores:
                pending = scheduled(pending, chore, at_ns)
            self._state = replace(state, chores=pending)

    def _refresh_chores(self, now_ns: int, only: Chore | None = None) -> tuple[tuple[int, Chore], ...]:
        """What is done again and again while Active (NET-23, NET-26)."""
        announcement = self.config.announcement
        periods = ((announcement.refresh_ns, Chore.REFRESH), (announcement.extra_ns, Chore.ANNOUNCE_EXTRA))
        return tuple((now_ns + each_ns, what) for each_ns, what in periods if each_ns and only in (None, what))

    def _extra_addresses(self) -> tuple[VirtualAddress, ...]:
        """One of each further interface: what carries VIPs must not be forgotten by its switch (NET-26)."""
        config = self.config
        own = {config.interface} if config.vmac is None else {config.interface, config.vmac.name}
        extra = {vmac.name for vmac in config.address_vmacs}
        first: dict[str, VirtualAddress] = {}
        for virtual in self.all_addresses:
            if virtual.interface in extra or (config.announcement.extra_all and virtual.interface not in own):
                first.setdefault(virtual.interface, virtual)
        return tuple(first.values())

    def _renew(self, interface: str) -> list[Effect]:
        """The interface is another to its neighbours than it was: they are told as after a transition."""
        if not isinstance(self._state, Active):
            return []
        there = tuple(virtual for virtual in self.all_addresses if virtual.interface == interface)
        missing = tuple(virtual for virtual in there if virtual.place in self._refused_addresses)
        install: list[Effect] = [InstallAddresses(addresses=missing)] if missing else []
        return install + self._announce(there, self.config.announcement.master_repeat)

    def _answer_release(self, now_ns: int) -> list[Effect]:
        """FSM-32: at once, or when it is long enough since the last answer (`answer_gap_ns`)."""
        due_ns = self._answered_ns + answer_gap_ns(self.config)
        if now_ns >= due_ns:
            self._answered_ns = now_ns
            return [self._advertise(self.effective_priority, now_ns)]
        self._schedule((due_ns, Chore.ANSWER_RELEASE))
        return []

    # ------------------------------------------------------------------------- addresses, routes and rules

    def _lose_addresses(self, event: AddressesLost, now_ns: int) -> list[Effect]:
        """FSM-37 asks to step down for it; putting them back is over sooner, and no client of the others notices."""
        if not isinstance(self._state, Active):
            return []
        gone = frozenset(event.addresses)
        lost = [virtual for virtual in self.all_addresses if virtual.place in gone]
        ours = {virtual.place for virtual in lost if virtual.tracked}
        if event.with_interface:
            self._refuse((virtual.place for virtual in lost if not virtual.tracked), now_ns)
        if not ours:
            return []
        if not self.config.put_back:
            return self._step_down_for_loss(min(address for _, address in ours), now_ns)
        return self._mend(self._put_back.lose(ours, now_ns), now_ns)

    def _refuse(self, places: Iterable[Place], now_ns: int) -> None:
        self._refused_addresses = self._refused_addresses.union(places)
        self._retry_later(now_ns)

    def _retry_later(self, now_ns: int) -> None:
        """What is refused anew does not keep what waits already from its turn."""
        state = self._state
        if not isinstance(state, Active) or any(chore is Chore.RETRY for _, chore in state.chores):
            return
        if self._refused or self._refused_addresses:
            self._schedule((now_ns + RETRY_NS, Chore.RETRY))

    def _settle_addresses(self, event: AddressesSettled, now_ns: int) -> list[Effect]:
        """What the kernel refused is tried again; only what it took was put back."""
        if not isinstance(self._state, Active):
            return []
        there = {*event.added, *event.present}
        late = tuple(virtual for virtual in self.refused_addresses if virtual.place in there)
        lost = [address for interface, address in event.added if (interface, address) not in self._refused_addresses]
        self._refused_addresses = self._refused_addresses.difference(there)
        self._refuse(event.refused, now_ns)
        effects = self._announce(late, self.config.announcement.master_repeat)
        if event.mending and lost:
            fields: dict[str, str | int] = {"count": len(lost), "first": lost[0]}
            effects.append(Remark(event="lost_addresses_put_back", fields=fields, warning=True))
        if late:
            fields = {"count": len(late), "first": late[0].address}
            effects.append(Remark(event="refused_addresses_installed", fields=fields))
        return effects

    def _doubt(self, event: PathsInDoubt, now_ns: int) -> list[Effect]:
        """Adding them again tells whether they are there (see `vrrp_proc/kernel/paths.py`)."""
        if not isinstance(self._state, Active):
            return []
        doubtful = [path for path in self.paths if path in event.paths and _is_kept(path)]
        if event.removed:
            self._accused |= frozenset(doubtful)
        return self._mend(self._put_back.lose(doubtful, now_ns), now_ns)

    def _settle(self, event: PathsSettled | AddressesSettled, now_ns: int) -> list[Effect]:
        """After an installation."""
        if isinstance(event, PathsSettled):
            return self._settle_paths(event, now_ns)
        return self._settle_addresses(event, now_ns)

    def _settle_paths(self, event: PathsSettled, now_ns: int) -> list[Effect]:
        """What was added though it should have been there was lost; what was refused is tried again."""
        if not isinstance(self._state, Active):
            return []
        accused, self._accused = self._accused, self._accused.difference(event.added, event.present)
        late = [path for path in event.added if path in self._refused]
        lost = [path for path in event.added if path not in self._refused] if event.mending else []
        self._refused = self._refused.difference(event.added, event.present).union(event.refused)
        self._retry_later(now_ns)
        if not self.config.put_back and accused.intersection(lost):
            return self._step_down_for_loss(lost[0].text, now_ns)
        effects: list[Effect] = []
        for name, paths in (("lost_paths_put_back", lost), ("refused_paths_installed", late)):
            if paths:
                fields: dict[str, str | int] = {"count": len(paths), "first": paths[0].text}
                effects.append(Remark(event=name, fields=fields, warning=paths is lost))
        return effects

    def _mend(self, due: set[Thing], now_ns: int) -> list[Effect]:
        """The kernel takes the routes by way of an address along with it: all are looked after with one."""
        again_ns = self._put_back.due_ns(now_ns)
        if again_ns is not None:
            self._schedule((again_ns, Chore.PUT_BACK))
        lost = tuple(virtual for virtual in self.all_addresses if virtual.place in due)
        paths = tuple(path for path in self.paths if path in due or (lost and _is_kept(path)))
        if not lost:
            return [InstallAddresses(addresses=(), paths=paths, mending=True)] if paths else []
        return [InstallAddresses(addresses=lost, paths=paths, mending=True), *self._announce(lost, 1)]

    def _step_down_for_loss(self, what: str, now_ns: int) -> list[Effect]:
        """FSM-37: priority 0, and the shortest wait until it may be Active again."""
        skew_ns = skew_time_ns(self.config.version, self.effective_priority, self.config.advertisement_interval_cs)
        interval_cs = self.config.advertisement_interval_cs
        backup = Backup(active_down_at_ns=now_ns + skew_ns, active_adver_interval_cs=interval_cs, released=True)
        return [*self._release(now_ns), self._enter(backup, Reason.LOST, now_ns, what)]

    # --------------------------------------------------------------------------------------- transitions

    def _become_active(self, reason: Reason, now_ns: int) -> list[Effect]:
        """6.4.2 and FSM-30: the advertisement before all else."""
        announcement = self.config.announcement
        advert = self._advertise(self.effective_priority, now_ns)
        changed = self._enter(Active(adver_at_ns=now_ns + self._interval_ns()), reason, now_ns)
        self._schedule(*self._refresh_chores(now_ns))
        if announcement.master_delay_ns:
            self._schedule((now_ns + announcement.master_delay_ns, Chore.ANNOUNCE_AGAIN))
        announce = self._announce(self.all_addresses, announcement.master_repeat)
        return [advert, self._install_all(), *announce, changed]

    def _install_all(self) -> Effect:
        return InstallAddresses(addresses=self.all_addresses, paths=self.paths)

    def _remove_all(self) -> Effect:
        return RemoveAddresses(addresses=self.all_addresses, paths=self.paths)

    def _release(self, now_ns: int) -> list[Effect]:
        """What leaving Active of our own will takes; nothing in another state."""
        if not isinstance(self._state, Active):
            return []
        return [self._advertise(PRIORITY_RELEASE, now_ns), self._remove_all()]

    def _enter(self, state: State, reason: Reason, now_ns: int, detail: str = "") -> ChangeState:
        old, was_active = self.router_state, isinstance(self._state, Active)
        self._state, self._since_ns, self._reason = state, now_ns, reason
        self._said_alone = False
        self._remarks.forget()
        self._put_back.forget()
        self._refused = self._accused = frozenset()
        self._refused_addresses = frozenset()
        self.counters.become_master += isinstance(state, Active)
        self.counters.release_master += was_active
        priority = self.effective_priority
        return ChangeState(old=old, new=self.router_state, reason=reason, priority=priority, detail=detail)

    def _advertise(self, priority: int, now_ns: int) -> Effect:
        self.counters.advert_sent += 1
        if priority == PRIORITY_RELEASE:
            self.counters.pri_zero_sent += 1
        else:
            self._last_sent_ns = now_ns
        return SendAdvertisement(priority=priority)

    def _announce(self, addresses: tuple[VirtualAddress, ...], repeat: int) -> list[Effect]:
        return [AnnounceAddresses(addresses=addresses, repeat=repeat)] if addresses and repeat else []

    # ------------------------------------------------------------------------------------------ priority

    def _change_priority(self, adjustment: int, now_ns: int) -> list[Effect]:
        """TRK-2 and TRK-3: the next advertisement carries it; a Backup waits by its new skew from now on."""
        old, old_wait_ns = self.effective_priority, self._wait_ns()
        self._adjustment = adjustment
        new, state = self.effective_priority, self._state
        if new == old or (isinstance(state, Initialize) and not state.started):
            return []
        if isinstance(state, Backup):
            at_ns = max(state.active_down_at_ns + self._wait_ns() - old_wait_ns, now_ns)
            self._state = replace(state, active_down_at_ns=at_ns)
        return [ChangePriority(old=old, new=new)]

    # ------------------------------------------------------------------------------------------- numbers

    def _interval_ns(self) -> int:
        return self.config.advertisement_interval_cs * CENTISECOND_NS

    def _down_interval_ns(self, interval_cs: int) -> int:
        config = self.config
        return active_down_interval_ns(config.version, self.effective_priority, interval_cs, config.down_timer_adverts)

    def _wait_ns(self) -> int:
        """The whole Active down interval of the present state's master."""
        state = self._state
        return self._down_interval_ns(state.active_adver_interval_cs) if isinstance(state, Backup) else 0

    def _is_owner(self) -> bool:
        return self.config.start_as_master and self.config.base_priority == PRIORITY_OWNER


def _is_kept(path: Path) -> bool:
    """Whether it is put back: not what nobody tracks, nor what is meant to expire."""
    return path.tracked and (isinstance(path, VirtualRule) or path.expires_s is None)

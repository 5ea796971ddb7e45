"""The virtual router of RFC 9568 6.4 as a pure machine. It touches nothing and reads no clock.

Theory. One router is in one of three states, `Initialize`, `Backup` or `Active`, and every state holds the moments
at which something is due in it. `handle(event, now_ns)` moves the machine and says what is to be done, as a list whose
order is part of the contract: the shell performs it from first to last, and lets nothing come between. The shell
calls `handle(TimePassed(), now)` when `next_deadline_ns()` is reached; early calls do nothing, late ones catch up.

    Initialize --Startup--> Backup --nobody heard for the Active down interval--> Active
         ^ '-----Startup of an address owner, or of the successor of an Active----->|
         '------- faults, shutdown ------- either       Backup <--better heard------'

Rules that hold whatever happens, and that tests/sim checks after each step:
1. Only an Active router has its addresses installed. Every way into Active installs them, every way out removes them
   once, and a router that starts in any other state removes what a predecessor may have left (FSM-14).
2. Becoming Active, the advertisement goes first, for it is what keeps a second router from doing the same; then the
   addresses; then the announcements, for a neighbour may answer them at once (FSM-30).
3. Leaving Active of our own will (fault, shutdown), priority 0 goes first (FSM-41). Giving way to a better one, not.
4. Advertisements keep to a grid: the next is due one interval after the last was due, not after it was sent. Who is
   late by more than an interval starts a new grid from now, and does not send what was missed.

The words inside are the RFC's; `RouterState`, for people, has Keepalived's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pyhad.common.config.model import Path, VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.differences import differences
from pyhad.vrrp_proc.core.effects import (
    Effect,
    InstallAddresses,
    Reason,
    Remark,
    RemoveAddresses,
)
from pyhad.vrrp_proc.core.election import Standing, standing
from pyhad.vrrp_proc.core.events import (
    AddressesLost,
    AddressesSettled,
    AdvertisementReceived,
    ConfigurationChanged,
    Event,
    FaultCause,
    FaultsChanged,
    InterfaceRenewed,
    LowerHeardTogether,
    PathsInDoubt,
    PathsSettled,
    PriorityChanged,
    ShutdownWanted,
    SourceAddressChanged,
    StandbyWanted,
    Startup,
    StepDownTogether,
    TakebackWanted,
    TakeOverTogether,
    TimePassed,
)
from pyhad.vrrp_proc.core.pace import RouterPace
from pyhad.vrrp_proc.core.packet import PRIORITY_OWNER, PRIORITY_RELEASE
from pyhad.vrrp_proc.core.parting import ANNOUNCE_AFTER_RELEASE_NS, LEAST_PRIORITY
from pyhad.vrrp_proc.core.restart import may_resume_active, resumed_backup
from pyhad.vrrp_proc.core.states import Active, Backup, Chore, Initialize, scheduled
from pyhad.vrrp_proc.core.timers import (
    CENTISECOND_NS,
    interval_in_use_cs,
    patience_of_peers_ns,
    skew_time_ns,
)


class VirtualRouter(RouterPace):
    """One `vrrp_instance`. `config` is taken as checked; a new one comes in by ConfigurationChanged."""

    # ------------------------------------------------------------------------------------- what happens

    def handle(self, event: Event, now_ns: int) -> list[Effect]:
        """Move on by one fact; what is to be done about it, in order. Never raises, in whatever order facts come."""
        self.keep_up()
        thawed = self._thaw(now_ns)
        return thawed + self._take(event, now_ns) if thawed else self._take(event, now_ns)

    def hear_again(self, event: AdvertisementReceived, times: int, last_ns: int) -> list[Effect]:
        """`event` was heard that many times more, as `repeats_for_ns` allows, the last time at `last_ns`."""
        self.counters.advert_rcvd += times - 1
        return self.handle(event, last_ns)

    def _take(self, event: Event, now_ns: int) -> list[Effect]:
        match event:
            case AdvertisementReceived():
                return self._hear(event, now_ns)
            case TimePassed():
                return self._catch_up(now_ns)
            case AddressesLost():
                return self._lose_addresses(event, now_ns)
            case FaultsChanged():
                return self._change_faults(event.faults, now_ns)
            case PathsInDoubt():
                return self._doubt(event, now_ns)
            case PathsSettled() | AddressesSettled():
                return self._settle(event, now_ns)
            case PriorityChanged():
                return self._change_priority(event.adjustment, now_ns)
            case TakeOverTogether():
                return self._take_over_together(now_ns)
            case StepDownTogether():
                return self._step_down_together(now_ns)
            case LowerHeardTogether():
                return self._announce_together(now_ns)
            case InterfaceRenewed():
                return self._renew(event.interface)
            case SourceAddressChanged():
                self.source_address = event.source_address
                return []
            case ConfigurationChanged():
                return self._change_configuration(event.config, now_ns)
            case Startup():
                return self._start(event, now_ns)
            case ShutdownWanted():
                return self._stop(event, now_ns)
            case StandbyWanted():
                return self._stand_by(event, now_ns)
            case TakebackWanted():
                return self._take_back(now_ns)
            case _:
                assert_never(event)

    # ------------------------------------------------------------------------------------ begin and end

    def _start(self, event: Startup, now_ns: int) -> list[Effect]:
        """6.4.1. A successor goes on where its predecessor stopped, if it still may (see restart.py)."""
        if not isinstance(self._state, Initialize) or self._state.started:
            return []
        cut = self._cut_parting()
        return cut + self._begin(event, now_ns)

    def _begin(self, event: Startup, now_ns: int) -> list[Effect]:
        self.source_address = event.source_address
        held = event.found_addresses or event.restored_active
        self._standby_until_ns = event.restored_standby_until_ns
        self._last_sent_ns = event.last_sent_ns
        self._owner_gave_in = False
        if event.faults:
            release = [self._advertise(PRIORITY_RELEASE, now_ns)] if event.restored_active else []
            return [*release, self._remove_all(), self._fail(event.faults, now_ns)]
        if may_resume_active(self.config, event, now_ns) and not self.is_held_back(now_ns):
            return self._resume_active(event.restored_since_ns or now_ns, now_ns)
        if self._is_owner() and not self.is_held_back(now_ns):
            return self._become_active(Reason.ADDRESS_OWNER, now_ns)
        if event.restored_down_at_ns and not event.restored_active:
            backup = resumed_backup(self.config, self.effective_priority, event, now_ns)
            since_ns = event.restored_since_ns or now_ns
            changed = self._enter(backup, Reason.RESUMED_AFTER_RESTART, since_ns, event.restored_backup_of)
            last_word = self._last_word(LEAST_PRIORITY, now_ns) if held else []
            return [self._remove_all(), *last_word, changed]
        listening = self._listen(Reason.STARTUP, now_ns, late=event.restored_active)
        last_word = self._last_word(LEAST_PRIORITY, now_ns) if held else []
        return [listening[0], *last_word, *listening[1:]]

    def _resume_active(self, since_ns: int, now_ns: int) -> list[Effect]:
        """Nobody noticed that we were gone: say at once that we are here, and mend what may be half done.

        One round of announcements only: the predecessor may have died between an address and its announcement.
        """
        advert = self._advertise(self.effective_priority, now_ns)
        active = Active(adver_at_ns=now_ns + self._interval_ns(), chores=tuple(sorted(self._refresh_chores(now_ns))))
        changed = self._enter(active, Reason.RESUMED_AFTER_RESTART, since_ns)
        announce = self._announce(self.all_addresses, min(1, self.config.announcement.master_repeat))
        return [advert, self._install_all(), *announce, changed]

    def _listen(self, reason: Reason, now_ns: int, *, late: bool = False) -> list[Effect]:
        """From Initialize into Backup: remove what may have been left (FSM-14), wait the whole interval (FSM-11)."""
        interval_cs = self.config.advertisement_interval_cs
        at_ns = now_ns + self._down_interval_ns(interval_cs)
        backup = Backup(active_down_at_ns=at_ns, active_adver_interval_cs=interval_cs, late=late)
        entered = self._enter(backup, reason, now_ns, "too_late_to_resume" if late else "")
        return [self._remove_all(), entered]

    def _stop(self, event: ShutdownWanted, now_ns: int) -> list[Effect]:
        """Orderly end (6.4.3, PROC-30): priority 0, then the removal, as late as `patience_ns` allows (parting.py)."""
        if isinstance(self._state, Initialize) and not self._state.started:
            return []
        if event.keep_addresses:
            self._forget_parting()
        leaving = [] if event.keep_addresses else self._part(event.patience_ns, now_ns)
        return [*leaving, self._enter(Initialize(), Reason.SHUTDOWN, now_ns)]

    def _change_faults(self, faults: frozenset[FaultCause], now_ns: int) -> list[Effect]:
        """FSM-40 to FSM-42. The owner waits for nobody, but people and scripts see it pass through BACKUP."""
        state = self._state
        if not isinstance(state, Initialize):
            return [*self._cut_parting(), *self._release(now_ns), self._fail(faults, now_ns)] if faults else []
        if not state.started or faults == state.faults:
            return []
        if faults:
            self._state = Initialize(started=True, faults=faults)
            return [Remark(event="faults_changed", fields={"faults": _words(faults)})]
        self._owner_gave_in = False
        listening = self._listen(Reason.FAULT_CLEARED, now_ns)
        claims = self._is_owner() and not self.is_held_back(now_ns)
        return listening + self._become_active(Reason.ADDRESS_OWNER, now_ns) if claims else listening

    def _fail(self, faults: frozenset[FaultCause], now_ns: int) -> Effect:
        return self._enter(Initialize(started=True, faults=faults), Reason.FAULT, now_ns, _words(faults))

    # ------------------------------------------------------------------------------------------- hearing

    def _hear(self, event: AdvertisementReceived, now_ns: int) -> list[Effect]:
        state = self._state
        self._note_successor(event, now_ns)
        if isinstance(state, Initialize):
            return []  # PKT-21
        self.counters.advert_rcvd += 1
        if event.priority == PRIORITY_RELEASE:
            self.counters.pri_zero_rcvd += 1
        if isinstance(state, Backup):
            return self._hear_as_backup(state, event, now_ns)
        return self._hear_as_active(state, event, now_ns)

    def _hear_as_backup(self, state: Backup, event: AdvertisementReceived, now_ns: int) -> list[Effect]:
        """6.4.2, FSM-21 to FSM-26."""
        own = self.effective_priority
        interval_cs = state.active_adver_interval_cs
        if event.priority == PRIORITY_RELEASE:
            at_ns = now_ns + skew_time_ns(self.config.version, own, interval_cs)
            self._state = Backup(active_down_at_ns=at_ns, active_adver_interval_cs=interval_cs, released=True)
            return []
        effects = self._remarks.on_differences(event, self.config)
        at_ns, preempt_after_ns = state.active_down_at_ns, None
        if event.priority < own:
            self._owner_gave_in = False
            preempt_after_ns = state.preempt_after_ns
            if preempt_after_ns is None:  # the delay runs from the first one on (FSM-25)
                preempt_after_ns = now_ns + self.config.preempt_delay_ns
        self._said_alone = False
        may_preempt = self.config.preempt_mode and not self.is_held_back(now_ns)
        if preempt_after_ns is None or preempt_after_ns > now_ns or not may_preempt:
            interval_cs = interval_in_use_cs(self.config, event.interval_cs)
            at_ns = now_ns + self._down_interval_ns(interval_cs)
        else:
            effects += self._remarks.once(
                "lower_priority_discarded", event, warning=False, priority=event.priority, ours=own
            )
        self._state = Backup(
            active_down_at_ns=at_ns,
            active_adver_interval_cs=interval_cs,
            master_address=event.source,
            master_priority=event.priority,
            preempt_after_ns=preempt_after_ns,
        )
        return effects

    def _hear_as_active(self, state: Active, event: AdvertisementReceived, now_ns: int) -> list[Effect]:
        """6.4.3, FSM-32 to FSM-36."""
        own = self.effective_priority
        rank = standing(priority=event.priority, source=event.source, own_priority=own, own_source=self.source_address)
        if rank is Standing.LEAVES:
            return [*self._answer_release(now_ns), *self._announce_to_orphans(now_ns)]
        effects = self._remarks.on_differences(event, self.config)
        match rank:
            case Standing.HIGHER:
                return effects + self._give_way(event, Reason.HIGHER_PRIORITY_HEARD, now_ns)
            case Standing.TIE_LOST:
                return effects + self._give_way(event, Reason.TIE_LOST, now_ns)
            case Standing.TIE_WON if own == PRIORITY_OWNER:
                return effects + self._dispute_ownership(state, event, now_ns)
            case Standing.TIE_WON:
                return effects + self._assert_ourselves(state, event, now_ns)
            case Standing.LOWER:
                self._owner_gave_in = False
                return effects + self._assert_ourselves(state, event, now_ns)
            case Standing.SAME_ADDRESS:
                return effects + self._remarks.once("own_address_heard", event, warning=True)
            case _:
                assert_never(rank)

    def _give_way(self, event: AdvertisementReceived, reason: Reason, now_ns: int) -> list[Effect]:
        """FSM-33, FSM-38: without priority 0, for the better one is there already; it may not have installed yet.

        One last advertisement tells a better one that was Active all the time (a partition healed) that somebody else
        answered for its addresses: it announces them again, or neighbours would go on asking us.
        """
        last = self._last_word(self.effective_priority, now_ns)
        interval_cs = interval_in_use_cs(self.config, event.interval_cs)
        backup = Backup(
            active_down_at_ns=now_ns + self._down_interval_ns(interval_cs),
            active_adver_interval_cs=interval_cs,
            master_address=event.source,
            master_priority=event.priority,
        )
        self._part_for(event.source, now_ns)
        return [*last, self._enter(backup, reason, now_ns, event.source)]

    def _assert_ourselves(self, state: Active, event: AdvertisementReceived, now_ns: int) -> list[Effect]:
        """FSM-34: somebody lesser takes itself for the master. Answered at most twice per interval of ours."""
        if now_ns < state.asserted_until_ns:
            return []
        announcement, own = self.config.announcement, self.effective_priority
        chores = scheduled(state.chores, Chore.ANNOUNCE_AFTER_RELEASE, now_ns + ANNOUNCE_AFTER_RELEASE_NS)
        if announcement.lower_prio_delay_ns:
            chores = scheduled(chores, Chore.ANNOUNCE_AFTER_LOWER, now_ns + announcement.lower_prio_delay_ns)
        self._state = Active(
            adver_at_ns=state.adver_at_ns,
            chores=chores,
            asserted_until_ns=now_ns + self._interval_ns() // 2,
            owner_conflict_until_ns=state.owner_conflict_until_ns,
        )
        advert = [] if self.config.lower_prio_no_advert else [self._advertise(own, now_ns)]
        fields: dict[str, str | int] = {"source": event.source, "priority": event.priority, "ours": own}
        remark = Remark(event="lower_priority_heard", fields=fields, warning=True)
        return [*advert, *self._announce(self.all_addresses, announcement.lower_prio_repeat), remark]

    def _dispute_ownership(self, state: Active, event: AdvertisementReceived, now_ns: int) -> list[Effect]:
        """FSM-36: two owners are a mistake of configuration. The greater address insists for a while, then gives in.

        A dispute older than an owner can be silent is over, and the next begins anew.
        """
        until_ns = state.owner_conflict_until_ns
        if until_ns is None or now_ns >= until_ns + patience_of_peers_ns(self.config):
            longer_cs = max(self.config.advertisement_interval_cs, event.interval_cs)
            until_ns = now_ns + 2 * self._interval_ns() + 12 * longer_cs * CENTISECOND_NS // 10
        elif now_ns >= until_ns:
            self._owner_gave_in = True
            return self._give_way(event, Reason.HIGHER_PRIORITY_HEARD, now_ns)
        disputed = Active(
            adver_at_ns=state.adver_at_ns,
            chores=state.chores,
            asserted_until_ns=state.asserted_until_ns,
            owner_conflict_until_ns=until_ns,
        )
        self._state = disputed
        remark = self._remarks.once("two_address_owners", event, warning=True)
        return remark + self._assert_ourselves(disputed, event, now_ns)

    # ---------------------------------------------------------------------------------------------- time

    def _catch_up(self, now_ns: int) -> list[Effect]:
        state = self._state
        match state:
            case Active():
                effects = self._advertise_in_time(state, now_ns)
                return effects + self._do_chores(now_ns) if state.chores else effects
            case Backup():
                if now_ns < state.active_down_at_ns:
                    return self._part_in_time(now_ns)
                return self._expire(state, now_ns)
            case Initialize():
                return self._part_in_time(now_ns)
            case _:
                assert_never(state)

    # ------------------------------------------------------------------------------------------- reload

    def _change_configuration(self, config: VrrpInstance, now_ns: int) -> list[Effect]:
        """REL-10 to REL-16: the new settings hold at once, and of the addresses only the difference is touched."""
        old, old_addresses, old_paths, old_wait_ns = self.config, self.all_addresses, self.paths, self._wait_ns()
        self.config = config
        if config.base_priority != old.base_priority:
            self._owner_gave_in = False
        match self._state:
            case Active() as active:
                return self._change_as_active(active, old, (old_addresses, old_paths), now_ns)
            case Backup() as backup:
                interval_cs = interval_in_use_cs(
                    config, backup.active_adver_interval_cs if backup.master_address else 0
                )
                self._state = replace(backup, active_adver_interval_cs=interval_cs)
                at_ns = backup.active_down_at_ns + self._wait_ns() - old_wait_ns
                self._state = replace(backup, active_adver_interval_cs=interval_cs, active_down_at_ns=at_ns)
        return self._part_from(self.all_addresses, self.paths)

    def _change_as_active(
        self, active: Active, old: VrrpInstance, held: tuple[tuple[VirtualAddress, ...], tuple[Path, ...]], now_ns: int
    ) -> list[Effect]:
        """The advertisement goes first so that no peer runs out of patience (REL-10), with the new settings."""
        effects: list[Effect] = [self._advertise(self.effective_priority, now_ns)]
        active = self._state = replace(active, adver_at_ns=now_ns + self._interval_ns())
        for chore, period in ((Chore.REFRESH, "refresh_ns"), (Chore.ANNOUNCE_EXTRA, "extra_ns")):
            if getattr(self.config.announcement, period) != getattr(old.announcement, period):
                kept = tuple(pending for pending in active.chores if pending[1] is not chore)
                for at_ns, what in self._refresh_chores(now_ns, chore):
                    kept = scheduled(kept, what, at_ns)
                active = self._state = replace(active, chores=kept)
        gone, added = differences(held[0], self.all_addresses)
        paths_gone, paths_added = differences(held[1], self.paths)
        if gone or paths_gone:
            effects.append(RemoveAddresses(addresses=gone, paths=paths_gone))
        if added or paths_added:
            effects.append(InstallAddresses(addresses=added, paths=paths_added))
        return effects + self._announce(added, self.config.announcement.master_repeat)


def _words(faults: frozenset[FaultCause]) -> str:
    return " ".join(sorted(faults))

"""What a virtual router does because its sync group says so (GRP-1, GRP-2, GRP-8). Knows no other member."""

from __future__ import annotations

from dataclasses import replace

from pyhad.vrrp_proc.core.effects import Effect, Reason
from pyhad.vrrp_proc.core.standby import RouterStandby
from pyhad.vrrp_proc.core.states import Active, Backup, Chore
from pyhad.vrrp_proc.core.timers import slowest_successor_ns


class RouterTogether(RouterStandby):
    """The part of `VirtualRouter` that takes over, alone or with others, and follows them."""

    def _expire(self, state: Backup, now_ns: int) -> list[Effect]:
        """Its time is up. Alone it takes over; in a group it says so and waits for as long again (GRP-2)."""
        if self.is_held_back(now_ns):
            return [*self._part_in_time(now_ns), *self._keep_out(state, now_ns)]
        if self._was_deaf(state, now_ns):
            return [*self._part_in_time(now_ns), *self._listen_anew(state, now_ns)]
        if not self.config.sync_group:
            return self._take_over(state, Reason.ACTIVE_DOWN_TIMER, now_ns)
        again_ns = now_ns + self._down_interval_ns(state.active_adver_interval_cs)
        self._state = replace(state, expired=True, active_down_at_ns=again_ns)
        return self._part_in_time(now_ns)

    def _take_over(self, state: Backup, reason: Reason, now_ns: int) -> list[Effect]:
        """FSM-20, FSM-21. What is still held for a successor is held for ourselves from now on."""
        self._forget_parting()
        effects = self._become_active(reason, now_ns)
        if state.released:
            self._announce_after_release(now_ns)
        return effects

    def _take_over_together(self, now_ns: int) -> list[Effect]:
        state = self._state
        if not isinstance(state, Backup) or self.is_held_back(now_ns):
            return []
        return self._take_over(state, Reason.SYNC_GROUP, now_ns)

    def _step_down_together(self, now_ns: int) -> list[Effect]:
        """By make before break: priority 0 calls the others' group at once, which may still wait for our silence."""
        if not isinstance(self._state, Active):
            return []
        leaving = self._part(slowest_successor_ns(self.config), now_ns)
        interval_cs = self.config.advertisement_interval_cs
        backup = Backup(
            active_down_at_ns=now_ns + self._down_interval_ns(interval_cs), active_adver_interval_cs=interval_cs
        )
        return [*leaving, self._enter(backup, Reason.SYNC_GROUP, now_ns)]

    def _announce_together(self, now_ns: int) -> list[Effect]:
        """GRP-8: another member heard a lesser router, whose switches may have learned the wrong way here too."""
        announcement = self.config.announcement
        if not isinstance(self._state, Active):
            return []
        if announcement.lower_prio_delay_ns:
            self._schedule((now_ns + announcement.lower_prio_delay_ns, Chore.ANNOUNCE_AFTER_LOWER))
        return self._announce(self.all_addresses, announcement.lower_prio_repeat)

"""What a virtual router does because its sync group says so (GRP-1, GRP-2, GRP-8). Knows no other member."""

from __future__ import annotations

from dataclasses import replace

from pyhad.vrrp_proc.core.duties import RouterDuties
from pyhad.vrrp_proc.core.effects import Effect, Reason, RemoveAddresses
from pyhad.vrrp_proc.core.states import Active, Backup, Chore


class RouterTogether(RouterDuties):
    """The part of `VirtualRouter` that follows others."""

    def _expire(self, state: Backup, now_ns: int) -> list[Effect]:
        """Its time is up. Alone it takes over; in a group it says so and waits for as long again (GRP-2)."""
        if not self.config.sync_group:
            return self._become_active(Reason.ACTIVE_DOWN_TIMER, now_ns)
        again_ns = now_ns + self._down_interval_ns(state.active_adver_interval_cs)
        self._state = replace(state, expired=True, active_down_at_ns=again_ns)
        return []

    def _take_over_together(self, now_ns: int) -> list[Effect]:
        if not isinstance(self._state, Backup):
            return []
        return self._become_active(Reason.SYNC_GROUP, now_ns)

    def _step_down_together(self, now_ns: int) -> list[Effect]:
        """Without priority 0: the others' group is about to be Active, or is."""
        if not isinstance(self._state, Active):
            return []
        interval_cs = self.config.advertisement_interval_cs
        backup = Backup(
            active_down_at_ns=now_ns + self._down_interval_ns(interval_cs), active_adver_interval_cs=interval_cs
        )
        return [RemoveAddresses(addresses=self.all_addresses), self._enter(backup, Reason.SYNC_GROUP, now_ns)]

    def _announce_together(self, now_ns: int) -> list[Effect]:
        """GRP-8: another member heard a lesser router, whose switches may have learned the wrong way here too."""
        announcement = self.config.announcement
        if not isinstance(self._state, Active):
            return []
        if announcement.lower_prio_delay_ns:
            self._schedule((now_ns + announcement.lower_prio_delay_ns, Chore.ANNOUNCE_AFTER_LOWER))
        return self._announce(self.all_addresses, announcement.lower_prio_repeat)

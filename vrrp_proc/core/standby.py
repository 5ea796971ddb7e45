"""An operator's standby: the router gives mastership up and does not take it, until told otherwise. Pure.

It gives up by make before break (parting.py), listens as Backup, and follows whoever is master, lower priority or not.
It keeps out even when no master is heard: the operator said so, and may be working on the very machine. That nobody
answers for the addresses then is said loudly, in the log and in the status, and not decided here.
"""

from __future__ import annotations

from dataclasses import replace

from pyhad.vrrp_proc.core.effects import Effect, Reason, Remark
from pyhad.vrrp_proc.core.events import StandbyWanted
from pyhad.vrrp_proc.core.states import Active, Backup
from pyhad.vrrp_proc.core.thawing import RouterThawing


class RouterStandby(RouterThawing):
    """The part of `VirtualRouter` that obeys an operator."""

    def _stand_by(self, event: StandbyWanted, now_ns: int) -> list[Effect]:
        self._standby_until_ns = event.until_ns
        self._wait_for_the_end(now_ns)
        if not isinstance(self._state, Active) or not self.is_held_back(now_ns):
            return []
        interval_cs = self.config.advertisement_interval_cs
        leaving = self._part(event.patience_ns, now_ns)
        backup = Backup(
            active_down_at_ns=now_ns + self._down_interval_ns(interval_cs), active_adver_interval_cs=interval_cs
        )
        return [*leaving, self._enter(backup, Reason.STANDBY, now_ns)]

    def _take_back(self, now_ns: int) -> list[Effect]:
        self._standby_until_ns = 0
        self._wait_for_the_end(now_ns)
        return []

    def _wait_for_the_end(self, now_ns: int) -> None:
        """Who waited in vain for a master already, and may take over soon, does not wait for a whole interval again.

        It listens for as long as every living master is heard in, for it may have been deaf meanwhile.
        """
        state = self._state
        if isinstance(state, Backup) and self._said_alone:
            soonest_ns = max(self._standby_until_ns, now_ns + self._listening_ns(state.active_adver_interval_cs))
            self._state = replace(state, active_down_at_ns=min(state.active_down_at_ns, soonest_ns))

    def _keep_out(self, state: Backup, now_ns: int) -> list[Effect]:
        """Nobody is heard, and it would be for us to take over."""
        wait_ns = self._down_interval_ns(state.active_adver_interval_cs)
        self._state = replace(
            state,
            active_down_at_ns=min(now_ns + wait_ns, self._standby_until_ns),
            master_address="",
            master_priority=0,
            released=False,
            expired=False,
        )
        if self._said_alone:
            return []
        self._said_alone = True
        fields: dict[str, str | int] = {"addresses": len(self.all_addresses)}
        return [Remark(event="standby_without_master", fields=fields, warning=True)]

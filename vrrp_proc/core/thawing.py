"""After a freeze (a migration of the machine, SIGSTOP of everything, a suspend): listen before speaking. Pure.

Whoever has not advertised for as long as its quickest peer waits has a successor by now, or may have. It must not go on
as if nothing had been: it lets go of the addresses at once, says the last word (its kernel answered for them all the
time), and listens for an interval and its skew, in which every living master is heard. The same bound decides whether
a process may go on for a dead one (restart.py).

A Backup that comes to its deadline late by more than an interval has not listened in the end of that time; the master
may have spoken. It, too, listens first. What waits in the socket is read before any deadline, so a Backup that
was merely stopped, and whose kernel went on receiving, hears its master there.
"""

from __future__ import annotations

from dataclasses import replace

from pyhad.vrrp_proc.core.effects import Effect, Reason, Remark
from pyhad.vrrp_proc.core.parting import LEAST_PRIORITY, RouterParting
from pyhad.vrrp_proc.core.states import Active, Backup
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS, patience_of_peers_ns, skew_time_ns


class RouterThawing(RouterParting):
    """The part of `VirtualRouter` that notices a gap in its own life."""

    def _thaw(self, now_ns: int) -> list[Effect]:
        """Before any event: the effects of having been frozen as Active; nothing when we were not."""
        if not isinstance(self._state, Active) or now_ns - self._last_sent_ns < patience_of_peers_ns(self.config):
            return []
        silent_ms = (now_ns - self._last_sent_ns) // 1_000_000
        interval_cs = self.config.advertisement_interval_cs
        backup = Backup(
            active_down_at_ns=now_ns + self._listening_ns(interval_cs), active_adver_interval_cs=interval_cs, late=True
        )
        removal = self._remove_all()
        entered = self._enter(backup, Reason.FROZEN, now_ns, f"silent for {silent_ms} ms")
        return [removal, *self._last_word(LEAST_PRIORITY, now_ns), entered]

    def _was_deaf(self, state: Backup, now_ns: int) -> bool:
        """The deadline was reached so late that adverts may have come and gone unheard."""
        return now_ns - state.active_down_at_ns > state.active_adver_interval_cs * CENTISECOND_NS

    def _listen_anew(self, state: Backup, now_ns: int) -> list[Effect]:
        late_ms = (now_ns - state.active_down_at_ns) // 1_000_000
        listening_ns = self._listening_ns(state.active_adver_interval_cs)
        self._state = replace(state, active_down_at_ns=now_ns + listening_ns, released=False, expired=False)
        return [Remark(event="was_frozen", fields={"late_ms": late_ms}, warning=True)]

    def _listening_ns(self, interval_cs: int) -> int:
        """In this time every living master is heard."""
        return interval_cs * CENTISECOND_NS + skew_time_ns(self.config.version, self.effective_priority, interval_cs)

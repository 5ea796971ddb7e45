"""The two things that a virtual router does nearly all its life, without the way through `handle`: speak and hear.

Both are short cuts for events, worked out to end in the same state; where anything else is due or would follow they do
nothing and say so, and the event goes the ordinary way. `tests` compares the two ways. Who speaks with others each
interval does even less: it takes the beats of their common tempo in when it is looked at (tempo.py).
"""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.packet import PRIORITY_RELEASE
from pyhad.vrrp_proc.core.states import Active, Backup
from pyhad.vrrp_proc.core.tempo import Tempo
from pyhad.vrrp_proc.core.timers import patience_of_peers_ns
from pyhad.vrrp_proc.core.together import RouterTogether


class RouterPace(RouterTogether):
    """The part of `VirtualRouter` that is in a hurry."""

    def __init__(self, config: VrrpInstance) -> None:
        super().__init__(config)
        self._paced_config: VrrpInstance | None = None
        self._pace_ns = self._peers_patience_ns = 0

    def beat(self, now_ns: int) -> bool:
        """An advertisement of the effective priority is due, and nothing else is: True, and the caller sends it.

        The same as `handle(TimePassed(), now_ns)` with that advertisement as its only effect. False: nothing happened.
        """
        state = self.state
        if type(state) is not Active:
            return False
        if self._paced_config is not self.config:
            self._paced_config = self.config
            self._pace_ns, self._peers_patience_ns = self._interval_ns(), patience_of_peers_ns(self.config)
        due_ns, chores = state.adver_at_ns, state.chores
        next_ns = due_ns + self._pace_ns
        if not due_ns <= now_ns < next_ns or now_ns - self._last_sent_ns >= self._peers_patience_ns:
            return False
        if chores and chores[0][0] <= now_ns:
            return False
        self._state = Active(
            adver_at_ns=next_ns,
            chores=chores,
            asserted_until_ns=state.asserted_until_ns,
            owner_conflict_until_ns=state.owner_conflict_until_ns,
        )
        self._counters.advert_sent += 1
        self._last_sent_ns = now_ns
        return True

    def keep_time(self, tempo: Tempo) -> None:
        """After a `beat`, and as long as its advertisements are due when those of `tempo` are: they go out with them.

        Each beat of `tempo` is one here from now on, so that `beat` itself needs not be called.
        """
        self._tempo, self._beats_taken = tempo, tempo.beats
        patience_ns = self._peers_patience_ns
        tempo.patience_ns = min(tempo.patience_ns or patience_ns, patience_ns)

    def leave_time(self) -> None:
        """It speaks for itself again."""
        self.keep_up()
        self._tempo = None

    def other_deadline_ns(self) -> int | None:
        """As `next_deadline_ns`, but for the advertisement of an Active router, to which `beat` sees."""
        state = self.state
        if not isinstance(state, Active):
            return self.next_deadline_ns()
        at_ns, parting = state.chores[0][0] if state.chores else None, self._parting
        if parting is None:
            return at_ns
        return parting.remove_at_ns if at_ns is None else min(at_ns, parting.remove_at_ns)

    def repeats_for_ns(self, event: AdvertisementReceived, now_ns: int) -> int:
        """After `event` was handled at `now_ns`: how far the deadline is from the last time that it is heard.

        Above 0 it holds until another event is handled: hearing the very same again does nothing but move the deadline,
        so that of many the last one alone needs to be handled (`hear_again`). 0: each must be handled.
        """
        state = self._state
        if not isinstance(state, Backup) or event.priority == PRIORITY_RELEASE or self._parting is not None:
            return 0
        if event.priority < self.effective_priority and self.config.preempt_mode:
            return 0  # the preemption may become due
        return state.active_down_at_ns - now_ns

    def bring_forward(self, at_ns: int, now_ns: int) -> None:
        """The next advertisement is to go out together with those of others, a little earlier than due (slots.py)."""
        state = self.state
        if isinstance(state, Active) and now_ns <= at_ns < state.adver_at_ns:
            self._state = replace(state, adver_at_ns=at_ns)

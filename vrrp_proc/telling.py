"""What a virtual router's changes of state are told as, and which of them are told at all. Passes them on, no more."""

from __future__ import annotations

from pyhad.common.config.model import VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import ChangeState
from pyhad.vrrp_proc.core.events import FaultCause
from pyhad.vrrp_proc.core.notices import Told
from pyhad.vrrp_proc.core.states import Snapshot
from pyhad.vrrp_proc.teller import Teller

_SILENT = frozenset({FaultCause.TRACKED_SCRIPT_UNKNOWN, FaultCause.SYNC_GROUP})


class Telling:
    """Of one router. `known` is what a predecessor told last."""

    def __init__(self, teller: Teller) -> None:
        self.known: RouterState | None = None
        self._teller = teller
        self._last_word = Told.STOP

    def deleted(self, config: VrrpInstance) -> None:
        """A reload removes it: what comes next is not a stop (NTF-5)."""
        self._last_word = Told.DELETED if config.notify.reports_deleted else Told.FAULT

    def change(self, config: VrrpInstance, change: ChangeState, faults: frozenset[FaultCause]) -> None:
        """NTF-5. Not what a predecessor told already, nor that a script did not run yet (FSM-51)."""
        known, self.known = self.known, None
        word = self._last_word if change.new is RouterState.INIT else Told(change.new.value)
        begins = known is None and change.old is RouterState.INIT
        if change.new is known or (begins and FaultCause.TRACKED_SCRIPT_UNKNOWN in faults and faults <= _SILENT):
            return
        if word.value != change.old.value:
            self._teller.state(config, word, change.priority)

    def again(self, config: VrrpInstance, snapshot: Snapshot) -> None:
        """To the FIFOs once more (`fifo_write_vrrp_states_on_reload`)."""
        if snapshot.state is not RouterState.INIT:
            self._teller.repeat(config, Told(snapshot.state.value), snapshot.effective_priority)

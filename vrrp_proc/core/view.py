"""What a virtual router shows: its settings, its state in the RFC's and in Keepalived's words, its counters. Read only.

The shell reads here and changes nothing but through `VirtualRouter.handle`.
"""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.model import Path, Place, VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import Reason
from pyhad.vrrp_proc.core.packet import PRIORITY_OWNER
from pyhad.vrrp_proc.core.states import Active, Backup, Counters, Initialize, Parting, Snapshot, State
from pyhad.vrrp_proc.core.tempo import Tempo
from pyhad.vrrp_proc.core.timers import HIGHEST_OF_OTHERS


class RouterView:
    """The readable half of `VirtualRouter`."""

    def __init__(self, config: VrrpInstance) -> None:
        self.config = config
        self._counters = Counters()
        self.source_address = ""
        self._state: State = Initialize()
        self._since_ns = 0
        self._reason = Reason.STARTUP
        self._last_sent_ns = 0
        self._owner_gave_in = False
        self._parting: Parting | None = None
        self._standby_until_ns = 0
        self._said_alone = False
        self._adjustment = 0
        self._refused: frozenset[Path] = frozenset()
        self._refused_addresses: frozenset[Place] = frozenset()
        self._tempo: Tempo | None = None
        self._beats_taken = 0

    def keep_up(self) -> None:
        """Take in what the common beat did meanwhile: the same as so many `beat`s, of which the last alone shows."""
        tempo, state = self._tempo, self._state
        if tempo is None or tempo.beats == self._beats_taken or not isinstance(state, Active):
            return
        self._counters.advert_sent += tempo.beats - self._beats_taken
        self._beats_taken = tempo.beats
        self._last_sent_ns = tempo.spoke_ns
        self._state = replace(state, adver_at_ns=tempo.due_ns)

    @property
    def state(self) -> State:
        """The state in the RFC's words, with its deadlines."""
        self.keep_up()
        return self._state

    @property
    def counters(self) -> Counters:
        """What happened so far."""
        self.keep_up()
        return self._counters

    @property
    def router_state(self) -> RouterState:
        """The state in Keepalived's words."""
        match self._state:
            case Backup():
                return RouterState.BACKUP
            case Active():
                return RouterState.MASTER
            case Initialize(started=started):
                return RouterState.FAULT if started else RouterState.INIT

    @property
    def effective_priority(self) -> int:
        """What is advertised: base and trackers (TRK-1), 255 for an owner, 254 if it gave in to another (FSM-36)."""
        base = self.config.base_priority
        if base == PRIORITY_OWNER:
            return HIGHEST_OF_OTHERS if self._owner_gave_in else PRIORITY_OWNER
        return min(max(base + self._adjustment, 1), HIGHEST_OF_OTHERS)

    @property
    def all_addresses(self) -> tuple[VirtualAddress, ...]:
        """Advertised and excluded ones, in the order of installation (NET-2)."""
        return self.config.addresses + self.config.excluded_addresses

    @property
    def paths(self) -> tuple[Path, ...]:
        """Routes and rules, in the order of installation (NET-2)."""
        return self.config.routes + self.config.rules

    @property
    def refused_paths(self) -> tuple[Path, ...]:
        """Those of them that the kernel does not take at present."""
        return tuple(path for path in self.paths if path in self._refused)

    @property
    def refused_addresses(self) -> tuple[VirtualAddress, ...]:
        """Those that the kernel does not take at present, or that went with their interface."""
        return tuple(virtual for virtual in self.all_addresses if virtual.place in self._refused_addresses)

    @property
    def is_parting(self) -> bool:
        """Active no more, but still answering for the addresses until a successor does (parting.py)."""
        return self._parting is not None

    def is_held_back(self, now_ns: int) -> bool:
        """Whether an operator's standby is in force (standby.py)."""
        return now_ns < self._standby_until_ns

    def next_deadline_ns(self) -> int | None:
        """When `TimePassed` is next of use; None: never. It is in the past until that event was handled."""
        self.keep_up()
        due_ns, parting = self._state_deadline_ns(), self._parting
        if parting is None:
            return due_ns
        return parting.remove_at_ns if due_ns is None else min(due_ns, parting.remove_at_ns)

    def _state_deadline_ns(self) -> int | None:
        state = self._state
        match state:
            case Backup():
                return state.active_down_at_ns
            case Active():
                return min(state.adver_at_ns, state.chores[0][0]) if state.chores else state.adver_at_ns
            case Initialize():
                return None

    def snapshot(self) -> Snapshot:
        """All that status and black box tell of this router."""
        state = self.state
        backup = state if isinstance(state, Backup) else None
        active = isinstance(state, Active)
        own_cs = self.config.advertisement_interval_cs
        return Snapshot(
            state=self.router_state,
            since_ns=self._since_ns,
            reason=self._reason,
            effective_priority=self.effective_priority,
            master_address=backup.master_address if backup else self.source_address if active else "",
            master_priority=backup.master_priority if backup else self.effective_priority if active else 0,
            active_adver_interval_cs=backup.active_adver_interval_cs if backup else own_cs,
            active_down_at_ns=backup.active_down_at_ns if backup else 0,
            last_sent_ns=self._last_sent_ns,
            faults=state.faults if isinstance(state, Initialize) else frozenset(),
            standby_until_ns=self._standby_until_ns,
        )

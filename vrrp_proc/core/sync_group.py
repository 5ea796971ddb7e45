"""Virtual routers that stay together (`vrrp_sync_group`): who of them must follow whom. Knows no timer and no packet.

Each member takes a seat, which its own state gives (`seat_of`); the group looks at all seats and gives orders until
nobody has to move. There is no memory beside the seats, so nothing can get stuck in what once was. The rules:

1. One member in fault of its own: all others are in fault with it (GRP-1). Over as soon as no member has one.
2. A member hears a better router, or an operator holds it back, or it was silent for so long that a peer lost patience
   with it: no other member stays Active (GRP-1).
3. A member waited in vain for its master and nobody is held back by a better one, nor still waits to hear whether there
   is one: all become Active at once (GRP-2). Until then it goes on waiting; its wish is not forgotten.
4. Who was not started yet has no say.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from pyhad.common.records import dataclass
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import FaultCause
from pyhad.vrrp_proc.core.states import Active, Backup, Initialize
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter


class Seat(enum.Enum):
    """How a member stands."""

    ABSENT = enum.auto()
    """Not started."""
    FAULT = enum.auto()
    """For causes of its own."""
    FOLLOWING = enum.auto()
    """In fault only because another one is."""
    HELD = enum.auto()
    """Backup that hears a router it must not take over from, or that an operator holds back."""
    LATE = enum.auto()
    """Backup that was Active and silent for too long: a peer waits only for the silence of the others."""
    WAITING = enum.auto()
    """Backup that heard nobody, and its time is not up."""
    ABLE = enum.auto()
    """Backup that hears only lesser routers."""
    EXPIRED = enum.auto()
    """Backup that waited in vain: it wants to be Active."""
    ACTIVE = enum.auto()


class What(enum.Enum):
    """What a member has to do."""

    FAULT_BEGINS = enum.auto()
    FAULT_ENDS = enum.auto()
    TAKE_OVER = enum.auto()
    STEP_DOWN = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """For one member."""

    member: str
    what: What


def seat_of(router: VirtualRouter, now_ns: int) -> Seat:
    """Where a member sits at this moment."""
    state = router.state
    if isinstance(state, Active):
        return Seat.ACTIVE
    if isinstance(state, Initialize):
        if not state.started:
            return Seat.ABSENT
        return Seat.FAULT if state.faults - {FaultCause.SYNC_GROUP} else Seat.FOLLOWING
    if router.is_held_back(now_ns):
        return Seat.HELD
    if state.expired:
        return Seat.EXPIRED
    if not state.master_address:
        return Seat.LATE if state.late else Seat.WAITING
    return Seat.HELD if _is_held(router, state, now_ns) else Seat.ABLE


def _is_held(router: VirtualRouter, state: Backup, now_ns: int) -> bool:
    if state.master_priority >= router.effective_priority or not router.config.preempt_mode:
        return True
    return state.preempt_after_ns is not None and now_ns < state.preempt_after_ns


class SyncGroup:
    """The members of one group by name. `following` are those that are told already to be in fault with the others."""

    def __init__(self, members: Iterable[str], following: Iterable[str] = ()) -> None:
        self._seats = dict.fromkeys(members, Seat.ABSENT)
        self._following = set(following)
        self._state: RouterState | None = None

    @property
    def state(self) -> RouterState | None:
        """What the group is as a whole; while members differ, what it was. None: nobody takes part yet."""
        seats = self._voters()
        if not seats:
            return self._state
        if seats & {Seat.FAULT, Seat.FOLLOWING}:
            self._state = RouterState.FAULT
        elif seats == {Seat.ACTIVE}:
            self._state = RouterState.MASTER
        elif Seat.ACTIVE not in seats:
            self._state = RouterState.BACKUP
        return self._state

    def has_fault_beside(self, member: str) -> bool:
        """Whether another member has a fault of its own."""
        return any(seat is Seat.FAULT for name, seat in self._seats.items() if name != member)

    def see(self, member: str, seat: Seat) -> bool:
        """`member` sits there now. Returns whether that is news: then ask for `orders()`."""
        if self._seats[member] is seat:
            return False
        self._seats[member] = seat
        return True

    def orders(self) -> list[Order]:
        """What has to be done now. Do it all, let the members be seen, and ask again until there is nothing."""
        found = self._faults()
        if found:
            return found
        seats = self._voters()
        if seats & {Seat.HELD, Seat.LATE}:
            return self._for(What.STEP_DOWN, Seat.ACTIVE)
        if Seat.EXPIRED in seats and seats <= {Seat.EXPIRED, Seat.ABLE, Seat.ACTIVE}:
            return self._for(What.TAKE_OVER, Seat.EXPIRED, Seat.ABLE)
        return []

    def _faults(self) -> list[Order]:
        found = []
        for member in self._seats:
            follows = self.has_fault_beside(member)
            if follows is not (member in self._following):
                (self._following.add if follows else self._following.discard)(member)
                found.append(Order(member=member, what=What.FAULT_BEGINS if follows else What.FAULT_ENDS))
        return found

    def _voters(self) -> set[Seat]:
        return set(self._seats.values()) - {Seat.ABSENT}

    def _for(self, what: What, *seats: Seat) -> list[Order]:
        return [Order(member=member, what=what) for member, seat in self._seats.items() if seat in seats]

"""Sync groups in the world: their machines fed with the members' seats, their orders carried out, their states told.

Decides nothing about VRRP (core/sync_group.py does). A member is looked at after each of its events; only one that
took another seat costs more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from pyhad.common.blackbox import key_of
from pyhad.common.config.model.tracking import SyncGroup as GroupConfig
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import (
    FaultCause,
    LowerHeardTogether,
    StepDownTogether,
    TakeOverTogether,
)
from pyhad.vrrp_proc.core.notices import Told
from pyhad.vrrp_proc.core.sync_group import Order, Seat, SyncGroup, What, seat_of
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.notifier import Notifier

_STATES = tuple(RouterState)


class _Group:
    """One group that lives."""

    def __init__(self, config: GroupConfig, members: dict[str, Instance], known: RouterState | None) -> None:
        self.config = config
        self.members = members
        self.machine = SyncGroup(members, [name for name, member in members.items() if member.follows_fault])
        self.told = known
        self.begins_quietly = True
        """Nothing but scripts that did not run yet keeps it from taking part (FSM-51)."""
        self.is_settling = False


class Groups:
    """All sync groups of the process."""

    def __init__(
        self, notifier: Notifier, journal: Journal, logger: FilteringBoundLogger, now_ns: Callable[[], int]
    ) -> None:
        self._notifier = notifier
        self._journal = journal
        self._logger = logger
        self._now_ns = now_ns
        self._groups: dict[str, _Group] = {}
        self._of: dict[Instance, tuple[_Group, str]] = {}

    def configure(self, configs: Iterable[GroupConfig], instances: Iterable[Instance]) -> None:
        """The groups of a document, over the instances that there are now; who left a group follows nobody."""
        by_name = {instance.config.name: instance for instance in instances}
        before = {name: group.told for name, group in self._groups.items()}
        followed = set(self._of)
        self._groups, self._of = {}, {}
        for config in configs:
            members = {name: by_name[name] for name in config.members if name in by_name}
            group = _Group(config, members, before.get(config.name) or self._noted(config.name))
            self._groups[config.name] = group
            for name, member in members.items():
                self._of[member] = (group, name)
        for instance in followed - set(self._of):
            instance.follow_fault(False)
        for group in self._groups.values():
            for name, member in group.members.items():
                group.machine.see(name, seat_of(member.core, self._now_ns()))
            self._settle(group)

    def foresee(self, instance: Instance, faults: frozenset[FaultCause]) -> None:
        """`instance` is about to start with these causes; the others of its group begin with it (GRP-1)."""
        found = self._of.get(instance)
        if found is not None and faults:
            group, name = found
            group.begins_quietly = group.begins_quietly and faults == {FaultCause.TRACKED_SCRIPT_UNKNOWN}
            group.machine.see(name, Seat.FAULT)
            self._move(group)

    def begin(self) -> None:
        """GRP-6: at the start a group is told of before its members.

        One that was told of before, by a predecessor or before a reload that gave it other members, is told of again
        if they begin in FAULT: what was foreseen is no news when it comes.
        """
        for group in self._groups.values():
            if group.told is not None:
                if group.machine.state is RouterState.FAULT and group.told is not RouterState.FAULT:
                    self._tell(group, RouterState.FAULT)
            else:
                state = group.machine.state or RouterState.BACKUP
                all_owners = all(member.config.start_as_master for member in group.members.values())
                if state is RouterState.FAULT and group.begins_quietly:
                    group.told = state
                elif state is RouterState.FAULT or not all_owners:
                    self._tell(group, state)

    def after(self, instance: Instance) -> None:
        """`instance` handled an event."""
        found = self._of.get(instance)
        if found is not None:
            group, name = found
            if group.machine.see(name, seat_of(instance.core, self._now_ns())):
                self._settle(group)

    def lower_heard(self, instance: Instance) -> None:
        """`instance` is Active and heard a lesser router (GRP-8)."""
        found = self._of.get(instance)
        if found is not None:
            for member in found[0].members.values():
                if member is not instance:
                    member.handle(LowerHeardTogether())

    def stop(self) -> None:
        """All instances have stopped."""
        for group in self._groups.values():
            self._notifier.group(group.config, Told.STOP)
            self._journal.forget(_key(group.config.name))

    def _settle(self, group: _Group) -> None:
        if not self._move(group):
            return
        state = group.machine.state
        if state is not None and state is not group.told:
            self._tell(group, state)

    def _move(self, group: _Group) -> bool:
        """Have everybody follow whom he must; False within that, when a member that moves is seen."""
        if group.is_settling:
            return False
        group.is_settling = True
        # Each round moves somebody to another seat; the bound is for a rule that would contradict another.
        for _ in range(8):
            orders = group.machine.orders()
            for order in orders:
                self._obey(group, order)
            if not orders:
                break
        group.is_settling = False
        return True

    def _obey(self, group: _Group, order: Order) -> None:
        member = group.members[order.member]
        match order.what:
            case What.FAULT_BEGINS:
                member.follow_fault(True)
            case What.FAULT_ENDS:
                member.follow_fault(False)
            case What.TAKE_OVER:
                member.handle(TakeOverTogether())
            case What.STEP_DOWN:
                member.handle(StepDownTogether())
            case _:
                assert_never(order.what)

    def _tell(self, group: _Group, state: RouterState) -> None:
        self._logger.info("group_state_changed", group=group.config.name, old=group.told, new=state)
        group.told = state
        self._journal.note(_key(group.config.name), bytes([_STATES.index(state)]))
        self._notifier.group(group.config, Told(state.value))

    def _noted(self, name: str) -> RouterState | None:
        noted = self._journal.noted(_key(name))
        return _STATES[noted[0]] if noted and len(noted) == 1 and noted[0] < len(_STATES) else None


def _key(name: str) -> bytes:
    return key_of("vrrp_sync_group", name)

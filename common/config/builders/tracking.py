"""Trackers, notifications and sync groups onto the instances that are built already. Builds no instance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pyhad.common.config.builders.alerts import AlertBuilder
from pyhad.common.config.builders.garp import build_limits
from pyhad.common.config.builders.lookout import build_lookout
from pyhad.common.config.builders.processes import build_processes, build_sessions, build_watch
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import NO_STATICS, Statics, VrrpInstance
from pyhad.common.config.model.garp import AnnounceLimit
from pyhad.common.config.model.lookout import NO_LOOKOUT, Lookout
from pyhad.common.config.model.tracking import (
    NOBODY,
    PLAIN_BUFFER,
    Fifo,
    InterfaceDelay,
    Notify,
    ReceiveBuffer,
    SyncGroup,
    Tracker,
    TrackerKind,
    TrackFile,
    TrackProcess,
    TrackScript,
)
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass

OWNER = 255
_BLOCKS = {
    "track_interface": TrackerKind.INTERFACE,
    "track_script": TrackerKind.SCRIPT,
    "track_file": TrackerKind.FILE,
    "track_process": TrackerKind.PROCESS,
    "track_bfd": TrackerKind.BFD,
}
_WORDS = {TrackerKind.PROCESS: "vrrp_track_process", TrackerKind.BFD: "bfd_instance"}
_Defaults = dict[TrackerKind, dict[str, tuple[int, bool]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Everything that the VRRP document has beside the settings of the single routers."""

    instances: tuple[VrrpInstance, ...] = ()
    scripts: tuple[TrackScript, ...] = ()
    files: tuple[TrackFile, ...] = ()
    processes: tuple[TrackProcess, ...] = ()
    process_watch: ReceiveBuffer = PLAIN_BUFFER
    bfd_sessions: tuple[str, ...] = ()
    groups: tuple[SyncGroup, ...] = ()
    fifos: tuple[Fifo, ...] = ()
    fifo_states_on_reload: bool = False
    interface_delays: tuple[InterfaceDelay, ...] = ()
    announce_limits: tuple[AnnounceLimit, ...] = ()
    lookout: Lookout = NO_LOOKOUT
    statics: Statics = NO_STATICS
    """Added by `paths.py`."""
    script_security: bool = False
    keep_script_links: bool = False


def build_tracking(
    root: Statement, instances: tuple[VrrpInstance, ...], alerts: AlertBuilder, complaints: Complaints
) -> Tracking:
    """`instances` with what they follow and whom they tell, and what that needs."""
    builder = alerts.scripts
    scripts, files = builder.scripts(root), builder.files(root)
    processes, sessions = build_processes(root, complaints), build_sessions(root)
    defaults: _Defaults = {
        TrackerKind.SCRIPT: {name: (weight, reverse) for name, (_, weight, reverse) in scripts.items()},
        TrackerKind.FILE: {name: (weight, reverse) for name, (_, weight, reverse) in files.items()},
        TrackerKind.PROCESS: {name: (weight, reverse) for name, (_, weight, reverse) in processes.items()},
        TrackerKind.BFD: sessions,
    }
    owners = {instance.name: instance.start_as_master for instance in instances}
    attach = _Attach(root, alerts, defaults, owners, complaints)
    groups = attach.groups(set(owners))
    built = tuple(attach.instance(instance) for instance in instances)
    followed = {(tracker.kind, tracker.name) for instance in built for tracker in instance.trackers}
    _say_unused(root, followed, complaints)
    return Tracking(
        instances=built,
        scripts=tuple(one for name, (one, _, _) in scripts.items() if (TrackerKind.SCRIPT, name) in followed),
        files=tuple(one for name, (one, _, _) in files.items() if (TrackerKind.FILE, name) in followed),
        processes=tuple(one for name, (one, _, _) in processes.items() if (TrackerKind.PROCESS, name) in followed),
        process_watch=build_watch(builder.settings),
        bfd_sessions=tuple(name for name in sessions if (TrackerKind.BFD, name) in followed),
        groups=groups,
        fifos=builder.fifos("vrrp_notify_fifo"),
        fifo_states_on_reload=builder.settings.has("fifo_write_vrrp_states_on_reload"),
        interface_delays=_delays(root),
        lookout=build_lookout(root, built),
        announce_limits=build_limits(root, complaints),
        script_security=builder.security,
        keep_script_links=builder.keep_links,
    )


def _delays(root: Statement) -> tuple[InterfaceDelay, ...]:
    """`interface_up_down_delays`; the last line of an interface counts."""
    found: dict[str, InterfaceDelay] = {}
    for entry in _entries(root, "interface_up_down_delays"):
        named = entry.options.get("IFNAME")
        if entry.broken or not named:
            continue
        down_ns, up_ns = (*named[1:], 0, 0)[:2]
        if isinstance(down_ns, int) and isinstance(up_ns, int):
            found[str(named[0])] = InterfaceDelay(interface=str(named[0]), down_ns=down_ns, up_ns=up_ns)
    return tuple(found.values())


def _say_unused(root: Statement, followed: set[tuple[TrackerKind, str]], complaints: Complaints) -> None:
    for block in root.every("vrrp_script"):
        if (TrackerKind.SCRIPT, block.text()) not in followed:
            complaints.warning(f"vrrp_script '{block.text()}' does not run: no instance tracks it", block.at)


class _Attach:
    """Looks up what the blocks say about each instance."""

    def __init__(
        self, root: Statement, alerts: AlertBuilder, defaults: _Defaults, owners: dict[str, bool],
        complaints: Complaints,
    ) -> None:  # fmt: skip
        self._root = root
        self._alerts = alerts
        self._builder = alerts.scripts
        self._defaults = defaults
        self._complaints = complaints
        self._blocks = {block.text(): block for block in reversed(list(root.every("vrrp_instance")))}
        self._group_of: dict[str, Statement] = {}
        self._owners = owners
        """Whether each instance would begin as master."""

    def instance(self, instance: VrrpInstance) -> VrrpInstance:
        """The instance with its trackers, its group's, and its notifications."""
        block = self._blocks[instance.name]
        group = self._group_of.get(instance.name)
        own = self._trackers(block, instance.interface)
        keeps_weights = group is None or group.has("sync_group_tracking_weight")
        if instance.base_priority == OWNER:
            own = self._without_weights(own, block, "it is the address owner", keep_interfaces=False)
        elif not keeps_weights:
            own = self._without_weights(own, block, "its sync group has no sync_group_tracking_weight")
        merged = {(tracker.kind, tracker.name): tracker for tracker in own}
        if group is not None:
            for tracker in self._trackers(group, instance.interface):
                merged[tracker.kind, tracker.name] = tracker
        fixed = set(instance.tracked_interfaces)
        trackers = tuple(
            tracker
            for tracker in merged.values()
            if tracker.kind is not TrackerKind.INTERFACE or tracker.weight or tracker.reverse
            or tracker.name not in fixed
        )  # fmt: skip
        notify = self._notify(block, group)
        if group is None and not trackers and notify == NOBODY:
            return instance
        return replace(
            instance,
            trackers=trackers,
            notify=notify,
            sync_group=group.text() if group is not None else "",
            start_as_master=instance.start_as_master and (group is None or self._all_owners(group)),
        )

    def _all_owners(self, group: Statement) -> bool:
        """GRP-3."""
        members = [name for name, other in self._group_of.items() if other is group]
        return all(self._owners.get(name, False) for name in members)

    def groups(self, known: set[str]) -> tuple[SyncGroup, ...]:
        """GRP-5."""
        built: dict[str, SyncGroup] = {}
        for block in self._root.every("vrrp_sync_group"):
            name, members = block.text(), []
            for member in self._members(block):
                if member not in known:
                    self._complaints.warning(f"vrrp_sync_group '{name}': '{member}' is not a virtual router", block.at)
                elif member in self._group_of:
                    other = self._group_of[member].text()
                    message = f"vrrp_sync_group '{name}': '{member}' is ignored: it is in group '{other}' already"
                    self._complaints.warning(message, block.at)
                else:
                    members.append(member)
                    self._group_of[member] = block
            if not members or name in built:
                why = "it has no members" if not members else "the first of that name counts"
                self._complaints.warning(f"vrrp_sync_group '{name}' is ignored: {why}", block.at)
                continue
            if len(members) == 1:
                self._complaints.warning(f"vrrp_sync_group '{name}' has only one member", block.at)
            built[name] = SyncGroup(name=name, members=tuple(members), notify=self._notify(block, None))
        return tuple(built.values())

    def _members(self, block: Statement) -> Iterable[str]:
        for entry in _entries(block, "group"):
            yield from dict.fromkeys(str(value) for value in entry.values)

    # ---------------------------------------------------------------------------------------- trackers

    def _trackers(self, block: Statement, own_interface: str) -> list[Tracker]:
        found: list[Tracker] = []
        known: set[tuple[TrackerKind, str]] = set()
        for word, kind in _BLOCKS.items():
            for entry in _entries(block, word):
                tracker = self._tracker(entry, kind)
                if tracker is None:
                    continue
                if (kind, tracker.name) in known:
                    message = f"{word}: '{tracker.name}' is ignored: '{block.text()}' follows it already"
                    self._complaints.warning(message, entry.at)
                    continue
                known.add((kind, tracker.name))
                if kind is TrackerKind.INTERFACE and tracker.name == own_interface:  # FIX-30
                    continue
                found.append(tracker)
        return found

    def _tracker(self, entry: Statement, kind: TrackerKind) -> Tracker | None:
        named = entry.options.get("NAME")
        if entry.broken or not named:
            return None
        name = str(named[0])
        weight, reverse = 0, False
        if kind is not TrackerKind.INTERFACE:
            known = self._defaults[kind].get(name)
            if known is None:
                message = f"{entry.name}: there is no {_WORDS.get(kind, kind)} '{name}': it is not tracked"
                self._complaints.warning(message, entry.at)
                return None
            weight, reverse = known
        given = entry.options.get("weight")
        if given and isinstance(given[0], int):
            weight = given[0]
        turn = next((word for word in ("reverse", "noreverse") if word in entry.options), "")
        if turn and not given:
            message = f"{turn} is ignored: '{name}' has no weight in this line"
            self._complaints.warning(message, entry.at, hint=f"write: {name} weight N {turn}")
        elif turn:
            reverse = turn == "reverse"
        return Tracker(kind=kind, name=name, weight=weight, reverse=reverse)

    def _without_weights(
        self, trackers: list[Tracker], block: Statement, why: str, *, keep_interfaces: bool = True
    ) -> list[Tracker]:
        """GRP-4, TRK-1: no priority of its own for this instance."""
        kept: list[Tracker] = []
        for tracker in trackers:
            if not tracker.weight or (tracker.kind is TrackerKind.PROCESS and keep_interfaces):
                kept.append(tracker)  # weights of processes are left as they are (GRP-4)
                continue
            as_fault = tracker.kind is TrackerKind.INTERFACE and keep_interfaces
            as_fault = as_fault or (tracker.kind is TrackerKind.FILE and tracker.weight == 1)
            what = "its weight is ignored" if as_fault else "it is not tracked"
            message = f"'{block.text()}': {tracker.kind} {tracker.name}: {what}, for {why}"
            self._complaints.warning(message, block.at)
            if as_fault:
                kept.append(replace(tracker, weight=0))
        return kept

    # ----------------------------------------------------------------------------------- notifications

    def _notify(self, block: Statement, group: Statement | None) -> Notify:
        program = self._builder.program_of
        changes = self._builder.settings.has("vrrp_notify_priority_changes")
        if group is not None:
            changes = group.switch("notify_priority_changes", default=changes)
        deleted = block.last("notify_deleted")
        return Notify(
            master=program(block, "notify_master"),
            backup=program(block, "notify_backup"),
            fault=program(block, "notify_fault"),
            stop=program(block, "notify_stop"),
            deleted=program(block, "notify_deleted") if deleted is not None and deleted.values else None,
            any_state=program(block, "notify"),
            master_rx_lower_pri=program(block, "notify_master_rx_lower_pri"),
            reports_deleted=deleted is not None,
            mails=self._alerts.mails_of(block, "vrrp", default=False),
            priority_changes=block.switch("notify_priority_changes", default=changes),
        )


def _entries(block: Statement, name: str) -> Iterable[Statement]:
    for child in block.children:
        if child.name == name:
            yield from child.children

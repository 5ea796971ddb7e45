"""From what a predecessor journaled to the event that begins a virtual router, and back. Reads and writes nothing."""

from __future__ import annotations

from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.events import FaultCause, Startup
from pyhad.vrrp_proc.core.states import Snapshot
from pyhad.vrrp_proc.journal import Record


def startup(
    left: Record | None, *, faults: frozenset[FaultCause], source_address: str, found_addresses: bool
) -> Startup:
    """A router begins where its predecessor `left` off, or anew."""
    if left is None:
        return Startup(faults=faults, source_address=source_address, found_addresses=found_addresses)
    was_backup = left.state is RouterState.BACKUP
    return Startup(
        faults=faults,
        source_address=source_address,
        restored_active=left.state is RouterState.MASTER,
        last_sent_ns=left.last_sent_ns,
        restored_since_ns=left.since_ns,
        restored_backup_of=left.master_address if was_backup else "",
        restored_master_priority=left.master_priority if was_backup else 0,
        restored_master_interval_cs=left.master_interval_cs if was_backup else 0,
        restored_down_at_ns=left.down_at_ns if was_backup else 0,
        found_addresses=found_addresses,
        restored_standby_until_ns=left.standby_until_ns,
    )


def record(snapshot: Snapshot, *, sequence: int) -> Record:
    """What a successor must know; `sequence` is the last one sent with AH or a seal."""
    return Record(
        state=snapshot.state,
        since_ns=snapshot.since_ns,
        last_sent_ns=snapshot.last_sent_ns,
        down_at_ns=snapshot.active_down_at_ns,
        master_priority=snapshot.master_priority,
        master_interval_cs=snapshot.active_adver_interval_cs,
        master_address=snapshot.master_address,
        sequence=sequence,
        standby_until_ns=snapshot.standby_until_ns,
    )

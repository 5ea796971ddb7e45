"""What the VRRP process says of processes that it tracks. Data only, in the catalogue by way of messages.py."""

from __future__ import annotations

from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedProcessStatus:
    """One `vrrp_track_process` as it stands. Part of `VrrpStatus`."""

    name: str
    count: int
    """How many such processes live; 0 too while nobody has counted yet."""
    has_quorum: bool
    fork_delay_runs: bool
    """A change that new processes brought does not count yet."""
    terminate_delay_runs: bool
    """The same of one that the end of processes brought."""

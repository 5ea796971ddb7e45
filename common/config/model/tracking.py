"""What virtual routers follow, whom they tell, and which of them stay together, as frozen dataclasses.

Pure data, part of the model (see model.py, which imports it). Durations are integer ns. Accounts are resolved already.
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


class TrackerKind(enum.StrEnum):
    """What a tracker looks at."""

    INTERFACE = "interface"
    SCRIPT = "script"
    FILE = "file"
    PROCESS = "process"
    BFD = "bfd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """One thing that a virtual router follows (TRK-1 to TRK-5). Weight 0: what fails means FAULT."""

    kind: TrackerKind
    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command and as whom it runs. `argv[0]` is a path, or a bare name to be looked up in PATH (SEC-4)."""

    argv: tuple[str, ...]
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    """Supplementary groups of the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackScript:
    """One `vrrp_script` (TRK-10)."""

    name: str
    program: Program
    interval_ns: int
    timeout_ns: int
    rise: int = 1
    fall: int = 1
    init_fail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFile:
    """One `track_file` (TRK-20). `initial` is what to write into it at the start; None: nothing (TRK-22)."""

    name: str
    path: str
    initial: int | None = None
    overwrite: bool = False


class ParamMatch(enum.StrEnum):
    """How the parameters of a process are compared (TRK-40)."""

    NONE = "none"
    """Not at all: its name is what counts."""
    EXACT = "exact"
    PARTIAL = "partial"
    """The first ones, as many as are named."""
    INITIAL = "initial"
    """As PARTIAL, and the last of them may go on."""


ANY_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackProcess:
    """One `vrrp_track_process` (TRK-40): it has its quorum while `least` to `most` such processes live."""

    name: str
    argv: tuple[str, ...]
    """The name of the process, or with `full_command` or parameters its command line."""
    full_command: bool = False
    param_match: ParamMatch = ParamMatch.NONE
    least: int = 1
    most: int = ANY_NUMBER
    fork_delay_ns: int = 0
    """How long a change that came with new processes must last until it counts."""
    terminate_delay_ns: int = 0
    """And one that came with the end of processes."""
    weight: int = 0
    """Of those who name none; negative when reversed. For dumps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveBuffer:
    """Of a socket that the kernel tells by. Size 0: pyhad's choice."""

    size_bytes: int = 0
    beyond_limit: bool = True
    """The machine's limit of receive buffers does not count (`…_rcv_bufs_force`)."""


PLAIN_BUFFER = ReceiveBuffer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Whom a virtual router or a group tells (NTF-1, NTF-5). None: nobody."""

    master: Program | None = None
    backup: Program | None = None
    fault: Program | None = None
    stop: Program | None = None
    deleted: Program | None = None
    any_state: Program | None = None
    """`notify`: gets type, name, state and priority as further arguments (NTF-2)."""
    master_rx_lower_pri: Program | None = None
    reports_deleted: bool = False
    """`notify_deleted` was given: an instance that a reload removes says DELETED, not FAULT."""
    mails: bool = False
    """`smtp_alert`."""
    priority_changes: bool = False
    """Changes of the effective priority go to the FIFOs (TRK-2)."""


NOBODY = Notify()


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceDelay:
    """How long a link must be down, or up, until it counts (FSM-46)."""

    interface: str
    down_ns: int
    up_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fifo:
    """A FIFO that gets a line per event (NTF-20 to NTF-26), and the program that reads it, if pyhad starts one."""

    path: str
    uid: int = 0
    gid: int = 0
    script: Program | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncGroup:
    """One `vrrp_sync_group` (GRP-1 to GRP-8). What it tracks is among the trackers of its members already."""

    name: str
    members: tuple[str, ...]
    notify: Notify = NOBODY

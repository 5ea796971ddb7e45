"""What a BFD process says of its sessions, on `channels.BFD`. Data only.

That process is to come. It answers each `SnapshotWanted` with a `BfdSnapshot`, then sends every change to whoever
asked, and a `Beat` every 500 ms. Who hears nothing of it for three seconds forgets what it said (`bfd_line.py`).
A process that replaces another speaks when it can say of each session what is so, out of the black box of the one
before it.
"""

from __future__ import annotations

from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdSession:
    """One BFD session. Part of other messages."""

    name: str
    """Of its `bfd_instance`."""
    up: bool
    since_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdSnapshot:
    """bfd -> vrrp, checker (BFD-9), on each connection and when asked: all sessions."""

    generation: int
    sequence: int
    sessions: tuple[BfdSession, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdChanged:
    """bfd -> vrrp, checker, when one session came up or went down."""

    generation: int
    sequence: int
    session: BfdSession

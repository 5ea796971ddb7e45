"""What a BFD process says of its sessions. Data only.

They join the union in messages.py together with the channel of that process: no socket carries them yet.
"""

from __future__ import annotations

from dataclasses import dataclass


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

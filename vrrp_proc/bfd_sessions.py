"""BFD sessions as the virtual routers see them: down unless a BFD process says they are up (TRK-50). Speaks no BFD.

A successor begins with what its predecessor had heard.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from pyhad.common.bfd_line import BfdWord
from pyhad.common.blackbox import key_of
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.messages_bfd import BfdSnapshot
from pyhad.vrrp_proc.journal import Journal

_NOTE = struct.Struct("=B")


class BfdSessions:
    """`on_reading(name, 0 or 1)` runs for each that is configured, and whenever one changed."""

    def __init__(
        self, journal: Journal, logger: FilteringBoundLogger, on_reading: Callable[[str, int], None]
    ) -> None:  # fmt: skip
        self._journal = journal
        self._logger = logger
        self._on_reading = on_reading
        self._up: dict[str, bool] = {}
        self._is_first, self._is_silent = True, False

    def configure(self, names: Iterable[str]) -> None:
        """As of the last (re)load; those that are known keep their state."""
        wanted = tuple(names)
        for name in self._up.keys() - set(wanted):
            self._journal.forget(_key(name))
        fresh = [name for name in wanted if name not in self._up]
        self._up = {name: self._up[name] if name in self._up else self._noted(name) for name in wanted}
        self._is_first = False
        for name, up in self._up.items():
            self._on_reading(name, int(up))
        if self._is_silent:
            self._say_silent(fresh)

    def _noted(self, name: str) -> bool:
        noted = self._journal.noted(_key(name)) if self._is_first else None
        return noted == _NOTE.pack(1)

    def take(self, word: BfdWord) -> None:
        """News of the BFD process. Of whom a snapshot says nothing, nothing is known: down. None: silence."""
        self._is_silent = word is None
        if word is None:
            self._say_silent(self._up)
            told = dict.fromkeys(self._up, False)
        elif isinstance(word, BfdSnapshot):
            told = dict.fromkeys(self._up, False) | {session.name: session.up for session in word.sessions}
        else:
            told = {word.session.name: word.session.up}
        for name, up in told.items():
            if self._up.get(name) is not None and self._up[name] is not up:
                self._changed(name, up)

    def _changed(self, name: str, up: bool) -> None:
        self._up[name] = up
        self._journal.note(_key(name), _NOTE.pack(up))
        log = self._logger.info if up else self._logger.warning
        log("bfd_session_up" if up else "bfd_session_down", session=name)
        self._on_reading(name, int(up))

    def _say_silent(self, names: Iterable[str]) -> None:
        if sessions := ",".join(names):
            detail = "no BFD process speaks: they count as down"
            self._logger.warning("bfd_sessions_down", sessions=sessions, detail=detail)


def _key(name: str) -> bytes:
    return key_of("bfd_session", name)

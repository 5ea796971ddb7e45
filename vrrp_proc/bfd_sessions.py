"""BFD sessions as the virtual routers see them: down until a BFD process says they are up (TRK-50). Speaks no BFD."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyhad.common.log import FilteringBoundLogger
from pyhad.common.messages_bfd import BfdChanged, BfdSession, BfdSnapshot


class BfdSessions:
    """`on_reading(name, 0 or 1)` runs for each that is configured, and whenever one changed."""

    def __init__(self, logger: FilteringBoundLogger, on_reading: Callable[[str, int], None]) -> None:
        self._logger = logger
        self._on_reading = on_reading
        self._up: dict[str, bool] = {}
        self._heard = False

    def configure(self, names: Iterable[str]) -> None:
        """As of the last (re)load; those that are known keep their state."""
        wanted = tuple(names)
        fresh = [name for name in wanted if name not in self._up]
        self._up = {name: self._up.get(name, False) for name in wanted}
        for name, up in self._up.items():
            self._on_reading(name, int(up))
        if fresh and not self._heard:
            self._logger.warning(
                "bfd_sessions_down", sessions=",".join(fresh), detail="no BFD process runs: they count as down"
            )  # fmt: skip

    def take(self, message: BfdSnapshot | BfdChanged) -> None:
        """News of the BFD process. Of whom a snapshot says nothing, nothing is known: down."""
        self._heard = True
        told = message.sessions if isinstance(message, BfdSnapshot) else (message.session,)
        if isinstance(message, BfdSnapshot):
            for name in self._up.keys() - {session.name for session in told}:
                self._hear(BfdSession(name=name, up=False, since_ns=0))
        for session in told:
            self._hear(session)

    def _hear(self, session: BfdSession) -> None:
        if self._up.get(session.name) in (None, session.up):
            return
        self._up[session.name] = session.up
        log = self._logger.info if session.up else self._logger.warning
        log("bfd_session_up" if session.up else "bfd_session_down", session=session.name)
        self._on_reading(session.name, int(session.up))

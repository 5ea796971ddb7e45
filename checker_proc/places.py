"""Where the servers are that were given by name: what the names say, what is in use, and the file of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyhad.checker_proc.core.journal import ServerRecord, is_up_at
from pyhad.checker_proc.core.names import Key, Placed, names_of, place, targets, used_by
from pyhad.checker_proc.resolver import Resolver
from pyhad.common import known_names
from pyhad.common.config.model import CheckedServer, CheckerDocument
from pyhad.common.loop import Timer
from pyhad.common.pace import Pace
from pyhad.common.runtime import Runtime

RETRY_NS = 60_000_000_000
"""After the file could not be written; each change tries, too."""
_FILE_SHARE = 20
"""At most one part in so many of the time is spent on the file."""
_CHANGE_SHARE = 5
"""And on taking over new addresses: where there are very many names, those found meanwhile come together."""


class Places:
    """`follow` a document, then `place` it, also whenever `on_change` says that a server is to be elsewhere."""

    def __init__(self, runtime: Runtime, on_change: Callable[[], None]) -> None:
        self._loop = runtime.loop
        self._logger = runtime.logger
        self._path = runtime.path(known_names.PATH)
        kept = known_names.load(self._path)
        self._used = dict(kept.servers)
        self._kept = kept
        self._retry: Timer | None = None
        self._file = Pace(runtime.loop, self._keep, _FILE_SHARE)
        self._on_change = on_change
        self._targets: dict[Key, str | None] = {}
        self._changes = Pace(runtime.loop, self._look, _CHANGE_SHARE)
        self._resolver = Resolver(runtime.loop, runtime.logger, kept.names, self._changes.soon)

    def follow(self, document: CheckerDocument) -> None:
        """This one is in force from now on."""
        self.document = document
        """As it was written: names without addresses."""
        self._resolver.follow(names_of(document), document.resolve_interval_ns)

    def place(self, records: Mapping[Key, ServerRecord]) -> Placed:
        """With the addresses that count now, as `core.names.place`. `records`: what is known of the servers."""
        used = self._used
        placed = place(
            self.document, self._resolver.known, used, lambda key: is_up_at(records.get(key), used.get(key, ""))
        )
        self._used = used_by(placed.document)
        self._targets = self._targets_now()
        self._file.soon()
        return placed

    def moved(self, server: CheckedServer) -> None:
        """It is there now."""
        self._used[server.service, server.server] = server.address
        self._file.soon()

    def _look(self) -> None:
        """Names have other addresses. Where there are many, they are others each time: most change nothing."""
        if self._targets_now() != self._targets:
            self._on_change()
        else:
            self._file.soon()

    def _targets_now(self) -> dict[Key, str | None]:
        return targets(self.document, self._resolver.known, self._used)

    def _keep(self) -> None:
        names = {name: addresses[0] for name, addresses in self._resolver.known.items() if addresses}
        known = known_names.KnownNames(names=names, servers=dict(self._used))
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if known == self._kept:
            return
        try:
            known_names.save(self._path, known)
            self._kept = known
        except OSError as error:
            self._logger.error("names_not_kept", error=str(error))
            self._retry = self._loop.after(RETRY_NS, self._file.soon)

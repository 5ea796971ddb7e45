"""Routes and rules of the configurations in force, in a file that outlives all processes, for the daemon to come.

Addresses of ours carry a mark of our own in the kernel. Routes and rules carry keepalived's, which every daemon of the
machine may use: so only this file says what is left over (docs/decisions/0013). The script helper reads and writes it:
this process waits for no file. It is written at each start, before anything is installed, and at each reload, and names
the configuration before too, whose routers may still be parting.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pyhad.common.codec import decode, encode
from pyhad.common.config.model import Path, Statics, VirtualRoute, VirtualRule, VrrpDocument
from pyhad.common.errors import WireError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.records import dataclass
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.ledger import MOST_BYTES, MOST_NOTE_BYTES, notes_in
from pyhad.common.scripts.orders import KeepLedger
from pyhad.vrrp_proc.core.sweep import left_over_paths

FILE = "installed"
"""In the run directory, where only root writes: what it names is removed from the kernel."""
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The file."""

    format: int
    routes: tuple[VirtualRoute, ...]
    rules: tuple[VirtualRule, ...]


class Ledger:
    """The note of one process."""

    def __init__(self, scripts: Scripts, path: str, logger: FilteringBoundLogger) -> None:
        self.on_left_over: Callable[[tuple[Path, ...]], None] = lambda paths: None
        """Gets, once and soon after the start, what a daemon before this one may have left."""
        self._scripts = scripts
        self._path = path
        self._logger = logger
        self._configured: tuple[Path, ...] = ()
        self._content = b""
        self._asks = True
        scripts.on_ledger = self._found

    def configure(self, document: VrrpDocument) -> None:
        """Note what may be installed from now on."""
        paths = _paths_of(document)
        noted = tuple(dict.fromkeys(self._configured + paths))
        self._configured = paths
        content = encode(
            Noted(
                format=FORMAT,
                routes=tuple(path for path in noted if isinstance(path, VirtualRoute)),
                rules=tuple(path for path in noted if isinstance(path, VirtualRule)),
            )
        )
        if len(content) > MOST_NOTE_BYTES:
            self._logger.warning("ledger_too_long", routes_and_rules=len(noted))
            content = b""
        self._keep(content)

    def clear(self) -> None:
        """Nothing of ours is installed any more."""
        self._keep(b"")

    def _keep(self, content: bytes, *, settles: bool = False) -> None:
        self._content = content
        descriptor = os.memfd_create("ledger", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            self._scripts.send(KeepLedger(path=self._path, asks=self._asks, settles=settles), descriptor)
        finally:
            os.close(descriptor)
        self._asks = False

    def _found(self, descriptor: int) -> None:
        """The notes from before our first one; they are kept until now, for we might have died before."""
        notes = notes_in(os.pread(descriptor, MOST_BYTES, 0))
        left = left_over_paths(dict.fromkeys(path for note in notes for path in self._read(note)), self._configured)
        if left:
            self.on_left_over(left)
        self._keep(self._content, settles=True)

    def _read(self, note: bytes) -> tuple[Path, ...]:
        try:
            noted = decode(Noted, note)
            if noted.format != FORMAT:
                raise WireError(f"format {noted.format}, this process reads {FORMAT}")
        except WireError as error:  # written by another version
            self._logger.warning("ledger_not_understood", detail=str(error))
            return ()
        return (*noted.routes, *noted.rules)


def _paths_of(document: VrrpDocument) -> tuple[Path, ...]:
    statics: Statics = document.statics
    own: list[Path] = [*statics.routes, *statics.rules]
    for config in document.instances:
        own += config.routes + config.rules
    return tuple(dict.fromkeys(own))

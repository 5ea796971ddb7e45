"""What surrounds a checker in the file: its servers' blocks, in which its settings are looked up (CHK-1)."""

from __future__ import annotations

from collections.abc import Mapping

from pyhad.common.config.builders.scripts import ScriptBuilder
from pyhad.common.config.model import Timing
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """When a checker asks, and how it connects where its words say so (empty and 0: they do not)."""

    timing: Timing
    alpha: bool
    connect_ip: str
    connect_port: int
    connect_timeout_ns: int
    bind_address: str
    bind_port: int
    bind_interface: str
    fwmark: int


@dataclass(slots=True)
class Around:
    """The blocks around a checker, and the server that it looks at."""

    virtual: Statement
    real: Statement
    address: str
    port: int
    family: int
    """Of the service: what the name of a server is looked up for."""
    log_all_failures: bool
    scripts: ScriptBuilder
    bfd_sessions: frozenset[str] = frozenset()
    track_files: Mapping[str, Statement] = field(default_factory=dict)
    """The `track_file` blocks by name."""
    settings: dict[tuple[int, ...], CheckSettings] = field(default_factory=dict)
    """What was looked up already (check_settings.py), for all servers of the service."""

    def number(self, check: Statement, name: str, default: int) -> int:
        """A setting of the checker, else of the real server, else of the virtual server."""
        for level in (check, self.real, self.virtual):
            found = level.last(name)
            if found is not None and found.values:
                return found.number()
        return default

"""What surrounds a checker in the file: its servers' blocks, in which its settings are looked up (CHK-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyhad.common.config.build_scripts import ScriptBuilder
from pyhad.common.config.tree import Statement


@dataclass(frozen=True, slots=True)
class Around:
    """The blocks around a checker, and the server that it looks at."""

    virtual: Statement
    real: Statement
    address: str
    port: int
    log_all_failures: bool
    scripts: ScriptBuilder
    bfd_sessions: frozenset[str] = frozenset()
    track_files: Mapping[str, Statement] = field(default_factory=dict)
    """The `track_file` blocks by name."""

    def number(self, check: Statement, name: str, default: int) -> int:
        """A setting of the checker, else of the real server, else of the virtual server."""
        for level in (check, self.real, self.virtual):
            found = level.last(name)
            if found is not None and found.values:
                return found.number()
        return default

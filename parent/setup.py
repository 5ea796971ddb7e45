"""What the parent's parts share from its start to its end. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyhad.common.config.model import ParentDocument
from pyhad.common.log import LogSettings
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName
from pyhad.parent.baton import Baton
from pyhad.parent.compiler import Compile
from pyhad.parent.log_files import LogFiles
from pyhad.parent.options import Options
from pyhad.parent.rooms import Room
from pyhad.parent.run_dir import RunDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is known before the configuration: what was asked, who the children are."""

    options: Options
    rooms: Sequence[Room]
    compile_files: Compile
    account: tuple[str, int, int]
    """(name, uid, gid) of the unprivileged processes."""
    log: LogSettings
    folder: str = "/"
    """Where the command was given: its words may name files from there."""
    left: Baton | None = None
    """What the program before this one left, when it was upgraded."""
    home_namespace: int = -1
    """The network namespace that the daemon was started in, for `net_namespace_ipvs` without a name."""
    log_files: LogFiles | None = None
    """None: there are none."""

    def log_of(self, name: ProcessName) -> LogSettings:
        """Where this process logs to."""
        if self.log_files is None:
            return self.log
        return replace(self.log, file_fd=self.log_files.fd_of(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup(Beginning):
    """One daemon: also where it lives."""

    run_dir: RunDir


def daemon_key(namespace: str, document: ParentDocument) -> str:
    """What tells this daemon from others on the machine: `NAMESPACE_INSTANCE`, either or nothing."""
    return "_".join(part for part in (namespace or document.settings.namespace, document.daemon) if part)

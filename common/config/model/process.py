"""What a configuration says about the daemon itself: scripts around it, files it writes, names, namespaces.

Pure data, part of the model (see model.py, which imports it). Durations are integer ns. Accounts are resolved already.
"""

from __future__ import annotations

from pyhad.common.config.model.tracking import Program
from pyhad.common.records import dataclass, field

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpPlaces:
    """Where the dumps go that keepalived writes on signals (SIG-13). As written in the file; empty: the default."""

    state: str = ""
    stats: str = ""
    json: str = ""
    by_instance: bool = False
    """`data_use_instance`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceWords:
    """What keepalived's dumps tell of an instance and the rest of the model has no use for."""

    name: str
    strict: bool = False
    accept: bool = True
    promote_secondaries: bool = False
    smtp_alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AroundScript:
    """`startup_script` or `shutdown_script` (PROC-5)."""

    program: Program
    timeout_ns: int = 10 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """All of it, for the parent."""

    dumps: DumpPlaces = DumpPlaces()
    umask: int | None = None
    """None: not named; the command line comes first in any case."""
    startup: AroundScript | None = None
    shutdown: AroundScript | None = None
    script_security: bool = False
    keep_script_links: bool = False
    process_names: dict[str, str] = field(default_factory=dict)
    """Names for `ps` by process (`parent`, `vrrp` …), where the file gives one."""
    reload_log: str = ""
    """`reload_check_config LOG`."""
    reload_file: str | None = None
    """Exists while files are being read (REL-5); empty: beside the PID file; None: none."""
    reload_time_file: str = ""
    reload_repeat: bool = False
    namespace: str = ""
    """`net_namespace`."""
    ipvs_namespace: str | None = None
    """`net_namespace_ipvs`; empty: the one that the daemon was started in; None: as the daemon."""

"""The words of the border: Keepalived's state names, which operators know, in one place.

Inside the cores RFC 9568's words are used (Initialize, Backup, Active); everything a person or a script
sees (configuration, pyhadctl, notify scripts, the `state` field of logs) uses these.
"""

from __future__ import annotations

import enum


class RouterState(enum.StrEnum):
    """State of a virtual router as operators name it. FAULT is Initialize with a reason."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"


class ProcessName(enum.StrEnum):
    """The long-lived processes. Also their names in logs, on the bus and in `pyhadctl status`."""

    PARENT = "parent"
    VRRP = "vrrp"
    CHECKER = "checker"
    IPVS = "ipvs"
    CONTROL = "control"


class ProcessState(enum.StrEnum):
    """What the parent knows of a process (written to the pulse page)."""

    ABSENT = "absent"  # not needed by this configuration
    STARTING = "starting"  # forked, not yet said ready
    RUNNING = "running"
    BACKOFF = "backoff"  # dead, waiting for its next start
    STOPPING = "stopping"
    STOPPED = "stopped"

"""How one process is to be scheduled, where it may run, whether its memory may be swapped. Pure data."""

from __future__ import annotations

from pyhad.common.records import dataclass

RT_LIMIT_NS = 5_000_000_000
RT_LIMIT_LEAST_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """Of one process; `name` is that of `common.states.ProcessName`."""

    name: str
    nice: int = 0
    """0: as it was started."""
    rt_priority: int = 0
    """SCHED_RR with this priority; 0: not real-time."""
    rt_wanted: bool = False
    """The file asks for it: a refusal is worth a warning."""
    rt_limit_ns: int = RT_LIMIT_NS
    """CPU time without ever waiting after which the kernel ends a real-time process (RLIMIT_RTTIME)."""
    cpus: tuple[int, ...] = ()
    """Where it may run; empty: anywhere."""
    lock_memory: bool = False
    lock_wanted: bool = False
    """The file asks for it."""

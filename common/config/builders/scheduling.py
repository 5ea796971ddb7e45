"""Scheduling, memory and names of the processes, from `global_defs`. Knows nothing of what they do."""

from __future__ import annotations

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model.scheduling import RT_LIMIT_LEAST_NS, RT_LIMIT_NS, ProcessSettings
from pyhad.common.config.tree import Statement

RT_PRIORITY = 10
"""Of the VRRP process unless said otherwise: above everything ordinary, below whatever an operator ranks higher."""
RT_HIGHEST = 99
_MICROSECOND_NS = 1_000


def build_scheduling(root: Statement, complaints: Complaints) -> tuple[ProcessSettings, ...]:
    """The settings of parent, VRRP process and checker."""
    one = Statement(root.keyword, root.line)
    for found in root.every("global_defs"):
        one.add(found.children)
    by_default = one.switch("pyhad_realtime", default=True)
    vrrp = _build(one, "vrrp", complaints, rt_default=RT_PRIORITY if by_default else 0, lock_default=by_default)
    return (_parent(one, vrrp), vrrp, _build(one, "checker", complaints))


def _parent(one: Statement, vrrp: ProcessSettings) -> ProcessSettings:
    """A step above VRRP: it must be able to end a VRRP process that spins, and to replace a dead one at once."""
    return ProcessSettings(
        name="parent",
        rt_priority=min(vrrp.rt_priority + 1, RT_HIGHEST) if vrrp.rt_priority else 0,
        lock_memory=vrrp.lock_memory,
    )


def _build(
    one: Statement, prefix: str, complaints: Complaints, *, rt_default: int = 0, lock_default: bool = False
) -> ProcessSettings:
    priority, nice, cpus = (
        one.last(f"{prefix}_rt_priority"), one.last(f"{prefix}_priority"), one.last(f"{prefix}_cpu_affinity"),
    )  # fmt: skip
    no_swap = one.has(f"{prefix}_no_swap")
    return ProcessSettings(
        name=prefix,
        nice=nice.number() if nice else 0,
        rt_priority=priority.number() if priority else rt_default,
        rt_wanted=priority is not None,
        rt_limit_ns=_limit_ns(one, f"{prefix}_rlimit_rttime", complaints),
        cpus=tuple(sorted({cpus.number(place) for place in range(len(cpus.values))})) if cpus else (),
        lock_memory=no_swap or lock_default,
        lock_wanted=no_swap,
    )


def _limit_ns(one: Statement, name: str, complaints: Complaints) -> int:
    """Never less than a second: what keepalived has by default ends a process that starts or reloads a thousand."""
    found = one.last(name)
    if found is None:
        return RT_LIMIT_NS
    limit_ns = found.number() * _MICROSECOND_NS
    if limit_ns < RT_LIMIT_LEAST_NS:
        complaints.warning(
            f"{name} is raised to 1000000 (one second): less would end a process that starts or reloads",
            found.at,
        )
    return max(limit_ns, RT_LIMIT_LEAST_NS)

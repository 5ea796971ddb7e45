"""How the kernel schedules a process, as a word. Changes nothing, needs no right."""

from __future__ import annotations

import os

_POLICIES = {os.SCHED_OTHER: "other", os.SCHED_FIFO: "fifo", os.SCHED_RR: "rr", os.SCHED_BATCH: "batch"}


def scheduling_of(pid: int) -> str:
    """`other`, `rr 10`; "" for nobody or when it is not known."""
    if pid <= 0:
        return ""
    try:
        policy = os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK
        priority = os.sched_getparam(pid).sched_priority
    except OSError:
        return ""
    word = _POLICIES.get(policy, str(policy))
    return f"{word} {priority}" if priority else word

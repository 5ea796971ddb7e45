"""The numbers by which virtual routers elect their master, and how soon a silent one is noticed.

Of one `vrrp_instance` block: `priority`, `advert_int`, `preempt`, `timer_expired_backup`. Of instances that are built:
the intervals that follow from them.
"""

from __future__ import annotations

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

OWNER = 255
DEFAULT_PRIORITY = 100
HIGHEST_OF_OTHERS = 254
CENTISECOND_NS = 10_000_000


def priority_of(block: Statement, complaints: Complaints) -> tuple[int, bool]:
    """Base priority, and whether it wants to begin as master: QRK-1, FSM-10."""
    state = block.text_of("state")
    default = OWNER if state == "MASTER" else DEFAULT_PRIORITY
    priority = block.number_of("priority", default)
    if state == "MASTER" and not block.given("priority"):
        complaints.warning(
            f"'{block.text()}' has state MASTER and no priority: it is the address owner, priority {OWNER}",
            block.at,
            hint="give it a priority unless it owns the addresses",
        )
    return priority, state == "MASTER" or (not state and priority == OWNER)


def interval_cs(block: Statement, version: int, complaints: Complaints) -> int:
    """FIX-28 for version 2, FIX-29 for version 3; centiseconds."""
    found = block.last("advert_int")
    if found is None:
        return 100
    exact_ns = found.number()
    unit_cs, most_cs = (100, 25500) if version == 2 else (1, 4095)
    unit_ns = unit_cs * CENTISECOND_NS
    value_cs = min(max((exact_ns + unit_ns // 2) // unit_ns, 1) * unit_cs, most_cs)
    if value_cs * CENTISECOND_NS != exact_ns:
        rule = "whole seconds up to 255" if version == 2 else "hundredths of a second up to 40.95"
        message = f"advert_int: version {version} knows {rule}: {value_cs / 100:g} s is used"
        complaints.warning(message, found.at, trouble=Trouble.INVALID_VALUE)
    return value_cs


def preemption(block: Statement, priority: int, *, wants_master: bool, complaints: Complaints) -> tuple[bool, int]:
    """FIX-19 and FIX-20."""
    order = [child for child in block.children if child.name in ("preempt", "nopreempt") and not child.broken]
    preempt = not order or order[-1].name == "preempt"
    master = block.text_of("state") == "MASTER"
    why = "state MASTER" if master else f"priority {OWNER}"
    if not preempt and (master or priority == OWNER or wants_master):
        hint = "a node that shall not take back the addresses begins with state BACKUP"
        complaints.warning(f"nopreempt is ignored: '{block.text()}' has {why}", order[-1].at, hint=hint)
        preempt = True
    delay = block.last("preempt_delay")
    if delay is None or not delay.number():
        return preempt, 0
    if master or not preempt:
        reason = "state MASTER" if master else "nopreempt"
        complaints.warning(f"preempt_delay is ignored: '{block.text()}' has {reason}", delay.at)
        return preempt, 0
    return preempt, delay.number()


def highest_other(block: Statement, *, preempt: bool, complaints: Complaints) -> int:
    """FIX-22. pyhad notices its own silence in any case; the keyword says how soon the quickest other acts."""
    found = block.last("timer_expired_backup")
    if found is None or not found.values:
        return HIGHEST_OF_OTHERS
    if preempt:
        message = f"the priority of timer_expired_backup is ignored: '{block.text()}' has no nopreempt"
        complaints.warning(message, found.at)
        return HIGHEST_OF_OTHERS
    return found.number()


def lease_s(wanted: str, instance: VrrpInstance) -> int:
    """For how long the kernel keeps addresses that nobody renews; 0: for ever.

    `auto` is the longest master-down interval that a peer can have, in whole seconds rounded up: the addresses go when
    the peer has just taken over, not before.
    """
    if wanted != "auto":
        return 0 if wanted == "off" else int(wanted)
    interval_cs = instance.advertisement_interval_cs
    skew_base_cs = 100 if instance.version == 2 else interval_cs
    return -(-(instance.down_timer_adverts * interval_cs + skew_base_cs) // 100)


def down_interval_ns(instances: tuple[VrrpInstance, ...]) -> int:
    """After this long without adverts the first peer of any instance may take over; 0 without instances.

    FSM-2 with the smallest skew that a peer can have (FSM-1, priority 255), because peers' priorities are not known.
    """
    intervals = []
    for instance in instances:
        interval_ns = instance.advertisement_interval_cs * CENTISECOND_NS
        skew_base_ns = 100 * CENTISECOND_NS if instance.version == 2 else interval_ns
        intervals.append(instance.down_timer_adverts * interval_ns + skew_base_ns // 256)
    return min(intervals, default=0)

"""What the successor of a dead process may take over from its black box: two questions, no state.

The danger is in the time for which nobody listened. An Active router that was away for longer than its peers wait has
a successor there already; a Backup that was away may have missed advertisements which were sent.
"""

from __future__ import annotations

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.events import Startup
from pyhad.vrrp_proc.core.states import Backup
from pyhad.vrrp_proc.core.timers import (
    CENTISECOND_NS,
    active_down_interval_ns,
    interval_in_use_cs,
    patience_of_peers_ns,
    skew_time_ns,
)


def may_resume_active(config: VrrpInstance, event: Startup, now_ns: int) -> bool:
    """The predecessor was Active, and none of the others can have noticed yet that it is gone."""
    return event.restored_active and 0 <= now_ns - event.last_sent_ns < patience_of_peers_ns(config)


def resumed_backup(config: VrrpInstance, priority: int, event: Startup, now_ns: int) -> Backup:
    """Wait on for the same master, but listen for an interval and the skew at least.

    The remaining time alone would do wrong to a master whose advertisements nobody here was alive to hear.
    """
    interval_cs = interval_in_use_cs(config, event.restored_master_interval_cs)
    skew_ns = skew_time_ns(config.version, priority, interval_cs)
    earliest_ns = now_ns + interval_cs * CENTISECOND_NS + skew_ns
    whole_ns = active_down_interval_ns(config.version, priority, interval_cs, config.down_timer_adverts)
    return Backup(
        active_down_at_ns=min(max(event.restored_down_at_ns, earliest_ns), now_ns + whole_ns),
        active_adver_interval_cs=interval_cs,
        master_address=event.restored_backup_of,
        master_priority=event.restored_master_priority,
    )

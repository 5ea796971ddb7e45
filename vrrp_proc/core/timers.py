"""The intervals everything waits by, as integer ns: multiply first, divide last. Nothing else.

A 10 ms interval at priority 254 has a skew of 78,125 ns: whoever rounds to ms or cs on the way gets 0.
"""

from __future__ import annotations

from pyhad.common.config.model import VrrpInstance

CENTISECOND_NS = 10_000_000
HIGHEST_OF_OTHERS = 254  # an address owner apart, nobody's skew is smaller than with this
_V2_SKEW_UNIT_NS = 1_000_000_000  # RFC 3768 6.1: (256 - priority) / 256 seconds, whatever the interval


def skew_time_ns(version: int, priority: int, interval_cs: int) -> int:
    """How much later than a router of priority 256 this one acts (RFC 9568 6.1, FSM-1)."""
    unit_ns = _V2_SKEW_UNIT_NS if version == 2 else interval_cs * CENTISECOND_NS
    return (256 - priority) * unit_ns // 256


def active_down_interval_ns(version: int, priority: int, interval_cs: int, adverts: int) -> int:
    """How long a Backup of this priority does without advertisements (RFC 9568 6.1, FSM-2).

    `interval_cs` is the Active router's own in version 3, the agreed one in version 2; `adverts` is 3 in the RFC.
    """
    return adverts * interval_cs * CENTISECOND_NS + skew_time_ns(version, priority, interval_cs)


def patience_of_peers_ns(config: VrrpInstance) -> int:
    """After how long a silence of ours the quickest of the others takes over."""
    interval_cs, highest = config.advertisement_interval_cs, config.highest_other_priority
    return active_down_interval_ns(config.version, highest, interval_cs, config.down_timer_adverts)


def answer_gap_ns(config: VrrpInstance) -> int:
    """Least time between two answers to priority 0.

    Half of the shortest skew that any of the others can have. Whoever hears a priority 0 waits for its skew, so an
    answer that is late by less than that still comes in time to keep it quiet, and a flood of forged ones is
    answered at most 256 times in a second (version 2) or in an interval (version 3), not one for one.
    """
    return skew_time_ns(config.version, HIGHEST_OF_OTHERS, config.advertisement_interval_cs) // 2


def slowest_successor_ns(config: VrrpInstance) -> int:
    """How long after our priority 0 the slowest of the others (priority 1) has spoken, with an interval to spare."""
    interval_ns = config.advertisement_interval_cs * CENTISECOND_NS
    return interval_ns + (_V2_SKEW_UNIT_NS if config.version == 2 else interval_ns)


def interval_in_use_cs(config: VrrpInstance, heard_cs: int) -> int:
    """Version 3 follows the interval of the master it hears (0: of nobody), version 2 has the agreed one (FSM-2)."""
    return heard_cs if config.version == 3 and heard_cs else config.advertisement_interval_cs

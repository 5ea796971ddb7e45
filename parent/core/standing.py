"""Whether a loop stands still that ought to turn: evidence in place of patience, where intervals are short. Pure.

With adverts each 10 ms peers wait for 30: half a second of silence (core/settings.py) is too long to notice a hang, and
a few milliseconds of silence are no proof of one. So each turn of a child's loop leaves on the pulse page when the next
is due, and moves a timer there that only fires when that turn does not come. Then the child is looked at: what counts
is only time in which it could have gone on.

- Stopped, dead (its threads may linger), or asleep in the middle of a turn without having used the processor: it
  stands. Counted in full.
- Working: counted by the processor time that it used since it last got on with its turn, for a turn may have much to
  do, and each piece of it that is done shows as progress. A piece may be only long, so `core/child.py` believes it once
  a minute.
- Runnable without getting the processor, or in the kernel's hands (disk, swap): the machine is slow, and a successor
  would be no faster. Not counted; it shows as lateness.
- Time in which the observer itself was late: not counted beyond two steps.
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass

_STEPS = 4
"""Until what stands is known to stand, or what works to work for too long."""
_STEP_LEAST_NS = 1_250_000


class Doing(enum.Enum):
    """What the kernel says of a process."""

    STOPPED = "stopped"
    """By a signal, or held by a debugger."""
    DEAD = "dead"
    """Its end is known when its last thread has gone."""
    ASLEEP = "asleep"
    RUNNABLE = "runnable"
    KEPT = "kept"
    """In the kernel's hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long after a turn was due a child is taken for hanging."""

    step_ns: int
    """Between two looks at a child that is late."""

    @property
    def whole_ns(self) -> int:
        """From the moment at which the turn was due."""
        return _STEPS * self.step_ns


def limits_for(down_interval_ns: int) -> Limits:
    """A fifth of the smallest master-down interval.

    The last advert is up to a third of that interval older than the turn that is missed; the rest is its successor's,
    which takes some 7 ms to speak.
    """
    return Limits(step_ns=max(down_interval_ns // (5 * _STEPS), _STEP_LEAST_NS))


class Standing:
    """Of one child. `look` when a turn is late by a step; while it says so, `see` what the child does, ask `stands`,
    and look again at `next_look_ns`."""

    def __init__(self, limits: Limits) -> None:
        self.next_look_ns = 0
        self.stood_ns = 0
        """Without using the processor, since the first look."""
        self.worked_ns = 0
        """Processor time used since then, or since the last progress."""
        self._limits = limits
        self._due_ns = self._progress = 0
        self._seen_ns = 0
        """When it was last seen to be late; 0: not this time."""
        self._cpu_ns = self._used_ns = 0

    def look(self, due_ns: int, progress: int, cpu_ns: int, now_ns: int) -> bool:
        """When a turn is due by the pulse page (0: unknown), its count of what was done, and the processor time of the
        child since its start.

        True: that turn has not come; `see` why.
        """
        if (due_ns, progress) != (self._due_ns, self._progress):
            self._due_ns, self._progress, self._seen_ns = due_ns, progress, 0
            self.stood_ns = self.worked_ns = 0
        self._used_ns, self._cpu_ns = max(0, cpu_ns - self._cpu_ns), cpu_ns
        self.next_look_ns = now_ns + self._limits.step_ns
        return 0 < due_ns <= now_ns - self._limits.step_ns

    def see(self, doing: Doing, now_ns: int) -> None:
        """What it does now. The first time nothing is known but that it is late."""
        if self._seen_ns:
            gap_ns = min(now_ns - self._seen_ns, 2 * self._limits.step_ns)
            if doing in (Doing.STOPPED, Doing.DEAD) or (doing is Doing.ASLEEP and not self._used_ns):
                self.stood_ns += gap_ns
            else:
                self.worked_ns += gap_ns if self._used_ns * 4 > gap_ns * 3 else self._used_ns
        self._seen_ns = now_ns

    @property
    def stands(self) -> bool:
        """There is no doubt any more. The first look was a step after the turn was due."""
        return self.stood_ns + self.worked_ns >= self._limits.whole_ns - self._limits.step_ns

"""One `vrrp_script` as a machine of runs: when it runs, and when its results change its mind. Starts no program.

The first result decides at once; from then on `fall` failures or `rise` successes in a row are needed (TRK-11). A run
is due an interval after the last began; one that still runs then is not run twice (TRK-12).
"""

from __future__ import annotations

import enum

from pyhad.common.config.model.tracking import TrackScript


class Step(enum.Enum):
    """What a script's moment asks for."""

    WAIT = enum.auto()
    RUN = enum.auto()
    FAIL = enum.auto()
    """It still hangs: count a failure."""


class ScriptCheck:
    """`is_good` is what trackers see: None until the first run ended.

    `known` is what a predecessor had found of the same script, and needs `rise` or `fall` results to change. `presumed`
    is what another program of the same name had found before a reload: it counts until the first run has ended.
    """

    def __init__(
        self, config: TrackScript, now_ns: int, known: bool | None = None, presumed: bool | None = None
    ) -> None:
        self.config = config
        before = presumed if known is None else known
        self.is_good: bool | None = False if before is None and config.init_fail else before
        self.is_running = False
        self.due_ns = now_ns
        self._decides_at_once = known is None
        self._timed_out = False
        self._streak = 0
        """Results in a row that speak against `is_good`."""

    def wake(self, now_ns: int) -> Step:
        """What to do at this moment. Who hangs beyond its deadline fails once more at each interval."""
        if now_ns < self.due_ns:
            return Step.WAIT
        self.due_ns = now_ns + self.config.interval_ns
        if self.is_running:
            return Step.FAIL if self._timed_out else Step.WAIT
        self.is_running = True
        return Step.RUN

    def time_out(self) -> bool:
        """It takes too long: a failure now, whenever it will be gone. As `take_result`."""
        self._timed_out = True
        return self.take_result(False)

    def end(self, good: bool) -> bool:
        """The program is gone. Returns whether `is_good` became another."""
        self.is_running = False
        if self._timed_out:
            self._timed_out = False
            return False
        return self.take_result(good)

    def take_result(self, good: bool) -> bool:
        """One more result; returns whether `is_good` became another."""
        if self._decides_at_once:
            self._decides_at_once = False
            changed = self.is_good is not good
            self.is_good = good
            return changed
        if good is self.is_good:
            self._streak = 0
            return False
        self._streak += 1
        if self._streak < (self.config.rise if good else self.config.fall):
            return False
        self.is_good, self._streak = good, 0
        return True

    def is_same_as(self, config: TrackScript) -> bool:
        """REL-17: a result is kept where name, arguments and user are the same."""
        return (self.config.name, self.config.program) == (config.name, config.program)

    def reconfigure(self, config: TrackScript) -> None:
        """Other times or counts for the same script; its result stays."""
        self.due_ns += min(config.interval_ns - self.config.interval_ns, 0)
        self.config = config

"""Whether there are enough processes of a kind, and not too many, for long enough (TRK-40, TRK-41). Counts none itself.

A change counts at once, or when it has lasted for the delay of its direction: `fork_delay` when new processes brought
it, `terminate_delay` when others ended. A change that is taken back in time never was.
"""

from __future__ import annotations

from pyhad.common.config.model.tracking import TrackProcess


class ProcessQuorum:
    """One `vrrp_track_process`. `is_good` is None until the first count, which counts at once."""

    def __init__(self, config: TrackProcess, known: bool | None = None) -> None:
        self.config = config
        self.is_good = known
        self.count: int | None = None
        self._changes_at_ns: int | None = None
        self._grew = False

    @property
    def next_deadline_ns(self) -> int | None:
        """When a change that lasts counts."""
        return self._changes_at_ns

    @property
    def grows(self) -> bool:
        """Of the change that waits: whether new processes brought it."""
        return self._grew

    def reconfigure(self, config: TrackProcess) -> bool:
        """Other numbers or delays; what waits begins anew. True: `is_good` is another now."""
        if config == self.config:
            return False
        self.config, self._changes_at_ns = config, None
        return self.count is not None and self._settle(self._suffices(self.count))

    def counted(self, count: int, now_ns: int) -> bool:
        """There are so many now. True: `is_good` is another now."""
        before, self.count = self.count, count
        suffices = self._suffices(count)
        if before is None:
            return self._settle(suffices)
        if suffices == self.is_good:
            self._changes_at_ns = None
            return False
        if self._changes_at_ns is None:
            self._grew = count > before
            self._changes_at_ns = now_ns + self._delay_ns()
        return self.wake(now_ns)

    def wake(self, now_ns: int) -> bool:
        """Time went by. True: `is_good` is another now."""
        if self._changes_at_ns is None or now_ns < self._changes_at_ns or self.count is None:
            return False
        return self._settle(self._suffices(self.count))

    def _settle(self, suffices: bool) -> bool:
        changed, self.is_good = self.is_good != suffices, suffices
        self._changes_at_ns = None
        return changed

    def _suffices(self, count: int) -> bool:
        return self.config.least <= count <= self.config.most

    def _delay_ns(self) -> int:
        return self.config.fork_delay_ns if self._grew else self.config.terminate_delay_ns

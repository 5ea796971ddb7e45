"""Tells the control process what the virtual routers do: on connection, when asked, and soon after a change."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyhad.common import channels
from pyhad.common.bus import Link
from pyhad.common.messages import RouterStatus, StandbyDone, StandbyOrdered, StaticStatus, StatusWanted, VrrpStatus
from pyhad.common.messages_tracked import TrackedProcessStatus
from pyhad.common.runtime import Runtime

QUIET_NS = 200_000_000
"""At least this between two reports of changes: a hundred routers that change at once make one report."""
SHARE = 20
"""And so many times as long as the last report took: with thousands of routers it takes the loop's time."""


class Reporter:
    """The link to the control process. What the functions give is asked at the moment of each report."""

    def __init__(
        self,
        runtime: Runtime,
        routers: Callable[[], tuple[RouterStatus, ...]],
        counters: Callable[[], dict[str, int]],
        on_standby: Callable[[StandbyOrdered], tuple[str, ...]],
        readings: Callable[[], dict[str, int | None]],
    ) -> None:
        self.generation = 0
        """Of the configuration in force."""
        self._loop = runtime.loop
        self._routers = routers
        self.statics: Callable[[], StaticStatus] = StaticStatus
        """Asked like `routers`."""
        self.processes: Callable[[], tuple[TrackedProcessStatus, ...]] = tuple
        """Asked likewise."""
        self._counters = counters
        self._on_standby = on_standby
        self._readings = readings
        self._due = False
        self._last_ns = 0
        self._quiet_ns = QUIET_NS
        self._link = Link(
            runtime.loop,
            runtime.bus,
            channels.STATUS,
            path=runtime.path(channels.STATUS.path),
            identity=runtime.name.value,
            logger=runtime.logger,
            counters=runtime.counters,
            on_message=self._answer,
            on_up=self._report,
        )

    def changed(self) -> None:
        """Something is worth a report: at once, or when the last one is old enough."""
        if self._due:
            return
        self._due = True
        self._loop.at(max(time.monotonic_ns(), self._last_ns + self._quiet_ns), self._report_change)

    def _report_change(self) -> None:
        self._due = False
        self._report()

    def _answer(self, message: object) -> None:
        if isinstance(message, StandbyOrdered):
            self._link.send(StandbyDone(ticket=message.ticket, names=self._on_standby(message)))
            self.changed()
            return
        assert isinstance(message, StatusWanted)  # the only other kind that the channel lets through
        self._report(message.ticket)

    def _report(self, ticket: int = 0) -> None:
        self._last_ns = time.monotonic_ns()
        self._link.send(
            VrrpStatus(
                ticket=ticket,
                taken_ns=self._last_ns,
                generation=self.generation,
                routers=self._routers(),
                statics=self.statics(),
                counters=self._counters(),
                readings=self._readings(),
                processes=self.processes(),
            )
        )
        self._quiet_ns = max(QUIET_NS, SHARE * (time.monotonic_ns() - self._last_ns))

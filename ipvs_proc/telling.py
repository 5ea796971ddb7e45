"""What the IPVS owner reports to the control process, soon after a change and when asked. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhad.common import channels
from pyhad.common.bus import Link
from pyhad.common.loop import Timer
from pyhad.common.messages import IpvsStatus
from pyhad.common.runtime import Runtime
from pyhad.common.states import ProcessName

PUBLISH_NS = 50_000_000
"""Changes of this long become one report."""
SHARE = 200
"""And so many times as long as the last report took: of thousands of servers it takes the loop's time, and who wants to
know asks."""


class Reporter:
    """The link to the control process. `status(ticket)` is asked at the moment of each report."""

    def __init__(
        self, runtime: Runtime, status: Callable[[int], IpvsStatus], on_message: Callable[[Any], None]
    ) -> None:
        self._loop = runtime.loop
        self._status = status
        self._timer: Timer | None = None
        self._free_ns = 0
        self._link = Link(
            self._loop, runtime.bus, channels.STATUS, path=runtime.path(channels.STATUS.path),
            identity=ProcessName.IPVS.value, logger=runtime.logger, counters=runtime.counters,
            on_message=on_message, on_up=self.publish,
        )  # fmt: skip

    def changed(self) -> None:
        """Report soon."""
        if self._timer is None:
            self._timer = self._loop.at(max(self._loop.now_ns() + PUBLISH_NS, self._free_ns), self.publish)

    def publish(self) -> None:
        """Report now, unasked."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.report(0)

    def report(self, ticket: int) -> None:
        """The answer to a question with this ticket."""
        began_ns = self._loop.now_ns()
        self._link.send(self._status(ticket))
        ended_ns = self._loop.now_ns()
        self._free_ns = ended_ns + (ended_ns - began_ns) * SHARE

    def say(self, message: object) -> None:
        """Anything else that goes there."""
        self._link.send(message)

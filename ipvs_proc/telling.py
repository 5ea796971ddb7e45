"""What the IPVS owner reports to the control process, soon after a change and when asked. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhad.common import channels
from pyhad.common.bus import Link
from pyhad.common.messages import IpvsStatus
from pyhad.common.pace import Pace
from pyhad.common.runtime import Runtime
from pyhad.common.states import ProcessName

PUBLISH_NS = 50_000_000
"""Changes of this long become one report."""
SHARE = 200
"""And so many times as long as the last report took: of thousands of servers it takes the loop's time, and who wants to
know asks."""
GATHER = 10
"""It begins so many times as long as the last one took after what changed: many deaths take a while, too."""


class Reporter:
    """The link to the control process. `status(ticket)` is asked at the moment of each report."""

    def __init__(
        self, runtime: Runtime, status: Callable[[int], IpvsStatus], on_message: Callable[[Any], None]
    ) -> None:
        self._loop = runtime.loop
        self._status = status
        self._pace = Pace(self._loop, lambda: self._report(0), SHARE, pause_ns=PUBLISH_NS, gather=GATHER)
        self._link = Link(
            self._loop, runtime.bus, channels.STATUS, path=runtime.path(channels.STATUS.path),
            identity=ProcessName.IPVS.value, logger=runtime.logger, counters=runtime.counters,
            on_message=on_message, on_up=self.publish,
        )  # fmt: skip

    def changed(self) -> None:
        """Report soon."""
        self._pace.soon()

    def publish(self) -> None:
        """Report now, unasked."""
        self._pace.now()

    def report(self, ticket: int) -> None:
        """The answer to a question with this ticket."""
        self._pace.measure(lambda: self._report(ticket))

    def _report(self, ticket: int) -> None:
        self._link.send(self._status(ticket))

    def say(self, message: object) -> None:
        """Anything else that goes there."""
        self._link.send(message)

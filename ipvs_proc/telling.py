"""What the IPVS owner reports to the control process, soon after a change and when asked. Decides nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from pyhad.common import channels
from pyhad.common.bus import Link
from pyhad.common.messages import IpvsStatus, ServiceStatus
from pyhad.common.pace import Pace
from pyhad.common.portions import Portions
from pyhad.common.runtime import Runtime
from pyhad.common.sealed import Sealed
from pyhad.common.sealing import seal
from pyhad.common.states import ProcessName

PUBLISH_NS = 50_000_000
"""Changes of this long become one report."""
SHARE = 200
"""And so many times as long as the last report took: of thousands of servers it takes the loop's time, and who wants to
know asks."""
GATHER = 10
"""It begins so many times as long as the last one took after what changed: many deaths take a while, too."""
SERVERS_IN_PART = 500
"""Packed together, and no more at once."""


class Reporter:
    """The link to the control process. `services()` and `status(ticket, services)` are asked for each report."""

    def __init__(
        self,
        runtime: Runtime,
        services: Callable[[], Iterator[ServiceStatus]],
        status: Callable[[int, Sequence[ServiceStatus]], IpvsStatus],
        portions: Portions,
        on_message: Callable[[Any], None],
    ) -> None:
        self._loop = runtime.loop
        self._services = services
        self._status = status
        self._portions = portions
        self._pace = Pace(self._loop, self._begin, SHARE, pause_ns=PUBLISH_NS, gather=GATHER)
        self._is_at_it = False
        self._is_outdated = False
        self._link = Link(
            self._loop, runtime.bus, channels.STATUS, path=runtime.path(channels.STATUS.path),
            identity=ProcessName.IPVS.value, logger=runtime.logger, counters=runtime.counters,
            on_message=on_message, on_up=self.publish,
        )  # fmt: skip

    def changed(self) -> None:
        """Report soon. What changes while a report is made has one of its own."""
        if self._is_at_it:
            self._is_outdated = True
        else:
            self._pace.soon()

    def publish(self) -> None:
        """Report now, unasked."""
        self._pace.now()

    def _begin(self) -> None:
        if not self._is_at_it:
            self._is_at_it, self._is_outdated = True, False
            self._portions.begin(self._unasked())

    def _unasked(self) -> Generator[None, None, None]:
        yield from self.reporting(0)
        self._is_at_it = False
        if self._is_outdated:
            self._pace.soon()

    def reporting(self, ticket: int, between: Callable[[], None] = lambda: None) -> Generator[None, None, None]:
        """The answer to a question with this ticket, in portions; `between` them the given is called."""
        parts: list[bytes] = []
        rows: list[ServiceStatus] = []
        cost_ns, began_ns = 0, self._loop.now_ns()
        for service in itertools.chain(self._services(), (None,)):
            if service is not None:
                rows.append(service)
            if service is None or sum(len(row.destinations) for row in rows) >= SERVERS_IN_PART:
                parts.append(seal(rows))
                rows = []
                cost_ns += self._loop.now_ns() - began_ns
                between()
                if service is not None:
                    yield
                began_ns = self._loop.now_ns()
        self._link.send(self._status(ticket, Sealed(parts)))
        self._pace.count(cost_ns + self._loop.now_ns() - began_ns)

    def say(self, message: object) -> None:
        """Anything else that goes there."""
        self._link.send(message)

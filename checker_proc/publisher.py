"""What the checker says on the bus: verdicts to the IPVS owner, status to control. Decides nothing about servers.

Every snapshot begins a new generation, taken from the monotonic clock, so that none goes back over a respawn.
"""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.bus import Link
from pyhad.common.channels import STATUS, VERDICTS, Channel
from pyhad.common.loop import Timer
from pyhad.common.messages import (
    AtWork,
    Beat,
    CheckerStatus,
    QuorumChanged,
    QuorumSnapshot,
    SnapshotWanted,
    StatusWanted,
    Verdict,
    VerdictChanged,
    VerdictSnapshot,
)
from pyhad.common.pace import Pace
from pyhad.common.runtime import Runtime

IDENTITY = "checker"
BEAT_NS = 500_000_000
SNAPSHOT_PAUSE_NS = 100_000_000
"""Snapshots asked for go out at most this often: a receiver that misses much asks more than once."""
STATUS_PAUSE_NS = 200_000_000
"""Status goes out on change at most this often, and less often where building it is dear."""
STATUS_SHARE = 20
"""At most one part in so many of the time is spent on status that nobody asked for."""
STATUS_GATHER = 10
"""It begins so many times as long as the last one took after what changed: many deaths take a while, too."""


class Publisher:
    """The two links. `verdicts` and `status` give what there is to say at the moment they are called."""

    def __init__(
        self,
        runtime: Runtime,
        verdicts: Callable[[], tuple[Verdict, ...]],
        status: Callable[[int, int], CheckerStatus],
        on_quorums: Callable[[Link, QuorumSnapshot | QuorumChanged | Beat], None],
    ) -> None:
        self._runtime = runtime
        self._loop = runtime.loop
        self._all_verdicts = verdicts
        self._status = status
        self._on_quorums = on_quorums
        self._generation = 0
        self._sequence = 0
        self._snapshot_ns = 0
        self._snapshot_timer: Timer | None = None
        self._status_pace = Pace(
            self._loop, self._say_status, STATUS_SHARE, pause_ns=STATUS_PAUSE_NS, gather=STATUS_GATHER
        )
        self._verdict_link = self._link(VERDICTS, self._heard, self.say_all)
        self._status_link = self._link(STATUS, self._status_wanted, self._status_pace.now)
        self._loop.every(BEAT_NS, self._beat)

    def _link(self, channel: Channel, on_message: Callable[..., None], on_up: Callable[[], None]) -> Link:
        return Link(
            self._loop,
            self._runtime.bus,
            channel,
            path=self._runtime.path(channel.path),
            identity=IDENTITY,
            logger=self._runtime.logger,
            counters=self._runtime.counters,
            on_message=on_message,
            on_up=on_up,
        )

    def say_all(self) -> None:
        """All verdicts, as a new generation."""
        if self._snapshot_timer is not None:
            self._snapshot_timer.cancel()
            self._snapshot_timer = None
        self._snapshot_ns = self._loop.now_ns()
        self._generation = max(self._generation + 1, self._snapshot_ns)
        self._sequence = 0
        self._verdict_link.send(VerdictSnapshot(generation=self._generation, sequence=0, verdicts=self._all_verdicts()))

    def say_again(self, said: tuple[Verdict, ...]) -> None:
        """After a reload: what is another than `said`, the verdicts before it; all where the servers are others."""
        now = self._all_verdicts()
        if [(one.service, one.server) for one in now] != [(one.service, one.server) for one in said]:
            self.say_all()
            return
        for was, verdict in zip(said, now, strict=True):
            if verdict != was:
                self.say(verdict)

    def say(self, verdict: Verdict) -> None:
        """One verdict that changed. Before the first snapshot there is nothing to change."""
        if not self._generation:
            return
        self._sequence += 1
        self._verdict_link.send(VerdictChanged(generation=self._generation, sequence=self._sequence, verdict=verdict))

    def status_changed(self) -> None:
        """Say the status soon."""
        self._status_pace.soon()

    def _beat(self) -> None:
        if self._generation:
            self._verdict_link.send(Beat(generation=self._generation, sequence=self._sequence))

    def _heard(self, message: SnapshotWanted | QuorumSnapshot | QuorumChanged | Beat) -> None:
        if isinstance(message, SnapshotWanted):
            self._snapshot_wanted(message)
        else:
            self._on_quorums(self._verdict_link, message)

    def _snapshot_wanted(self, wanted: SnapshotWanted) -> None:
        if self._snapshot_timer is None:
            self._runtime.logger.info("snapshot_wanted", reason=wanted.reason)
            self._snapshot_timer = self._loop.at(self._snapshot_ns + SNAPSHOT_PAUSE_NS, self.say_all)

    def _status_wanted(self, wanted: StatusWanted) -> None:
        self._status_pace.measure(lambda: self._send_status(wanted.ticket))

    def _say_status(self) -> None:
        self._send_status(0)

    def _send_status(self, ticket: int) -> None:
        if ticket:  # of thousands of servers it takes its time
            self._status_link.send(AtWork(ticket=ticket))
        self._status_link.send(self._status(ticket, self._generation))

"""Says to the checker which services have their quorum, as levels then edges, for it to tell others. Decides none."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.messages import (
    Beat,
    QuorumChanged,
    QuorumSnapshot,
    QuorumState,
    SnapshotWanted,
    VerdictChanged,
    VerdictSnapshot,
)
from pyhad.ipvs_proc.core.virtual_service import VirtualService

FromChecker = VerdictSnapshot | VerdictChanged | Beat | SnapshotWanted
"""What the owner hears on the channel of the verdicts."""


class Quorums:
    """What the checker was told. `services` gives all of them, `send` reaches the checker there is now, if any."""

    def __init__(
        self,
        services: Callable[[], dict[str, VirtualService]],
        send: Callable[[QuorumSnapshot | QuorumChanged | Beat], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._services = services
        self._send = send
        self._now_ns = now_ns
        self._generation = 0
        self._sequence = 0
        self._changed: dict[str, None] = {}

    def say_all(self) -> None:
        """Everything, as a new generation."""
        self._generation = max(self._generation + 1, self._now_ns())
        self._sequence = 0
        self._changed.clear()
        states = tuple(_state_of(service) for service in self._services().values())
        self._send(QuorumSnapshot(generation=self._generation, sequence=0, states=states))

    def changed(self, identity: str) -> None:
        """One was gained or lost: to be said by `flush`."""
        self._changed[identity] = None

    def flush(self) -> None:
        """Say what changed, once the table is written. Before the first snapshot there is nothing to change."""
        changed, self._changed = self._changed, {}
        for identity in changed:
            service = self._services().get(identity)
            if self._generation and service is not None:
                self._sequence += 1
                state = _state_of(service)
                self._send(QuorumChanged(generation=self._generation, sequence=self._sequence, state=state))

    def beat(self) -> None:
        """What the checker should have."""
        if self._generation:
            self._send(Beat(generation=self._generation, sequence=self._sequence))


def _state_of(service: VirtualService) -> QuorumState:
    return QuorumState(
        service=service.config.id,
        up=service.quorum_up,
        weight_sum=service.weight_sum(),
        quorum=service.config.quorum,
        hysteresis=service.config.hysteresis,
    )

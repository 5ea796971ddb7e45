"""What a data plane is to the rest of this room: a contract, no code of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pyhad.common.config.model import Listener
from pyhad.common.errors import KernelError
from pyhad.common.records import dataclass
from pyhad.ipvs_proc.core.reconcile import Change
from pyhad.ipvs_proc.core.table import Connections, Endpoint, Entry, Glance, Reading


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that the kernel did not make, and why."""

    change: Change
    error: KernelError


class Plane(Protocol):
    """IPVS or nftables. Every method may raise `KernelError` when the kernel cannot be asked at all."""

    name: str
    owns_everything: bool
    """Nobody else writes here: what is there and not configured is a leftover of ours."""

    reads_at_once: bool
    """`glance` reads everything, and what it gives is as old as that; else a service is read when it is asked for."""

    def read(self) -> Reading:
        """The table as it is now, with counters."""
        ...

    def glance(self) -> Glance:
        """The services now, and a way to the servers of each of them."""
        ...

    def connections(self, listener: Listener) -> Mapping[Endpoint, Connections]:
        """What is counted for the destinations of one service now; -1 where connections are not followed."""
        ...

    def problem_with(self, entry: Entry) -> str:
        """Why this service cannot be had here, as a sentence; empty when it can."""
        ...

    def apply(self, changes: list[Change]) -> list[Refusal]:
        """Make these changes in this order; one that fails does not stop the others."""
        ...

    def flush(self) -> None:
        """Take everything away, whoever made it."""

    def retire(self) -> None:
        """Take away what was made beside the services; after they are gone."""

    def close(self) -> None:
        """Release what this process holds; the table stays."""

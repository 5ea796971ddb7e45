"""How a virtual router reaches those who want to hear of its changes. Does nothing itself."""

from __future__ import annotations

from typing import Protocol

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.notices import Told


class Teller(Protocol):
    """Who passes changes on to scripts and FIFOs; the one there is is `Notifier`."""

    def state(self, config: VrrpInstance, state: Told, priority: int) -> None:
        """It is in another state."""
        ...

    def priority(self, config: VrrpInstance, priority: int, *, is_master: bool) -> None:
        """Its effective priority is another."""
        ...

    def lower_priority(self, config: VrrpInstance, priority: int) -> None:
        """As master it heard somebody lesser."""
        ...

    def repeat(self, config: VrrpInstance, state: Told, priority: int) -> None:
        """It is still in this state; only the FIFOs want to know."""
        ...

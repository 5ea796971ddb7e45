"""Whom a virtual router reaches beyond itself: those who hear of its changes, and its sync group. Does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.notices import Told

if TYPE_CHECKING:
    from pyhad.vrrp_proc.instance import Instance


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


class Companions(Protocol):
    """The other members of sync groups; the one there is is `Groups`."""

    def after(self, instance: Instance) -> None:
        """It handled an event."""
        ...

    def lower_heard(self, instance: Instance) -> None:
        """As master it heard somebody lesser."""
        ...

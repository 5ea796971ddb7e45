"""Hears from the VRRP process which role the sync daemon has to play. Decides nothing else.

The VRRP process repeats itself every second, so a lost word heals. When it falls silent for long, its addresses are
gone from here by now (their lease is shorter), and the daemon that receives is the right one.
"""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common import channels
from pyhad.common.bus import Hub, Peer
from pyhad.common.loop import Timer
from pyhad.common.messages import RoleSaid
from pyhad.common.runtime import Runtime
from pyhad.common.states import ProcessName

PATIENCE_NS = 15_000_000_000
"""Longer than the parent takes to replace a VRRP process that hangs."""


class Roles:
    """`is_master` of the instance asked for; None while nobody has said anything. `on_change()` when it is another."""

    def __init__(self, runtime: Runtime, on_change: Callable[[], None]) -> None:
        self._runtime = runtime
        self._on_change = on_change
        self._said: RoleSaid | None = None
        self._timer: Timer | None = None
        self._hub = Hub(
            runtime.loop,
            runtime.bus,
            channels.ROLES,
            path=runtime.path(channels.ROLES.path),
            listener_fd=runtime.context.listeners.get(channels.ROLES.name, -1),
            logger=runtime.logger,
            counters=runtime.counters,
            is_welcome=self._is_vrrp,
            on_message=self._hear,
        )

    def is_master(self, instance: str) -> bool | None:
        """Whether that instance is master here; None: not known."""
        return self._said.is_master if self._said is not None and self._said.instance == instance else None

    def _is_vrrp(self, peer: Peer) -> bool:
        return peer.pid == self._runtime.context.pulse.read(ProcessName.VRRP).pid

    def _hear(self, _sender: bytes, _peer: Peer, message: RoleSaid) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._runtime.loop.after(PATIENCE_NS, self._silent)
        self._set(message)

    def _silent(self) -> None:
        self._timer = None
        if self._said is not None:
            self._runtime.logger.warning("sync_role_not_heard", instance=self._said.instance)
            self._set(RoleSaid(instance=self._said.instance, is_master=False))

    def _set(self, said: RoleSaid) -> None:
        if said != self._said:
            self._said = said
            self._on_change()

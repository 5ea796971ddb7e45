"""Tells the IPVS owner whether the instance that its sync daemon follows is master here. Knows nothing of sync daemons.

The whole truth each time: on connection, when it changes, and every second, so that nothing rests on one delivery.
"""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common import channels
from pyhad.common.bus import Link
from pyhad.common.messages import RoleSaid
from pyhad.common.runtime import Runtime

REPEAT_NS = 1_000_000_000


class RoleTeller:
    """Silent, without a socket, until an instance is named. `is_master(name)` is asked at each word."""

    def __init__(self, runtime: Runtime, is_master: Callable[[str], bool]) -> None:
        self._runtime = runtime
        self._is_master = is_master
        self._instance = ""
        self._said: RoleSaid | None = None
        self._link: Link | None = None

    def configure(self, instance: str) -> None:
        """Tell of this one from now on; of none when empty."""
        self._instance, self._said = instance, None
        if instance and self._link is None:
            self._link = self._connect()
            self._runtime.loop.every(REPEAT_NS, self._say)
        self.changed()

    def changed(self) -> None:
        """Some router changed its state: said if it is that one."""
        if self._instance and self._said != self._truth():
            self._say()

    def _say(self) -> None:
        if self._instance and self._link is not None:
            self._said = self._truth()
            self._link.send(self._said)

    def _truth(self) -> RoleSaid:
        return RoleSaid(instance=self._instance, is_master=self._is_master(self._instance))

    def _connect(self) -> Link:
        runtime = self._runtime
        return Link(
            runtime.loop,
            runtime.bus,
            channels.ROLES,
            path=runtime.path(channels.ROLES.path),
            identity=runtime.name.value,
            logger=runtime.logger,
            counters=runtime.counters,
            on_message=lambda message: None,
            on_up=self._say,
        )

"""What of the kernel's IPVS belongs to no service: connection timeouts and sync daemons. Touches no service.

Sync daemons that we did not start and that are not configured are left alone; that we started them is in the black box.
"""

from __future__ import annotations

import collections

from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.config.model import KERNEL_TIMEOUTS, IpvsDocument, IpvsTimeouts, SyncDaemon
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.ipvs_proc.kernel import IpvsPlane
from pyhad.ipvs_proc.plane import Plane

KEY = key_of("sync")
_FAILED = "ipvs_settings_failed"
Wish = tuple[IpvsTimeouts, SyncDaemon | None, bool | None]
"""Timeouts, sync daemon, and whether the instance that it follows is master."""


class Settings:
    """Compares and writes only differences. A refusal is logged once and tried again with each `bring`."""

    def __init__(
        self, box: BlackBox, is_ours: bool, logger: FilteringBoundLogger, counters: collections.Counter[str]
    ) -> None:
        self._box = box
        self._sync_is_ours = is_ours
        self._logger = logger
        self._counters = counters
        self._said: dict[str, str] = {}
        self._brought: Wish | None = None
        """What the kernel had when we looked last; None: not all that was wanted."""

    def bring(self, plane: Plane, document: IpvsDocument, is_master: bool | None = None) -> None:
        """Bring the kernel in line with the configuration, and with the instance that the sync daemon follows."""
        wanted = document.timeouts != KERNEL_TIMEOUTS or document.sync is not None
        if not isinstance(plane, IpvsPlane):
            self._brought = None
            if wanted:
                self._say("settings_without_ipvs", "lvs_timeouts and lvs_sync_daemon need the kernel's IPVS")
            return
        wish = document.timeouts, document.sync, is_master
        is_repair, self._brought = wish == self._brought, None
        try:
            if document.timeouts != KERNEL_TIMEOUTS and plane.set_timeouts(document.timeouts):
                self._changed("timeouts_set", 1, is_repair)
            self._bring_sync(plane, document, is_master, is_repair)
            self._said.clear()
            self._brought = wish
        except KernelError as error:
            self._counters["kernel_refusals"] += 1
            self._say(_FAILED, str(error))

    @property
    def problem(self) -> str:
        """Why the kernel does not have them as they are wanted; empty: it has."""
        return self._said.get(_FAILED, "")

    def stop(self, plane: Plane) -> None:
        """At the end of the daemon: our sync daemons stop. Timeouts stay."""
        if self._sync_is_ours and isinstance(plane, IpvsPlane):
            try:
                plane.set_sync(None)
            except KernelError as error:
                self._say(_FAILED, str(error))

    def _changed(self, event: str, changes: int, is_repair: bool, **fields: str) -> None:
        """Say what was written; as a repair when somebody else changed what we had brought before."""
        self._counters["changes_written"] += changes
        self._counters["drift_repaired"] += is_repair
        log = self._logger.warning if is_repair else self._logger.info
        log(event, **fields, changes=changes, repaired=is_repair)

    def _bring_sync(self, plane: IpvsPlane, document: IpvsDocument, is_master: bool | None, is_repair: bool) -> None:
        if document.sync is None and not self._sync_is_ours:
            return
        if document.sync is not None and not self._sync_is_ours:
            self._sync_is_ours = True
            self._box.put(KEY, b"1")  # before it runs: our successor stops what it does not want
        made = plane.set_sync(document.sync, is_master)
        if made:
            interface = document.sync.interface if document.sync is not None else ""
            self._changed("sync_daemons_changed", made, is_repair, interface=interface)
        if document.sync is None:
            self._sync_is_ours = False
            self._box.forget(KEY)

    def _say(self, event: str, reason: str) -> None:
        if self._said.get(event) != reason:
            self._said[event] = reason
            self._logger.error(event, reason=reason)

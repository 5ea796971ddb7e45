"""Static addresses, routes and rules: there while the daemon runs, put back when somebody removes them (TRK-60).

They belong to the process, not to a virtual router. Who removed them, and whether something was, is found out elsewhere
(upkeep.py); here they are installed, kept and taken away.
"""

from __future__ import annotations

import collections
import os
from collections.abc import Iterable

from pyhad.common.config.model import Path, Place, Statics, VirtualAddress
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.vrrp_proc.core.differences import differences
from pyhad.vrrp_proc.core.put_back import PutBack, Thing
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.leading import Leading

RETRY_NS = 5_000_000_000


class StaticItems:
    """The holder of everything static."""

    def __init__(
        self, loop: Loop, logger: FilteringBoundLogger, holdings: Holdings, counters: collections.Counter[str]
    ) -> None:
        self.config = Statics()
        self._loop = loop
        self._log = logger
        self._holdings = holdings
        self._counters = counters
        self._leading = Leading(counters)
        self._put_back = PutBack()
        self._refused: set[Path] = set()
        self._missing: dict[VirtualAddress, int] = {}
        """Addresses that the kernel did not take, with its errno."""
        self._timer: Timer | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Routes and rules, in the order of installation."""
        return self.config.routes + self.config.rules

    @property
    def missing(self) -> tuple[str, ...]:
        """What is configured and not there, for people."""
        addresses = (f"{one.address}/{one.prefix_len}" for one in self._missing)
        return (*addresses, *(path.text for path in self.paths if path in self._refused))

    def configure(self, config: Statics, *, owns_found: bool) -> None:
        """Only the difference is written. `owns_found`: what is there already was put there by a predecessor."""
        old, old_paths = self.config, self.paths
        self.config = config
        gone, added = differences(old.addresses, config.addresses)
        paths_gone, paths_added = differences(old_paths, self.paths)
        if gone or paths_gone:
            self._remove(gone, paths_gone)
        if added or paths_added:
            self._install(added, paths_added, owns_found=owns_found)

    def stop(self) -> None:
        """Take everything away (PROC-31)."""
        if self._timer is not None:
            self._timer.cancel()
        self._remove(self.config.addresses, self.paths)
        self.config = Statics()

    def appeared(self, interfaces: set[str]) -> None:
        """These interfaces changed: what belongs on them may be missing, without anybody having removed it."""
        addresses = tuple(one for one in self.config.addresses if one.interface in interfaces)
        if addresses or self._refused:
            self._install(addresses, tuple(self._refused), owns_found=False)

    def lose(self, addresses: Iterable[Place], paths: Iterable[Path]) -> None:
        """(interface, address) and paths of ours that are gone, or may be."""
        kept = {one.place for one in self.config.addresses if one.tracked}
        lost: set[Thing] = set(kept.intersection(addresses))
        lost.update(path for path in paths if path in self.paths and path.tracked)
        self._mend(self._put_back.lose(lost, self._loop.now_ns()))

    def _mend(self, due: set[Thing]) -> None:
        addresses = tuple(one for one in self.config.addresses if one.place in due)
        routes = [path for path in self.paths if path in due or (addresses and path.tracked)]
        if addresses or routes:
            self._install(addresses, tuple(routes), owns_found=True, mending=True)
        self._arm()

    def _install(
        self,
        addresses: tuple[VirtualAddress, ...],
        paths: tuple[Path, ...],
        *,
        owns_found: bool,
        mending: bool = False,
    ) -> None:
        outcome = self._holdings.install(self, addresses, paths, owns_found=owns_found)
        if mending and outcome.done:
            first = outcome.done[0].address
            self._log.warning("lost_static_addresses_put_back", count=len(outcome.done), first=first)
        for address in outcome.done + outcome.already:
            self._missing.pop(address, None)
        for address, number in outcome.failed:
            if self._missing.get(address) != number:
                self._missing[address] = number
                self._counters["address_errors"] += 1
                name, error = address.address, os.strerror(number)
                self._log.error("static_address_not_installed", address=name, device=address.interface, error=error)
        self._leading.installed(self._log, outcome.paths, mending=mending)
        lost = [path for path in outcome.paths.done if mending and path not in self._refused]
        if lost:
            self._log.warning("lost_static_paths_put_back", count=len(lost), first=lost[0].text)
        self._refused.difference_update(outcome.paths.done, outcome.paths.already)
        self._refused.update(refusal.path for refusal in outcome.paths.failed)
        self._leading.settled.clear()
        self._arm()

    def _remove(self, addresses: tuple[VirtualAddress, ...], paths: tuple[Path, ...]) -> None:
        outcome = self._holdings.remove(self, addresses, paths)
        self._leading.removed(self._log, outcome.paths)
        self._refused.difference_update(paths)
        for address in addresses:
            self._missing.pop(address, None)

    def _arm(self) -> None:
        """Have the timer run when something waits to be put back, or the kernel to be asked again."""
        now_ns = self._loop.now_ns()
        due_ns = self._put_back.due_ns(now_ns)
        if (self._refused or self._missing) and (due_ns is None or due_ns > now_ns + RETRY_NS):
            due_ns = now_ns + RETRY_NS
        if self._timer is not None and self._timer.action is not None:
            if due_ns is not None and self._timer.at_ns <= due_ns:
                return
            self._timer.cancel()
        self._timer = None if due_ns is None else self._loop.at(due_ns, self._wake)

    def _wake(self) -> None:
        self._mend(self._put_back.take_due(self._loop.now_ns()))
        if self._refused or self._missing:
            self._install(tuple(self._missing), tuple(self._refused), owns_found=False)
        self._arm()

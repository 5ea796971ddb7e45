"""Which router, or the static items, a loss of addresses, routes or rules concerns; and the watch for such losses.

Decides nothing about what is done then: that is the routers' own business (core/duties.py), or static_items.py's.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable

from pyhad.common.config.model import Path, Place, VirtualRoute, VrrpDocument
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.common.messages import StaticStatus
from pyhad.vrrp_proc.instance import Instance
from pyhad.vrrp_proc.kernel.holdings import Holdings
from pyhad.vrrp_proc.kernel.ledger import Ledger
from pyhad.vrrp_proc.kernel.links import Changes, Links
from pyhad.vrrp_proc.kernel.path_holdings import Gone
from pyhad.vrrp_proc.kernel.path_watch import PathWatch
from pyhad.vrrp_proc.static_items import StaticItems


class Upkeep:
    """Everything that is held, kept."""

    def __init__(
        self,
        loop: Loop,
        logger: FilteringBoundLogger,
        holdings: Holdings,
        links: Links,
        counters: collections.Counter[str],
        ledger: Ledger,
    ) -> None:
        self._logger = logger
        self._holdings = holdings
        self._links = links
        self._statics = StaticItems(loop, logger, holdings, counters)
        self._ledger = ledger
        ledger.on_left_over = self._remove_left_over
        self._watch = PathWatch(loop, self._gone, self._missed)

    def configure(self, document: VrrpDocument, *, is_successor: bool) -> None:
        """The static items, and what is noted and watched, of a (new) document."""
        self._ledger.configure(document)
        statics = document.statics
        watched: list[Path] = [*statics.routes, *statics.rules]
        for config in document.instances:
            watched += config.routes + config.rules
        try:
            self._watch.fit(watched)
        except KernelError as error:
            self._logger.error("routes_not_watched", error=str(error))
        self._statics.configure(statics, owns_found=is_successor)

    def forget(self) -> None:
        """Nothing of ours is there any more that the next daemon would have to remove."""
        self._ledger.clear()

    def _remove_left_over(self, paths: tuple[Path, ...]) -> None:
        """Routes and rules that a daemon before this one left, and that nobody has configured now."""
        outcome = self._holdings.paths.discard(paths)
        for path in outcome.done:
            self._logger.warning("leftover_path_removed", path=path.text)

    def stop(self) -> None:
        """The static items go; nothing is watched any more."""
        self._watch.close()
        self._statics.stop()

    def changed(self, changes: Changes, virtual: frozenset[str]) -> None:
        """Interfaces and addresses came or went. The kernel says nothing of the IPv4 routes that went with them."""
        self._find_lost(changes.addresses, changes.interrupted)
        doubtful = set(changes.links)
        for name, address in changes.addresses:
            interface = self._links.by_name.get(name)
            if address not in virtual and (interface is None or not interface.has_address(address)):
                doubtful.add(name)
        if changes.links:
            self._statics.appeared({name for name in changes.links if name in self._links.by_name})
        if doubtful and self._holdings.paths.held():
            self._doubt(self._holdings.paths.led_by(lambda path: _hangs_on(path, doubtful)), removed=False)

    def _find_lost(self, addresses: Iterable[Place], interrupted: set[str]) -> None:
        lost: dict[tuple[Instance, bool], list[Place]] = {}
        static: list[Place] = []
        for name, address in addresses:
            holder = self._holdings.holder_of(name, address)
            interface = self._links.by_name.get(name)
            if holder is None or (interface is not None and interface.has_address(address)):
                continue
            if isinstance(holder, Instance):
                went = interface is None or not interface.is_usable or name in interrupted
                lost.setdefault((holder, went), []).append((name, address))
            elif interface is not None:  # else it comes back with its interface
                static.append((name, address))
        if static:
            self._statics.lose(static, ())
        for (instance, went), gone in lost.items():
            instance.lose(sorted(gone), with_interface=went)

    def _gone(self, found: list[Gone]) -> None:
        self._doubt([one for gone in found for one in self._holdings.paths.meant_by(gone)], removed=True)

    def _missed(self) -> None:
        self._logger.warning("route_notifications_lost")
        self._doubt(self._holdings.paths.led_by(lambda path: True), removed=True)

    def _doubt(self, found: Iterable[tuple[object, Path]], *, removed: bool) -> None:
        by_holder: dict[object, list[Path]] = {}
        for holder, path in found:
            by_holder.setdefault(holder, []).append(path)
        for holder, paths in by_holder.items():
            if isinstance(holder, Instance):
                holder.doubt(paths, removed=removed)
            else:
                self._statics.lose((), paths)

    def status(self) -> StaticStatus:
        """For `pyhadctl status`."""
        config = self._statics.config
        return StaticStatus(
            addresses=tuple(f"{one.address}/{one.prefix_len} dev {one.interface}" for one in config.addresses),
            routes=tuple(route.text for route in config.routes),
            rules=tuple(rule.text for rule in config.rules),
            missing=self._statics.missing,
        )

    def counters(self) -> dict[str, int]:
        """Of the watch."""
        return {"route_overruns": self._watch.overruns, "route_messages_refused": self._watch.refused}


def _hangs_on(path: Path, interfaces: set[str]) -> bool:
    """Whether the kernel may have dropped it because of these interfaces."""
    if not isinstance(path, VirtualRoute):
        return False
    if path.interfaces:
        return not interfaces.isdisjoint(path.interfaces)
    return bool(path.gateway or path.next_hops or path.preferred_source)

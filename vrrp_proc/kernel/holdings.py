"""Which virtual router holds which address on which interface, so that no one takes off what another needs.

Routes and rules go with the addresses, in the same batch: after them when they come, before them when they go (NET-2).

An address that was there already and that no pyhad put there is foreign: it stays when a router lets go (NET-11),
unless the operator asked otherwise (`-X`, CLI-13).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pyhad.common.config.model import Path, Place, VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.sweep import left_over
from pyhad.vrrp_proc.kernel.addresses import Addresses, Outcome
from pyhad.vrrp_proc.kernel.leases import Leases
from pyhad.vrrp_proc.kernel.path_holdings import PathHoldings


class Holdings:
    """Installs and removes for holders (any object that stands for one router)."""

    def __init__(self, addresses: Addresses, leases: Leases, *, release_foreign: bool = False) -> None:
        self.leases = leases
        self.paths = PathHoldings(addresses.paths())
        self._addresses = addresses
        self._release_foreign = release_foreign
        self._holder: dict[Place, object] = {}
        self._foreign: set[VirtualAddress] = set()

    def holder_of(self, interface: str, address: str) -> object | None:
        """Who holds it; None when nobody here does."""
        return self._holder.get((interface, address))

    def install(
        self, holder: object, addresses: Iterable[VirtualAddress], paths: Iterable[Path] = (), *, owns_found: bool
    ) -> Outcome:
        """Put all on. `owns_found`: what is there already was put there by our predecessor."""
        rider = self.paths.adding(paths)
        outcome = self._addresses.install(addresses, rider.messages)
        led = self.paths.added(holder, rider, outcome.others, owns_found=owns_found)
        self._foreign.difference_update(outcome.done)
        for address in outcome.already:
            # What is held here came from us, even where the picture of links has not yet heard of it.
            ours = owns_found or address.place in self._holder or self._addresses.is_marked(address)
            if not ours:
                self._foreign.add(address)
        for address in outcome.done + outcome.already:
            self._holder[address.place] = holder
        installed = outcome.done + outcome.already
        self.leases.hold(holder, [address for address in installed if address not in self._foreign])
        return replace(outcome, paths=led)

    def found(self, addresses: Iterable[VirtualAddress]) -> bool:
        """Whether one of them is installed already, put there by a predecessor, and nobody's here."""
        return any(address.place not in self._holder and self._addresses.is_marked(address) for address in addresses)

    def sweep(self, configured: Iterable[VrrpInstance]) -> Outcome:
        """Take off what some run of pyhad put there and no router of `configured` has, nor anybody here."""
        marked = [address for address in self._addresses.marked() if address.place not in self._holder]
        return self._addresses.remove(left_over(marked, configured))

    def remove(self, holder: object, addresses: Iterable[VirtualAddress], paths: Iterable[Path] = ()) -> Outcome:
        """Take off what `holder` may: not what another router holds, not what is foreign."""
        mine = [address for address in addresses if self._holder.get(address.place, holder) is holder]
        for address in mine:
            self._holder.pop(address.place, None)
        removable = [address for address in mine if self._release_foreign or address not in self._foreign]
        self._foreign.difference_update(mine)
        self.leases.drop(holder, mine)
        rider = self.paths.removing(holder, paths)
        outcome = self._addresses.remove(removable, rider.messages)
        return replace(outcome, paths=self.paths.removed(rider, outcome.others))

    def release(self, holder: object, addresses: Iterable[VirtualAddress], paths: Iterable[Path] = ()) -> None:
        """`holder` is gone; what it held and did not remove stays where it is (`-V`, CLI-14)."""
        self.paths.release(holder, paths)
        self.leases.leave(holder)
        for address in addresses:
            if self._holder.get(address.place) is holder:
                del self._holder[address.place]

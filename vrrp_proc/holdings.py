"""Which virtual router holds which address on which interface, so that no one takes off what another needs.

An address that was there already and that no pyhad put there is foreign: it stays when a router lets go (NET-11),
unless the operator asked otherwise (`-X`, CLI-13).
"""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.addresses import Addresses, Outcome
from pyhad.vrrp_proc.core.sweep import left_over


class Holdings:
    """Installs and removes for holders (any object that stands for one router)."""

    def __init__(self, addresses: Addresses, *, release_foreign: bool = False) -> None:
        self._addresses = addresses
        self._release_foreign = release_foreign
        self._holder: dict[tuple[str, str], object] = {}
        self._foreign: set[VirtualAddress] = set()

    def holder_of(self, interface: str, address: str) -> object | None:
        """Who holds it; None when nobody here does."""
        return self._holder.get((interface, address))

    def install(self, holder: object, addresses: Iterable[VirtualAddress], *, owns_found: bool) -> Outcome:
        """Put all on. `owns_found`: what is there already was put there by our predecessor."""
        outcome = self._addresses.install(addresses)
        self._foreign.difference_update(outcome.done)
        for address in outcome.already:
            # What is held here came from us, even where the picture of links has not yet heard of it.
            ours = owns_found or _key(address) in self._holder or self._addresses.is_marked(address)
            if not ours:
                self._foreign.add(address)
        for address in outcome.done + outcome.already:
            self._holder[_key(address)] = holder
        return outcome

    def found(self, addresses: Iterable[VirtualAddress]) -> bool:
        """Whether one of them is installed already, put there by a predecessor, and nobody's here."""
        return any(_key(address) not in self._holder and self._addresses.is_marked(address) for address in addresses)

    def sweep(self, configured: Iterable[VrrpInstance]) -> Outcome:
        """Take off what some run of pyhad put there and no router of `configured` has, nor anybody here."""
        marked = [address for address in self._addresses.marked() if _key(address) not in self._holder]
        return self._addresses.remove(left_over(marked, configured))

    def remove(self, holder: object, addresses: Iterable[VirtualAddress]) -> Outcome:
        """Take off what `holder` may: not what another router holds, not what is foreign."""
        mine = [address for address in addresses if self._holder.get(_key(address), holder) is holder]
        for address in mine:
            self._holder.pop(_key(address), None)
        removable = [address for address in mine if self._release_foreign or address not in self._foreign]
        self._foreign.difference_update(mine)
        return self._addresses.remove(removable)

    def release(self, holder: object, addresses: Iterable[VirtualAddress]) -> None:
        """`holder` is gone; those of its addresses that it did not remove stay where they are (`-V`, CLI-14)."""
        for key in map(_key, addresses):
            if self._holder.get(key) is holder:
                del self._holder[key]


def _key(address: VirtualAddress) -> tuple[str, str]:
    return address.interface, address.address

"""What an instance holds while it is master: its addresses, and the interfaces that it must not lose for them.

Lines of `virtual_ipaddress` and `virtual_ipaddress_excluded` together; a single line is `addresses.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyhad.common.config.builders.addresses import build_address, family_of, is_tracked
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.tree import Statement

MAX_ADDRESSES = 255


def entries(block: Statement, name: str) -> Iterator[Statement]:
    """The lines of all blocks `name` of an instance."""
    for found in block.children:
        if found.name == name:
            yield from found.children


class Holdings:
    """The addresses of one instance on their way to the model. `interface` is where those go that name none."""

    def __init__(self, block: Statement, family: int, interface: str, complaints: Complaints) -> None:
        self._block = block
        self._family = family
        self._interface = interface
        self._complaints = complaints
        self._name = block.text()

    def addresses(self, version: int) -> tuple[tuple[VirtualAddress, ...], tuple[VirtualAddress, ...]]:
        """Advertised and excluded ones: FIX-17, FIX-18, FIX-34, NET-5."""
        seen: set[tuple[str, str]] = set()
        addresses = self._block_of_addresses("virtual_ipaddress", seen)
        excluded = self._block_of_addresses("virtual_ipaddress_excluded", seen)
        if len(addresses) > MAX_ADDRESSES:
            self._complaints.warning(
                f"'{self._name}' has {len(addresses)} addresses, an advertisement holds {MAX_ADDRESSES}: "
                "the rest is not advertised",
                self._block.at,
            )
            addresses, excluded = addresses[:MAX_ADDRESSES], addresses[MAX_ADDRESSES:] + excluded
        if not any(True for _ in entries(self._block, "virtual_ipaddress")):
            self._without_addresses(version)
        return tuple(addresses), tuple(excluded)

    def _without_addresses(self, version: int) -> None:
        if self._block.has("no_virtual_ipaddress"):
            return
        message = f"vrrp_instance '{self._name}' has no virtual_ipaddress"
        hint = "add one, or say no_virtual_ipaddress"
        if version == 3:
            self._complaints.error(f"{message}; version 3 needs one", self._block.at, hint=hint)
        else:
            self._complaints.warning(message, self._block.at, hint=hint)

    def _block_of_addresses(self, name: str, seen: set[tuple[str, str]]) -> list[VirtualAddress]:
        found: list[VirtualAddress] = []
        for entry in entries(self._block, name):
            built = build_address(entry, self._interface, self._complaints)
            if built is None:
                continue
            if family_of(built.address) != self._family and name == "virtual_ipaddress":
                message = f"{built.address} is ignored: the addresses of '{self._name}' are IPv{self._family}"
                self._complaints.warning(message, entry.at, hint="put it into virtual_ipaddress_excluded")
            elif (built.address, built.interface) in seen:
                message = f"{built.address} is ignored: '{self._name}' has it already"
                self._complaints.warning(message, entry.at)
            else:
                seen.add((built.address, built.interface))
                found.append(built)
        return found


def tracked_interfaces(block: Statement, own: str, complaints: Complaints) -> tuple[str, ...]:
    """Other interfaces whose loss means FAULT: tracked with weight 0, or holding an address (TRK-30, TRK-31)."""
    names: dict[str, None] = {}
    weighted: set[str] = set()
    for entry in entries(block, "track_interface"):
        name = str(entry.options.get("NAME", ("",))[0])
        if "weight" in entry.options and (entry.options["weight"][0] or "reverse" in entry.options):
            weighted.update({name} - names.keys())  # see tracking.py
            continue
        if name in weighted:
            continue
        if name == own:
            complaints.warning(f"track_interface {name} is ignored: it is the instance's own", entry.at)
        elif name and not entry.broken:
            names[name] = None
    for entry in (*entries(block, "virtual_ipaddress"), *entries(block, "virtual_ipaddress_excluded")):
        device = entry.options.get("dev")
        if device and str(device[0]) != own and is_tracked(entry):
            names[str(device[0])] = None
    return tuple(names)

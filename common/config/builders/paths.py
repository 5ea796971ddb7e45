"""Routes and rules onto the instances that are built already, and everything that is static. Builds no instance.

All lines are read in the order of the file, for rules without a preference count down through it (NET-7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from pyhad.common.config.builders.addresses import build_address
from pyhad.common.config.builders.globals import Globals
from pyhad.common.config.builders.routes import build_route
from pyhad.common.config.builders.rules import RuleBuilder
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import Path, Statics, VirtualAddress, VirtualRoute, VirtualRule, VrrpInstance
from pyhad.common.config.name_tables import NameTables
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass, field

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The instances with their routes and rules, and what is static."""

    instances: tuple[VrrpInstance, ...]
    statics: Statics


@dataclass(slots=True)
class _Lines:
    """What the lines of one block, or of the top level, came to."""

    routes: dict[VirtualRoute, Statement] = field(default_factory=dict)
    rules: dict[VirtualRule, Statement] = field(default_factory=dict)


def build_paths(
    root: Statement, instances: tuple[VrrpInstance, ...], shared: Globals, complaints: Complaints
) -> Placed:
    """Fit everything that leads packets where it belongs."""
    builder = _Builder(shared, complaints)
    static, addresses = _Lines(), dict[VirtualAddress, Statement]()
    of_instance: dict[str, _Lines] = {}
    for child in root.children:
        if child.name == "vrrp_instance" and not child.broken:
            lines = of_instance.setdefault(child.text(), _Lines())
            for inner in child.children:
                builder.read(inner, lines)
        elif child.name == "static_ipaddress":
            builder.read_addresses(child, addresses)
        else:
            builder.read(child, static)
    followed = _TrackGroups(root, complaints).followed((*static.routes.items(), *static.rules.items()), addresses)
    blocks = {block.text(): block for block in reversed(list(root.every("vrrp_instance")))}
    fitted = []
    for one in instances:
        block, lines = blocks[one.name], of_instance[one.name]
        paths: tuple[Path, ...] = (*lines.routes, *lines.rules)
        led = [name for path in paths if path.tracked for name in path.interfaces]
        names = [*one.tracked_interfaces, *led, *followed.get(one.name, ())]
        tracked = tuple(dict.fromkeys(name for name in names if name != one.interface))
        put_back = block.switch("pyhad_put_back", default=shared.paths.put_back)
        if paths or (tracked, put_back) != (one.tracked_interfaces, one.put_back):
            one = replace(
                one,
                routes=tuple(lines.routes),
                rules=tuple(lines.rules),
                tracked_interfaces=tracked,
                put_back=put_back,
            )
        fitted.append(one)
    statics = Statics(addresses=tuple(addresses), routes=tuple(static.routes), rules=tuple(static.rules))
    return Placed(instances=tuple(fitted), statics=statics)


class _Builder:
    """Reads the lines of `*_routes`, `*_rules` and `static_ipaddress` blocks."""

    def __init__(self, shared: Globals, complaints: Complaints) -> None:
        self._complaints = complaints
        self._shared = shared
        self._names = NameTables(shared.paths.iproute_usr_dir, shared.paths.iproute_etc_dir)
        self._rules = RuleBuilder(self._names, complaints)

    def read(self, block: Statement, lines: _Lines) -> None:
        """The lines of one block, if it is one of routes or rules."""
        if block.name in ("virtual_routes", "static_routes"):
            for entry in block.children:
                route = build_route(entry, self._names, self._complaints)
                if route is not None:
                    self._add(route, entry, lines.routes)
        elif block.name in ("virtual_rules", "static_rules"):
            for entry in block.children:
                rule = self._rules.build(entry)
                if rule is not None:
                    self._add(rule, entry, lines.rules)

    def read_addresses(self, block: Statement, found: dict[VirtualAddress, Statement]) -> None:
        """Static ones."""
        for entry in block.children:
            address = build_address(entry, self._shared.paths.default_interface, self._complaints, self._names)
            if address is not None:
                self._add(address, entry, found)

    def _add(self, one: _T, entry: Statement, found: dict[_T, Statement]) -> None:
        if one in found:
            line = found[one].at.line
            self._complaints.warning(f"this line is ignored: it says the same as line {line}", entry.at)
        else:
            found[one] = entry


class _TrackGroups:
    """`track_group`: its instances follow the interfaces of the static items that name it (TRK-61)."""

    def __init__(self, root: Statement, complaints: Complaints) -> None:
        self._complaints = complaints
        self._members: dict[str, tuple[str, ...]] = {}
        known = {block.text() for block in root.every("vrrp_instance")}
        for block in root.every("track_group"):
            self._members.setdefault(block.text(), tuple(self._read(block, known)))

    def _read(self, block: Statement, known: set[str]) -> Iterator[str]:
        for group in block.every("group"):
            if not group.children:
                self._complaints.warning(
                    f"track_group '{block.text()}' has an empty group: nobody follows it", group.at
                )
            for name in dict.fromkeys(str(value) for entry in group.children for value in entry.values):
                if name in known:
                    yield name
                else:
                    message = f"track_group '{block.text()}': there is no vrrp_instance '{name}'"
                    self._complaints.warning(message, group.at)

    def followed(
        self, paths: Iterable[tuple[Path, Statement]], addresses: dict[VirtualAddress, Statement]
    ) -> dict[str, list[str]]:
        """Names of the interfaces that each instance follows."""
        found: dict[str, list[str]] = {}
        for path, entry in paths:
            self._note(entry, path.interfaces, path.tracked, found)
        for address, entry in addresses.items():
            self._note(entry, (address.interface,), address.tracked, found)
        return found

    def _note(self, entry: Statement, interfaces: tuple[str, ...], tracked: bool, found: dict[str, list[str]]) -> None:
        named = entry.options.get("track_group")
        if not named:
            return
        name = str(named[0])
        members = self._members.get(name)
        if members is None:
            self._complaints.warning(f"there is no track_group '{name}': nobody follows this line", entry.at)
        elif not interfaces or not tracked:
            why = "it says no_track" if interfaces else "it names no interface"
            self._complaints.warning(f"track_group {name} is ignored: {why}", entry.at)
        else:
            for member in members:
                found.setdefault(member, []).extend(interfaces)

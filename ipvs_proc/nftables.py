"""The load-balancing table in nftables, by libnftables in this process. Touches no other table than `inet pyhad`.

Each `apply` is one transaction: all of it or nothing, and no packet sees a half. CAP_NET_ADMIN is enough.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from typing import Any

from pyhad.common.config.model import Listener
from pyhad.common.errors import KernelError
from pyhad.common.nft import Nft
from pyhad.ipvs_proc.breathing import breathing
from pyhad.ipvs_proc.core import ruleset
from pyhad.ipvs_proc.core.reconcile import Change, apply_changes
from pyhad.ipvs_proc.core.ruleset_listing import MAPS, read_listing
from pyhad.ipvs_proc.core.ruleset_names import TABLE
from pyhad.ipvs_proc.core.table import Connections, Endpoint, Entry, Glance, Reading, Table
from pyhad.ipvs_proc.plane import Refusal

CHANGES_AT_ONCE = 2000
"""More are written in several transactions, each of which leaves a table that serves (`reconcile` orders them so). Each
deals its services anew, and takes some 8 kB of memory per change while it runs."""


class BreathingNft(Nft):
    """`breathe` is called now and then while a command runs: a listing of thousands of servers takes seconds."""

    def __init__(self, breathe: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._breathe = breathe

    def run(self, commands: str, *, terse: bool = False, stateless: bool = False) -> str:
        """As `Nft.run`."""
        with breathing(self._breathe):
            return super().run(commands, terse=terse, stateless=stateless)


class NftablesPlane:
    """The data plane for kernels without IPVS: NAT only. Raises `KernelError` when nft cannot be used."""

    name = "nftables"
    owns_everything = True
    reads_at_once = True

    def __init__(self, breathe: Callable[[], None] = lambda: None) -> None:
        self._nft = BreathingNft(breathe)
        self._there: Table = {}
        self._framed = False

    def read(self) -> Reading:
        """The table as it is. One whose frame is damaged reads as empty and is built anew by the next `apply`."""
        reading: Reading | None = None
        try:
            reading = read_listing(self._listing())
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
        self._nft.trim()
        self._framed = reading is not None
        self._there = dict(reading.table) if reading is not None else {}
        return reading or Reading(table={}, connections={})

    def glance(self) -> Glance:
        """As `Plane.glance`: a listing has everything."""
        reading = self.read()
        table, counted = reading.table, reading.connections
        services = [entry.service for entry in table.values()]
        return Glance(services, lambda listener: (table[listener].destinations, counted.get(listener, {})), {})

    def connections(self, listener: Listener) -> dict[Endpoint, Connections]:
        """Nothing is followed here: connections of a destination that is removed go on until they end."""
        return dict.fromkeys(self._there[listener].destinations, Connections()) if listener in self._there else {}

    def _listing(self) -> list[dict[str, Any]]:
        """Everything without the elements of sets, and the maps with theirs."""
        frame = json.loads(self._nft.run(f"list table {TABLE}\n", terse=True))["nftables"]
        if {part["map"]["name"] for part in frame if "map" in part} < set(MAPS):
            return []
        maps = [json.loads(self._nft.run(f"list map {TABLE} {name}\n"))["nftables"] for name in MAPS]
        return [part for parts in (frame, *maps) for part in parts]

    def problem_with(self, entry: Entry) -> str:
        """Why this service cannot be had here; empty when it can."""
        return ruleset.problem_with(entry)

    def apply(self, changes: list[Change]) -> list[Refusal]:
        """Write all changes at once; when that fails, service by service, so that one cannot stop the others."""
        slices = [changes[start : start + CHANGES_AT_ONCE] for start in range(0, len(changes), CHANGES_AT_ONCE)]
        return [refusal for part in slices for refusal in self._apply(part)]

    def _apply(self, changes: list[Change]) -> list[Refusal]:
        try:
            self._write(changes)
            return []
        except KernelError as error:
            services = {change.listener for change in changes}
            if len(services) == 1:
                return [Refusal(change=change, error=error) for change in changes]
        refusals: list[Refusal] = []
        for listener in services:
            refusals.extend(self._apply([change for change in changes if change.listener == listener]))
        return refusals

    def flush(self) -> None:
        """Nobody else writes to our table: the same as `retire`."""
        self.retire()

    def is_there(self) -> bool:
        """Whether our table exists, whole or damaged."""
        family, _, name = TABLE.partition(" ")
        tables = json.loads(self._nft.run(f"list tables {family}\n"))["nftables"]
        return any(each.get("table", {}).get("name") == name for each in tables)

    def retire(self) -> None:
        """Take our whole table away."""
        self._nft.run(ruleset.REMOVE)
        self._framed, self._there = False, {}

    def close(self) -> None:
        """Leave the table as it is and release what this process holds."""
        self._nft.close()

    def _write(self, changes: list[Change]) -> None:
        after = dict(self._there)
        listeners: dict[Listener, None] = dict.fromkeys(change.listener for change in changes)
        apply_changes(after, changes)
        commands = [] if self._framed else [ruleset.REMOVE, ruleset.BASE]
        for listener in listeners:
            commands.extend(ruleset.write_entry(listener, self._there.get(listener), after.get(listener)))
        if commands:
            self._nft.run("\n".join(commands) + "\n")
        self._framed, self._there = True, after

"""Keeps the nftables tables that mark packets of groups (`nftables_ipvs`). Decides nothing: that is `core/marks.py`.

Where nftables cannot be used, or balances itself, groups are services by address as without the keyword. A table that
somebody changed is written anew; every writing is one transaction, so no packet sees a half.
"""

from __future__ import annotations

import collections
import errno
import struct
from collections.abc import Mapping
from dataclasses import replace

from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.config.model import DataPlane, IpvsDocument, Marking, VirtualServer
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.nft import Nft
from pyhad.ipvs_proc.core import marks

_TABLE = key_of("marks")
_MARK = struct.Struct("=I")


class Marks:
    """Marks by id of the service; they and the name of the table are in the black box for our successor."""

    def __init__(
        self,
        box: BlackBox,
        records: dict[bytes, bytes],
        logger: FilteringBoundLogger,
        counters: collections.Counter[str],
    ) -> None:
        """Takes what is its own out of `records`."""
        self._box = box
        self._table = records.pop(_TABLE, b"").decode()
        self._remembered = {key: records.pop(key) for key in list(records) if len(records[key]) == _MARK.size}
        self._logger = logger
        self._counters = counters
        self._marks: dict[str, int] = {}
        self._marked: dict[str, tuple[VirtualServer, VirtualServer]] = {}
        """Services as they are configured and as they are with their mark: what stays is the same object."""
        self._wanted = ""
        self._written: str | None = None
        """What the kernel has from us; None: not known."""
        self._there = ""
        self._nft: Nft | None = None
        self._said = ""

    def applied(self, document: IpvsDocument, plane: str) -> IpvsDocument:
        """The document with groups at their marks. `bring` then puts the marks on packets."""
        marking = document.marking if plane == DataPlane.IPVS and any(one.marked for one in document.services) else None
        if marking is not None:  # the table keeps its name until the end (REL-1)
            marking = replace(marking, table=self._table or marking.table)
        if marking is None or not self._is_possible(marking):
            self._note({})
            self._marked = {}
            self._wanted = marks.remove(self._table) if self._table else ""
            return document
        self._note(marks.allot(document.services, marking.first_mark, self._known(document)))
        self._wanted = marks.ruleset(marking, document.services, self._marks)
        before, self._marked = self._marked, {}
        for service in document.services:
            mark = self._marks.get(service.id)
            if mark is not None:
                pair = before.get(service.id)
                fits = pair is not None and pair[0] is service and pair[1].listeners[0].fwmark == mark
                self._marked[service.id] = pair if pair and fits else (service, marks.with_mark(service, mark))
        services = tuple(self._marked[one.id][1] if one.id in self._marked else one for one in document.services)
        return replace(document, services=services)

    def bring(self) -> None:
        """Write the tables if they are not as they should be. To be called when new services are in place."""
        if not self._wanted or self._wanted == self._written:
            return
        try:
            self._run(self._wanted)
            self._written, self._there = self._wanted, self._listing()
        except KernelError as error:
            self._written = None
            self._counters["kernel_refusals"] += 1
            self._say("marks_not_written", str(error))
            return
        self._said = ""
        if not self._marks:
            self._table, self._wanted, self._written = "", "", None
            self._box.forget(_TABLE)
        self._logger.info("marks_written", table=self._table, **self._marks)

    def verify(self) -> None:
        """Find out whether somebody changed the tables; `bring` then repairs them."""
        if not self._marks or self._written is None:
            return
        try:
            found = self._listing()
        except KernelError as error:
            found = str(error)
        if found != self._there:
            self._written = None
            self._counters["drift_repaired"] += 1
            self._logger.warning("drift_repaired", nftables=self._table)

    def retire(self) -> None:
        """At the end of the daemon: the tables go, before the services to which they lead."""
        if self._table:
            try:
                self._run(marks.remove(self._table))
            except KernelError as error:
                self._say("marks_not_removed", str(error))

    def _is_possible(self, marking: Marking) -> bool:
        """An empty table can be made, or ours is there."""
        try:
            self._run(f"add table ip {marking.table}\nadd table ip6 {marking.table}\n")
        except KernelError as error:
            self._say("marks_impossible", f"{marking.table}: {error}; groups are balanced address by address")
            return False
        if not self._table:
            self._table = marking.table
            self._box.put(_TABLE, marking.table.encode()[: self._box.payload_bytes])
        return True

    def _known(self, document: IpvsDocument) -> dict[str, int]:
        """Marks that we gave, or our predecessor."""
        known = dict(self._marks)
        for service in document.services:
            record = self._remembered.pop(_key(service.id), None)
            if record is not None:
                known.setdefault(service.id, _MARK.unpack(record)[0])
        for key in self._remembered:  # of groups that are not configured any more
            self._box.forget(key)
        self._remembered.clear()
        return known

    def _note(self, given: Mapping[str, int]) -> None:
        for name in self._marks.keys() - given.keys():
            self._box.forget(_key(name))
        for name, mark in given.items():
            if self._marks.get(name) != mark:
                self._box.put(_key(name), _MARK.pack(mark))
        self._marks = dict(given)

    def _listing(self) -> str:
        """Both tables as they are, without counters."""
        parts: list[str] = []
        for family in ("ip", "ip6"):
            try:
                parts.append(self._run(f"list table {family} {self._table}\n"))
            except KernelError as error:
                if error.errno != errno.ENOENT:
                    raise
        return "".join(parts)

    def _run(self, text: str) -> str:
        if self._nft is None:
            self._nft = Nft()
        return self._nft.run(text, stateless=True)

    def _say(self, event: str, reason: str) -> None:
        if self._said != event + reason:
            self._said = event + reason
            self._logger.error(event, table=self._table, reason=reason)


def _key(service: str) -> bytes:
    return key_of("mark", service)

"""The load-balancing table in nftables, by libnftables in this process. Touches no other table than `inet pyhad`.

Each `apply` is one transaction: all of it or nothing, and no packet sees a half. CAP_NET_ADMIN is enough.
"""

from __future__ import annotations

import ctypes
import errno
import json
from collections.abc import Callable
from typing import Any

from pyhad.common.config.model import Listener
from pyhad.common.errors import KernelError
from pyhad.ipvs_proc.breathing import breathing
from pyhad.ipvs_proc.core import ruleset
from pyhad.ipvs_proc.core.reconcile import Change, apply_changes
from pyhad.ipvs_proc.core.ruleset_listing import MAPS, read_listing
from pyhad.ipvs_proc.core.ruleset_names import TABLE
from pyhad.ipvs_proc.core.table import Connections, Endpoint, Entry, Reading, Table
from pyhad.ipvs_proc.plane import Refusal

LIBRARY = "libnftables.so.1"
CHANGES_AT_ONCE = 500
"""More are written in several transactions, each of which leaves a table that serves (`reconcile` orders them so)."""
_OUTPUT_JSON = 1 << 4  # NFT_CTX_OUTPUT_JSON
_OUTPUT_TERSE = 1 << 11  # NFT_CTX_OUTPUT_TERSE
_DEFAULT = 0  # NFT_CTX_DEFAULT


class Nft:
    """libnftables: one context, commands as text, output in buffers of our own. Raises `KernelError` when missing.

    `breathe` is called now and then while a command runs: a listing of thousands of servers takes seconds.
    """

    def __init__(self, breathe: Callable[[], None] = lambda: None) -> None:
        self._breathe = breathe
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise KernelError("load libnftables", errno.ENOENT, str(error)) from None
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_new.argtypes = [ctypes.c_uint32]
        library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        library.nft_ctx_free.argtypes = [ctypes.c_void_p]
        for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error"):
            getattr(library, name).argtypes = [ctypes.c_void_p]
        for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
            getattr(library, name).argtypes = [ctypes.c_void_p]
            getattr(library, name).restype = ctypes.c_char_p
        self._library = library
        self._context = library.nft_ctx_new(_DEFAULT)
        if not self._context:
            raise KernelError("nft_ctx_new", errno.ENOMEM)
        library.nft_ctx_buffer_output(self._context)
        library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str, *, terse: bool = False) -> str:
        """Run `commands` as one transaction; returns what nft printed, `terse` without elements of sets and maps.

        Raises `KernelError` with nft's first line.
        """
        self._library.nft_ctx_output_set_flags(self._context, _OUTPUT_JSON | (_OUTPUT_TERSE if terse else 0))
        with breathing(self._breathe):
            status = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        printed: bytes = self._library.nft_ctx_get_output_buffer(self._context) or b""
        complaint: bytes = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if status != 0:
            text = complaint.decode("utf-8", "replace").strip()
            raise KernelError("nft", _errno_of(text), text.splitlines()[0] if text else "no reason given")
        return printed.decode()

    def trim(self) -> None:
        """Give memory back: a listing of thousands of servers takes a hundred MiB for a moment."""
        if hasattr(self._library, "malloc_trim"):  # glibc, which libnftables brings into our sight
            self._library.malloc_trim(0)

    def close(self) -> None:
        """Release the context and its netlink socket."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = None


def _errno_of(text: str) -> int:
    """nft reports in words; the two that decide what we do are told apart."""
    if "Operation not permitted" in text:
        return errno.EPERM
    return errno.ENOENT if "No such file or directory" in text else errno.EINVAL


class NftablesPlane:
    """The data plane for kernels without IPVS: NAT only. Raises `KernelError` when nft cannot be used."""

    name = "nftables"
    owns_everything = True

    def __init__(self, breathe: Callable[[], None] = lambda: None) -> None:
        self._nft = Nft(breathe)
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

"""The one table of all keywords, by block. Parsing, checking and the documentation derive from it.

The rows stand in the modules of this package. Reads no text.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from pyhad.common.config.keyword import Form, Keyword, Sheet
from pyhad.common.config.keywords import addresses, checks, daemon, global_defs, root, services, vrrp
from pyhad.common.records import dataclass

ROOT = "ROOT"
SECRET_BLOCKS = frozenset({"vrrp_instance.authentication", "vrrp_instance.auth_hmac", "SSL"})
"""Blocks in which everything after the first word of a line is hidden from messages."""

_SHEETS: tuple[Sheet, ...] = (
    *root.SHEETS,
    *daemon.SHEETS,
    *global_defs.SHEETS,
    *vrrp.SHEETS,
    *addresses.SHEETS,
    *services.SHEETS,
    *checks.SHEETS,
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one block. `bare` are the options that may stand without their word, in order of trial."""

    block: str
    words: Mapping[str, Keyword]
    bare: tuple[Keyword, ...]

    def nearest(self, word: str) -> str:
        """The known word most like `word`, empty when none is near."""
        found = difflib.get_close_matches(word, self.words, n=1, cutoff=0.6)
        return found[0] if found else ""


def _place(row: Keyword, block: str, area: str) -> Keyword:
    opens = row.opens
    if row.form is Form.BLOCK:
        opens = row.name if block == ROOT else f"{block}.{row.name}"
    return replace(row, block=block, area=row.area or area, opens=opens)


def _table() -> dict[tuple[str, str], Keyword]:
    table: dict[tuple[str, str], Keyword] = {}
    for sheet in _SHEETS:
        for block in sheet.blocks:
            for row in sheet.rows:
                placed = _place(row, block, sheet.area)
                assert (block, row.name) not in table, f"{row.name} stands twice in {block}"
                table[block, row.name] = placed
    return table


TABLE: Mapping[tuple[str, str], Keyword] = MappingProxyType(_table())


def _vocabularies() -> dict[str, Vocabulary]:
    blocks: dict[str, list[Keyword]] = {"": []}
    for (block, _), row in TABLE.items():
        blocks.setdefault(block, []).append(row)
    return {
        block: Vocabulary(
            block=block,
            words={row.name: row for row in rows if not row.placeholder},
            bare=tuple(row for row in rows if row.bare),
        )
        for block, rows in blocks.items()
    }


VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType(_vocabularies())


def blocks_with(word: str) -> Iterator[str]:
    """Blocks in which `word` is a keyword (options inside lines do not count)."""
    for (block, name), row in TABLE.items():
        if name == word and row.form is not Form.OPTION:
            yield block

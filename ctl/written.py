"""Statements of a configuration as they were written, line by line, each with its place. Pure. Secrets are hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pyhad.common.config.keyword import NOW, Form
from pyhad.common.config.keywords import SECRET_BLOCKS, VOCABULARIES
from pyhad.common.config.secrets import HIDDEN, hide
from pyhad.common.config.tree import Statement

_COLUMN = 44
_PLAIN_DEFAULT = re.compile(r"on|off|\d[\d.]*")
"""Others of the table's defaults are prose."""


def row(text: str, found: Statement | None, indent: str) -> str:
    """One line and where it was written; None: nowhere, it is a default."""
    return f"{indent}{text}".ljust(_COLUMN) + f"  # {place(found) if found is not None else 'default'}"


def place(found: Statement) -> str:
    """`FILE:LINE`."""
    return f"{found.at.file}:{found.at.line}"


def written(block: Statement, indent: str, skipped: frozenset[str] = frozenset()) -> Iterator[str]:
    """What stands in a block, with its blocks, but for keywords of the names `skipped`."""
    for child in block.children:
        if not child.broken and child.name not in skipped:
            yield from statement(child, indent)


def statement(one: Statement, indent: str) -> Iterator[str]:
    """A line, or a block with its braces."""
    if one.keyword.form is Form.BLOCK or one.keyword.form is Form.VALUE_BLOCK:
        yield from whole(one, indent)
    else:
        yield row(_text(one), one, indent)


def whole(block: Statement, indent: str, *, defaults: bool = False) -> Iterator[str]:
    """A block with its braces. `defaults`: with those of its keywords, by the table."""
    yield f"{indent}{_text(block)} {{  # {place(block)}"
    inner = indent + "    "
    if block.keyword.form is Form.VALUE_BLOCK:
        for entry in block.children:
            yield row(_text(entry), entry, inner)
    else:
        yield from written(block, inner)
    if defaults:
        yield from _defaults(block, inner)
    yield f"{indent}}}"


def tree(block: Statement) -> list[dict[str, Any]]:
    """What stands in a block, for programs: of each statement keyword, line, file, line number, column and its own."""
    return [
        {
            "keyword": one.name,
            "text": _text(one),
            "file": one.at.file,
            "line": one.at.line,
            "column": one.at.column,
            **({"statements": tree(one)} if one.children else {}),
        }
        for one in block.children
        if not one.broken
    ]


def _defaults(block: Statement, indent: str) -> Iterator[str]:
    for name, keyword in VOCABULARIES[block.keyword.opens].words.items():
        is_plain = _PLAIN_DEFAULT.fullmatch(keyword.default) and keyword.acts is NOW
        if is_plain and name == keyword.canonical and not block.given(name):
            yield row(f"{name} {keyword.default}", None, indent)


def _text(one: Statement) -> str:
    """Its line after substitution."""
    raw = one.line.raw.strip()
    if one.keyword.block in SECRET_BLOCKS:
        first = one.line.words[0].text
        return first if raw == first else f"{first} {HIDDEN}"
    return hide(raw)[0]

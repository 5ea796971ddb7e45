"""Words and widths for a terminal: durations, safe text, colour, columns. Pure; knows nothing of pyhad."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from pyhad.common.records import dataclass

RED, GREEN, YELLOW, GREY, BOLD = "31", "32", "33", "90", "1"
GAP = "  "
NARROWEST_LAST = 16
"""The last column is folded, but never into less than this."""


def duration(span_ns: int) -> str:
    """A span as a person says it, two units at most: `0.3 s`, `42 s`, `5 min 10 s`, `3 h 12 min`, `4 d 2 h`."""
    tenths = max(0, span_ns) // 100_000_000
    if tenths < 100:
        return f"{tenths // 10}.{tenths % 10} s"
    seconds = tenths // 10
    for size, name, lesser, lesser_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // lesser
            return f"{seconds // size} {name} {rest} {lesser_name}" if rest else f"{seconds // size} {name}"
    return f"{seconds} s"


def safe(text: str) -> str:
    """`text` on one line without anything that could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def width_of(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return len(text) if text.isascii() else sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def paint(text: str, style: str, colour: bool) -> str:
    """`text` in a colour, where colours are wanted."""
    return f"\033[{style}m{text}\033[0m" if colour and style and text else text


def fold(text: str, width: int, indent: str = "") -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces; a longer word stays whole."""
    if width <= 0 or width_of(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if line and width_of(candidate) > width:
            lines.append(line)
            candidate = indent + word
        line = candidate
    return [*lines, line]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table and its colour."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading. `drop` > 0: left out when the terminal is too narrow, the greatest first."""

    title: str
    right: bool = False
    drop: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int, colour: bool) -> list[str]:
    """Lines of a table that fits `width` columns where it can (0: no limit); the last column is folded."""
    clean = [[Cell(safe(cell.text), cell.style) for cell in row] for row in rows]
    kept = _kept(columns, clean, width)
    heads = [columns[at] for at in kept]
    body = [[row[at] for at in kept] for row in clean]
    sizes = _sizes(heads, body)
    last = max(NARROWEST_LAST, width - sum(sizes[:-1]) - len(GAP) * len(sizes)) if width else 0
    lines = [_line([Cell(head.title, GREY) for head in heads], heads, sizes, colour)]
    for row in body:
        folded = fold(row[-1].text, last)
        for number, piece in enumerate(folded):
            first = row[:-1] if number == 0 else [Cell("")] * (len(row) - 1)
            lines.append(_line([*first, Cell(piece, row[-1].style)], heads, sizes, colour))
    return lines


def _kept(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[int]:
    kept = list(range(len(columns)))
    while width:
        sizes = _sizes([columns[at] for at in kept], [[row[at] for at in kept] for row in rows])
        needed = sum(sizes[:-1]) + min(sizes[-1], NARROWEST_LAST) + len(GAP) * len(sizes)
        droppable = [at for at in kept if columns[at].drop]
        if needed <= width or not droppable:
            break
        kept.remove(max(droppable, key=lambda at: columns[at].drop))
    return kept


def _sizes(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [
        max([width_of(column.title), *(width_of(row[at].text) for row in rows)]) for at, column in enumerate(columns)
    ]


def _line(cells: Sequence[Cell], columns: Sequence[Column], sizes: Sequence[int], colour: bool) -> str:
    parts = []
    for cell, column, size in zip(cells, columns, sizes, strict=True):
        padding = " " * (size - width_of(cell.text))
        painted = paint(cell.text, cell.style, colour)
        parts.append(padding + painted if column.right else painted + padding)
    return (GAP + GAP.join(parts)).rstrip()


def counted(**counts: int) -> str:
    """`2 routes, 1 rule` of `routes=2, rules=1`; what is none is left out."""
    parts = []
    for name, count in counts.items():
        if count:
            singular = name.removesuffix("es") if name == "addresses" else name.removesuffix("s")
            parts.append(f"{count} {name if count > 1 else singular}")
    return ", ".join(parts)

"""Diagnostics as a person reads them in a terminal, and as JSON for editors. Decides nothing, finds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pyhad.common.config.secrets import scrub
from pyhad.common.config.source import Diagnostic, Severity, Trouble

_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.NOTE: "\x1b[1;36m"}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_MAX_ALIKE = 5
_MAX_SHOWN = 160
"""Of a longer physical line only the part around the caret is shown."""


def sorted_by_place(diagnostics: Iterable[Diagnostic], files: Sequence[str] = ()) -> list[Diagnostic]:
    """By file in the order of reading, then line, then column; what has no place comes first."""
    order = {name: index for index, name in enumerate(files)}
    return sorted(
        diagnostics,
        key=lambda one: (order.get(one.at.file, len(order) if one.at.line else -1), one.at.line, one.at.column),
    )


def render(diagnostics: Iterable[Diagnostic], colour: bool, files: Sequence[str] = ()) -> str:
    """The whole report: each finding with its line and a caret, then what is not acted on yet, then a summary."""
    ordered = sorted_by_place(scrub(diagnostics), files)
    later = [one for one in ordered if _is_listed(one)]
    parts = _findings([one for one in ordered if not _is_listed(one)], colour)
    if later:
        parts.append(_list(later, colour))
    summary = summarise(ordered)
    if summary:
        parts.append(_in(_BOLD, summary, colour))
    return "".join(f"{part}\n" for part in parts)


def summarise(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty when there is neither."""
    counts = {Severity.ERROR: 0, Severity.WARNING: 0}
    for one in diagnostics:
        if one.severity in counts:
            counts[one.severity] += 1
    return ", ".join(
        f"{count} {_WORDS[severity]}{'s' if count != 1 else ''}" for severity, count in counts.items() if count
    )


def to_json(diagnostics: Iterable[Diagnostic], files: Sequence[str] = ()) -> str:
    """One JSON array; lines and columns count from 1, as in the report."""
    return json.dumps(
        [
            {
                "severity": _WORDS[one.severity],
                "trouble": one.trouble.value,
                "message": one.message,
                "file": one.at.file,
                "line": one.at.line,
                "column": one.at.column,
                "text": one.at.text,
                "via": list(one.at.via),
                "hint": one.hint,
            }
            for one in sorted_by_place(scrub(diagnostics), files)
        ],
        indent=2,
    )


def _findings(found: list[Diagnostic], colour: bool) -> list[str]:
    """Each finding; of many with the same words the first few, and then how many and to which line."""
    alike: dict[tuple[Severity, str, str], list[Diagnostic]] = {}
    parts: list[str] = []
    for one in found:
        same = alike.setdefault((one.severity, one.message, one.at.file), [])
        same.append(one)
        if len(same) <= _MAX_ALIKE:
            parts.append(_finding(one, colour))
    for (_, message, file), same in alike.items():
        if len(same) > _MAX_ALIKE:
            more = len(same) - _MAX_ALIKE
            text = f"and {more} more like it, to line {same[-1].at.line}: {_printable(message)}"
            parts.append(_in(_BOLD, f"{file}: ", colour) + text)
    return parts


def _is_listed(one: Diagnostic) -> bool:
    return one.trouble is Trouble.NOT_YET and one.severity is Severity.NOTE


def _finding(one: Diagnostic, colour: bool) -> str:
    at = one.at
    place = f"{at.file}:{at.line}:{at.column}: " if at.line else (f"{at.file}: " if at.file else "")
    kind = _in(_COLOURS[one.severity], f"{_WORDS[one.severity]}:", colour)
    rows = [f"{_in(_BOLD, _printable(place), colour)}{kind} {_printable(one.message)}"]
    if at.text:
        rows += _with_caret(at.text, at.column, _COLOURS[one.severity], colour)
    rows += [f"  via: {_printable(step)}" for step in at.via]
    if one.hint:
        rows.append(f"  hint: {_printable(one.hint)}")
    return "\n".join(rows)


def _with_caret(text: str, column: int, paint: str, colour: bool) -> list[str]:
    """The line and a caret below it. Tabs stay tabs in both, so the caret stands right at any tab width."""
    shown = _printable(text)
    start = max(0, column - 1 - _MAX_SHOWN // 2) if len(shown) > _MAX_SHOWN else 0
    before = shown[start : column - 1]
    lead = "..." if start else ""
    gap = " " * len(lead) + "".join("\t" if char == "\t" else " " for char in before)
    return [f"    {lead}{shown[start : start + _MAX_SHOWN]}", f"    {gap}{_in(paint, '^', colour)}"]


def _printable(text: str) -> str:
    """The same without what could steer a terminal."""
    return "".join(char if char == "\t" or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _list(later: list[Diagnostic], colour: bool) -> str:
    heading = _in(_COLOURS[Severity.NOTE], "note:", colour) + " understood, not yet acted on:"
    phrase = " is understood, not yet acted on"
    rows = [f"  {one.at.file}:{one.at.line}: {_printable(one.message.replace(phrase, ''))}" for one in later]
    return "\n".join([heading, *rows])


def _in(paint: str, text: str, colour: bool) -> str:
    return f"{paint}{text}{_PLAIN}" if colour and text else text

"""The keyword table as markdown, for the generated part of docs/keepalived.md.

Run as a module it prints it, or writes it into the page that is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyhad.common.config.differences import difference_tables
from pyhad.common.config.keyword import Acts, Keyword
from pyhad.common.config.keywords import TABLE

BEGIN, END = "<!-- keywords begin -->", "<!-- keywords end -->"
DIFFERENCES_BEGIN, DIFFERENCES_END = "<!-- differences begin -->", "<!-- differences end -->"
_ACTS = {
    Acts.NOW: "acts",
    Acts.LATER: "understood, not yet acted on",
    Acts.LOUD: "understood, not yet acted on (warning)",
    Acts.NOTHING: "accepted, without meaning here",
}


def keyword_tables() -> str:
    """One table per block, in the order of the keyword table, with a count first."""
    blocks: dict[str, list[Keyword]] = {}
    for row in TABLE.values():
        blocks.setdefault(row.block, []).append(row)
    acting = sum(row.acts is Acts.NOW for row in TABLE.values())
    parts = [f"{len(TABLE)} keywords and options are known, {acting} of them act."]
    for block, rows in blocks.items():
        title = "Top level" if block == "ROOT" else f"`{block}`"
        parts.append(
            f"### {title}\n\n| keyword | arguments | default | range | state | meaning |\n|---|---|---|---|---|---|"
        )
        parts[-1] += "".join("\n" + _row(row) for row in rows)
    return "\n\n".join(parts) + "\n"


def _row(row: Keyword) -> str:
    ranges = "; ".join(text for argument in row.arguments if (text := argument.range_text()))
    meaning = row.meaning
    if row.alias_of:
        meaning += f" (same as `{row.alias_of}`)"
    if row.deprecated:
        meaning += " (deprecated)" if row.deprecated == "nothing" else f" (deprecated: {row.deprecated})"
    cells = (f"`{row.name}`", row.syntax(), row.default, ranges, _ACTS[row.acts], meaning)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def refreshed(page: str) -> str:
    """`page` with what stands between the markers made anew. Raises ValueError when a marker is missing."""
    if DIFFERENCES_BEGIN in page:
        page = _replaced(page, DIFFERENCES_BEGIN, DIFFERENCES_END, difference_tables())
    return _replaced(page, BEGIN, END, keyword_tables())


def _replaced(page: str, start: str, stop: str, fresh: str) -> str:
    before, begin, rest = page.partition(start)
    _, end, after = rest.partition(stop)
    if not begin or not end:
        raise ValueError(f"the page needs the markers {start} and {stop}")
    return f"{before}{start}\n\n{fresh}\n{stop}{after}"


def main(arguments: list[str]) -> None:
    """Without arguments print the tables; with a file, make its part between the markers anew."""
    if not arguments:
        sys.stdout.write(keyword_tables())
        return
    page = Path(arguments[0])
    page.write_text(refreshed(page.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])

"""The configurations that both daemons are given on the IPVS kernel (`tests/vm/configs`) use every keyword of IPVS."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pyhad.common.config.compile import CompileOptions, compile_configuration
from pyhad.common.config.tree import Statement

TESTS = Path(__file__).parents[2]
CONFIGS = sorted((TESTS / "vm" / "configs").glob("*.conf"))

Row = tuple[str, str]
"""Block and keyword, as in the table of facts."""


def rows_of_the_area() -> set[Row]:
    with (TESTS / "data" / "keywords.csv").open(newline="", encoding="utf-8") as file:
        return {(fact["block"], fact["keyword"]) for fact in csv.DictReader(file) if fact["area"] == "ipvs"}


def used_in(statement: Statement) -> Iterator[Row]:
    """Every row that stands below `statement`."""
    for child in statement.children:
        row = child.keyword
        yield row.block, row.name
        yield from ((row.options or row.opens, option) for option in child.options)
        if "ADDRESS" in child.options:
            yield row.opens, _form_of(str(child.options["ADDRESS"][0]))
        yield from used_in(child)


def _form_of(address: str) -> str:
    """The rows of the table of facts for one line of a group."""
    if "/" in address:
        return "RANGE-CIDR"
    _, dash, last = address.partition("-")
    if not dash:
        return "ADDRESS"
    return "RANGE-FULL" if "." in last or ":" in last else "RANGE-SHORT"


def test_every_keyword_of_the_area_is_used() -> None:
    used: set[Row] = set()
    for config in CONFIGS:
        used.update(used_in(compile_configuration(str(config), CompileOptions(config_id="test")).root))
    assert sorted(rows_of_the_area() - used) == []


def test_there_are_at_least_thirty_configurations() -> None:
    assert len(CONFIGS) >= 30

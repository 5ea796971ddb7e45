"""What is generated is fresh, and what is linked is there."""

from __future__ import annotations

import re
from pathlib import Path

from pyhad.common.config.document import refreshed
from tools import diagnostics


def test_the_keyword_tables_of_the_page_are_those_of_the_code(root: Path) -> None:
    page = (root / "docs/keepalived.md").read_text()
    assert page == refreshed(page), "run: python -m pyhad.common.config.document docs/keepalived.md"


def test_the_messages_about_broken_files_are_those_of_the_program(root: Path) -> None:
    page = (root / "docs/diagnostics.md").read_text()
    assert page == diagnostics.refreshed(page), "run: python -m tools.diagnostics docs/diagnostics.md"


def test_every_link_between_documents_leads_somewhere(root: Path) -> None:
    broken = []
    for page in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []


def test_every_requirement_of_the_ledger_has_a_test_and_every_marked_test_a_requirement(root: Path) -> None:
    ledger = set(re.findall(r"^\| `(9568-[\w.]+)` \|", (root / "docs/rfc9568.md").read_text(), re.MULTILINE))
    marked = {
        found
        for path in (root / "tests").rglob("test_*.py")
        for found in re.findall(r'@pytest\.mark\.rfc\("([^"]+)"\)', path.read_text())
    }
    assert len(ledger) > 30
    assert (ledger - marked, marked - ledger) == (set(), set())


def test_every_statement_about_keepalived_has_a_test_or_a_reason(root: Path) -> None:
    """`tests/data/statements.txt` has their ids: those of a kind in a line, as ranges."""
    statements = set()
    for line in (root / "tests/data/statements.txt").read_text().splitlines():
        kind, *ranges = line.split()
        for first, _, last in (one.partition("-") for one in ranges):
            statements |= {f"{kind}-{number}" for number in range(int(first), int(last or first) + 1)}
    shown = {
        found
        for path in (root / "tests").rglob("test_*.py")
        for words in re.findall(r"pytest\.mark\.behaviour\(([^)]*)\)", path.read_text())
        for found in re.findall(r'"([^"]+)"', words)
    }
    table = (root / "docs/testing.md").read_text().partition("## Statements without a test")[2]
    reasons = [found for row in re.findall(r"^\| ([A-Z0-9, -]+) \|", table, re.MULTILINE) for found in row.split(", ")]
    assert len(statements) > 400
    assert (sorted(statements - shown - {*reasons}), sorted(shown - statements)) == ([], [])
    assert (sorted(shown & {*reasons}), len(reasons)) == ([], len({*reasons}))

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

"""Manual pages, completion and the description of the language are those of the code, and work."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pyhad.common.config.keywords import TABLE
from tools.manuals import pages


def test_what_is_made_from_the_tables_is_fresh(root: Path) -> None:
    stale = [name for name, text in pages().items() if (root / name).read_text() != text]
    assert stale == [], "run: python -m tools.manuals"


def test_the_description_of_the_language_holds_every_word(root: Path) -> None:
    document = json.loads((root / "docs/language.json").read_text())
    assert sum(len(words) for words in document["blocks"].values()) == len(TABLE)
    [priority] = [word for word in document["blocks"]["vrrp_instance"] if word["name"] == "priority"]
    assert priority["arguments"] == [{"kind": "whole number", "label": "N", "range": "1..255"}]


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
@pytest.mark.parametrize("name", ["pyhad.8", "pyhadctl.1", "pyhad.conf.5"])
def test_a_manual_page_is_printed_without_a_warning(root: Path, name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", str(root / "docs/man" / name)], capture_output=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pyhadctl", "st"], {"status"}),
        (["pyhadctl", "status", "v"], {"vrrp", "vs"}),
        (["pyhadctl", "-j", "config", "l"], {"lint"}),
        (["pyhadctl", "plan", "--ag"], {"--against"}),
        (["pyhad", "--config-t"], {"--config-test"}),
    ],
)
def test_completion_offers_what_fits(root: Path, tmp_path: Path, words: list[str], offered: set[str]) -> None:
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f". '{root}/conf/completion/{words[0]}'; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
        f'_{words[0]}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert set(done.stdout.split()) == offered

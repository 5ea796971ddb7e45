"""keepalived itself and pyhad agree on generated files, or the documentation explains why not."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.config_files import known_rows, make
from tests.lab.differential import Judges, run
from tests.lab.net import Lab

pytestmark = pytest.mark.lab
PYHAD = Path(sys.executable).with_name("pyhad")
FILES = int(os.environ.get("PYHAD_DIFFERENTIAL_FILES", "150"))


def test_every_disagreement_with_keepalived_is_explained(lab: Lab, tmp_path: Path) -> None:
    seed = int(os.environ.get("PYHAD_SEED", "11"))
    print(f"seed {seed}: python -m tests.lab.differential --files {FILES} --seed {seed}")
    tally = run(FILES, seed, tmp_path, lab)
    print(tally.summary())
    assert tally.files == FILES
    assert tally.findings == [], "\n".join(tally.findings)
    assert tally.accepted > FILES // 5, "the generator makes hardly any valid file"
    assert tally.refused > FILES // 5, "the generator makes hardly any broken file"


def test_the_command_says_what_the_compiler_says(lab: Lab, tmp_path: Path) -> None:
    """Ten files through `pyhad -t` itself: exit status 0 exactly when no finding is left."""
    source = random.Random(7)
    rows = known_rows()
    judges = Judges(lab, tmp_path)
    path = tmp_path / "command.conf"
    for _ in range(10):
        made = make(source, rows)
        path.write_text(made.text)
        path.chmod(0o644)
        argv = lab.argv("d1", str(PYHAD), "-t", "-f", str(path), "-i", "node")
        status = subprocess.run(argv, capture_output=True, timeout=30).returncode
        if not judges.pyhad(made.text).accepts:
            assert status != 0, made.text
        elif "not_yet" not in made.text:
            assert status in (0, 5), made.text

"""keepalived itself and pyhad agree on generated files, or the documentation explains why not."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.config_files import known_rows, make
from tests.lab.differential import run
from tests.lab.judges import Judges
from tests.lab.net import Lab

pytestmark = pytest.mark.lab
PYHAD = Path(sys.executable).with_name("pyhad")
FILES = int(os.environ.get("PYHAD_DIFFERENTIAL_FILES", "2000"))


@pytest.mark.timeout(1000)
def test_every_disagreement_with_keepalived_is_explained(lab: Lab) -> None:
    seed = int(os.environ.get("PYHAD_SEED", "11"))
    print(f"seed {seed}: python -m tests.lab.differential --files {FILES} --seed {seed}")
    tally = run(range(FILES), seed, lab)
    print(tally.summary())
    assert tally.findings == [], "\n".join(tally.findings)
    assert tally.files == FILES
    assert tally.accepted > FILES // 5, "the generator makes hardly any valid file"
    assert tally.refused > FILES // 5, "the generator makes hardly any broken file"


def test_the_command_says_what_the_judge_says(lab: Lab, tmp_path: Path) -> None:
    """Ten files through the installed `pyhad -t`: the same exit status and report as in the judge's fork."""
    lab.host("d1")
    rows = known_rows()
    judges = Judges(tmp_path)
    for number in range(10):
        path = judges.write(make(random.Random(number), rows).text)
        argv = [str(PYHAD), "-t", "-f", str(path), "-i", "node"]
        done = subprocess.run(argv, capture_output=True, timeout=30)
        assert judges.config_test() == (done.returncode, done.stderr.decode()), path.read_text()

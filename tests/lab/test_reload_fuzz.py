"""A reload between any two configurations leaves on a real machine what a fresh start makes there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.net import Lab
from tests.lab.reload_fuzz import play

pytestmark = pytest.mark.lab
PAIRS = int(os.environ.get("PYHAD_RELOADS", "4"))


def test_a_reload_leaves_what_a_fresh_start_makes(lab: Lab, open_folder: Path) -> None:
    seed = int(os.environ.get("PYHAD_SEED", "20261123"))
    print(f"seed {seed}: python -m tests.lab.reload_fuzz --pairs {PAIRS} --seed {seed}")
    pairs, findings = play(lab, open_folder, seed, range(PAIRS + 1))
    assert findings == [], "\n".join(findings)
    assert pairs == PAIRS

"""keepalived's values after defaults and fix-ups are those of the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.dumped import HALVES, run
from tests.lab.net import Lab

pytestmark = pytest.mark.lab
FILES, SEED = 48, 3


def test_values_of_generated_files_are_keepalived_s(lab: Lab, tmp_path: Path) -> None:
    print(f"python -m tests.lab.dumped --files {FILES} --seed {SEED}")
    tried = run(HALVES["routers"], range(FILES), SEED, lab, tmp_path)
    assert tried.findings == [], "\n".join(tried.findings)
    assert tried.compared > FILES // 4, "hardly any file was accepted by both"

"""keepalived's values of services and checks after defaults and fix-ups are those of the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.dumped import HALVES, run
from tests.lab.net import Lab

pytestmark = pytest.mark.vm
FILES, SEED = 3, 1


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


def test_values_of_generated_services_are_keepalived_s(lab: Lab, tmp_path: Path) -> None:
    print(f"tests/vm/lab-kernel -- python -m tests.lab.dumped --half services --files {FILES} --seed {SEED}")
    tried = run(HALVES["services"], range(FILES), SEED, lab, tmp_path)
    assert tried.findings == [], "\n".join(tried.findings)
    assert tried.compared > FILES, "hardly any file was accepted by both"

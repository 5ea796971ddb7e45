"""Fifty routers in sync groups, with trackers and virtual MACs, go to keepalived and come back, three times."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.many import Shape, run

pytestmark = pytest.mark.lab


def test_no_mastership_of_fifty_is_lost_or_doubled(open_folder: Path) -> None:
    found = run(Shape(routers=50, interfaces=5, group=5, interval_cs=30, busy_s=1), 0.3, open_folder)
    assert [(phase.name, phase.lost, phase.doubled, phase.flapped) for phase in found if not phase.sound] == []
    assert [phase.leader for phase in found] == ["a", "a", "b", "a", "b", "a", "b", "a"]
    assert all(phase.adverts.keys() <= {0, 100, 150} for phase in found)

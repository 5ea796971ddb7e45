"""Whoever is killed while 1000 servers change: the table comes right, and is never emptier than the verdicts say."""

from __future__ import annotations

import pytest

from tests.vm import kills

pytestmark = pytest.mark.vm
SEED = 20261122


def test_the_table_comes_right_after_each_kill_and_no_connection_breaks() -> None:
    found = kills.run(3, "ipvs", SEED)
    assert len(found.times) == 3
    assert found.watch.looks > 5

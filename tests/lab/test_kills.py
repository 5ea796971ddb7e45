"""Whoever is killed while 1000 servers change: the table of nftables comes right, and is never emptier than told."""

from __future__ import annotations

import pytest

from tests.vm import kills

pytestmark = pytest.mark.lab
SEED = 20261122


def test_the_table_comes_right_after_each_kill_and_no_connection_breaks() -> None:
    found = kills.run(6, "nftables", SEED)
    assert {victim for victim, _ in found.times} == set(kills.VICTIMS["pyhad"])
    assert found.watch.looks >= 10

"""A table left by nftables is removed when IPVS takes over; other tables are not touched."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.lab.net import Lab

pytestmark = pytest.mark.lab

SWEEP = "from pyhad.ipvs_proc.planes import sweep_nftables; print(sweep_nftables())"


def test_only_our_table_is_swept_and_only_when_it_is_there(lab: Lab) -> None:
    lab.host("d")

    def swept() -> str:
        command = lab.argv("d", sys.executable, "-c", SWEEP)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    lab.run("d", "nft", "add table inet pyhad; add table inet other; add chain inet pyhad torn")
    assert swept() == "True"
    assert lab.run("d", "nft", "list", "tables").split() == ["table", "inet", "other"]
    assert swept() == "False"

"""Fixtures of the lab: every test gets hosts of its own and a folder for logs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.checker_stand_in import Director
from tests.lab.net import Lab

LONGEST = (
    "vrrp_peers", "config_differential", "vrrp_interop", "ipvs_nftables", "control_process", "daemon", "handover",
    "vrrp_wire", "vrrp_links", "confirm", "upgrade", "plan", "standby", "vrrp_vmac", "vrrp_lifecycle",
    "checker_process", "vrrp_tracking", "release", "parent_processes", "paths", "vrrp_garp", "demo",
    "reload_fuzz", "vrrp_many", "dumped",
)  # fmt: skip
"""Files that take long, the longest first: whoever begins with one of them last keeps all others waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of files; that of the tests in them stays."""
    places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture
def lab() -> Iterator[Lab]:
    """An empty lab, taken apart at the end of the test."""
    with Lab() as made:
        yield made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the unprivileged children can reach too (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory(prefix="pyhad-test.") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def director() -> Iterator[Director]:
    """A checker process to be, with what surrounds it."""
    folder = tempfile.mkdtemp(prefix="pyhad-checker-")
    os.chmod(folder, 0o755)
    made = Director(folder)
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture
def tmp_path(open_folder: Path) -> Path:
    """A daemon refuses a run directory in a folder of pytest's own, for the reason above."""
    return open_folder

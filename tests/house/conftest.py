"""What the house tests look at: the tree that git knows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("checker_proc", "common", "control_proc", "ctl", "ipvs_proc", "parent", "vrrp_proc")


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def rooms() -> tuple[str, ...]:
    """The folders that are importable as `pyhad.<room>`."""
    return ROOMS


@pytest.fixture(scope="session")
def python_files() -> list[Path]:
    """Every Python file that git tracks or would add, links left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return [ROOT / name for name in sorted(set(listed)) if (ROOT / name).is_file()]

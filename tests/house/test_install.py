"""What a user installs is what lies in the tree."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a clean copy of the tree (so that no build folder is left in the checkout)."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "tree"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True,
    ).stdout  # fmt: skip
    copy.mkdir()
    subprocess.run(
        ["tar", "--null", "--ignore-failed-read", "-T", "-", "-cf", str(folder / "tree.tar")],
        cwd=root, input=files, capture_output=True, check=True,
    )  # fmt: skip
    subprocess.run(["tar", "-xf", str(folder / "tree.tar"), "-C", str(copy)], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(copy)],
        check=True,
    )  # fmt: skip
    (made,) = folder.glob("pyhad-*.whl")
    return made


def test_the_wheel_holds_exactly_the_modules_on_disk(wheel: Path, root: Path, rooms: tuple[str, ...]) -> None:
    on_disk = {"pyhad/__init__.py", "pyhad/py.typed"} | {
        f"pyhad/{path.relative_to(root)}" for room in rooms for path in (root / room).rglob("*.py")
    }
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == on_disk


def test_an_empty_environment_gets_both_commands(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, cwd=tmp_path)
    version = subprocess.run(
        [tmp_path / "venv/bin/pyhad", "--version"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert version.stderr.startswith("pyhad 0.1.0")
    usage = subprocess.run(
        [tmp_path / "venv/bin/pyhadctl", "--help"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "status" in usage.stdout

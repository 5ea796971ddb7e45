"""What a user installs is what lies in the tree."""

from __future__ import annotations

import subprocess
import sys
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


FILES = """
etc/systemd/system/pyhad.service
usr/bin/pyhad
usr/bin/pyhadctl
usr/lib/sysusers.d/pyhad.conf
usr/lib/tmpfiles.d/pyhad.conf
usr/share/bash-completion/completions/pyhad
usr/share/bash-completion/completions/pyhadctl
usr/share/man/man1/pyhadctl.1
usr/share/man/man5/pyhad.conf.5
usr/share/man/man8/pyhad.8
"""


def test_an_installation_has_both_commands_and_goes_without_a_trace(root: Path, tmp_path: Path) -> None:
    install = (str(root / "tools/install"), "--root", str(tmp_path))
    subprocess.run(install, check=True, capture_output=True)
    libraries = tmp_path / "usr/lib/pyhad"
    files = {
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if not path.is_dir() and not path.is_relative_to(libraries)
    }
    # Where systemd is older than 253 there is a drop-in for it as well.
    assert files - {"etc/systemd/system/pyhad.service.d/systemd-252.conf"} == set(FILES.split())
    version = subprocess.run([tmp_path / "usr/bin/pyhad", "--version"], capture_output=True, text=True, check=True)
    assert version.stderr.startswith("pyhad 0.1.0")
    usage = subprocess.run([tmp_path / "usr/bin/pyhadctl", "--help"], capture_output=True, text=True, check=True)
    assert "status" in usage.stdout
    subprocess.run((*install, "--remove"), check=True, capture_output=True)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []

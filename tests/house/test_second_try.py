"""A test of the lab that fails gets a second try by itself, and who needed it is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEADY = "def test_steady(): pass\n"
UNSTEADY = """
import pathlib
def test_unsteady():
    flag = pathlib.Path("tried")
    was_tried = flag.exists()
    flag.touch()
    assert was_tried, "the reason of the first time"
"""
BROKEN = "def test_broken_{}(): assert False\n"


def run(folder: Path, content: str) -> tuple[int, str]:
    """Exit status and output for a file of tests."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(content)
    command = [sys.executable, "-m", "tests.second_try", "-q", "-p", "no:cacheprovider", "-p", "xdist", "-n", "1", "."]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    return done.returncode, done.stdout


def test_what_passes_alone_is_named_and_its_first_failure_shown(tmp_path: Path) -> None:
    status, said = run(tmp_path, STEADY + UNSTEADY)
    assert status == 0
    assert "the reason of the first time" in said
    assert said.endswith("failed, and PASSED ONLY AT THE SECOND TRY: test_it.py::test_unsteady\n")


def test_what_fails_again_fails_the_run(tmp_path: Path) -> None:
    status, said = run(tmp_path, UNSTEADY + BROKEN.format(1))
    assert status == 1
    assert "failed both times: test_it.py::test_broken_1" in said
    assert "PASSED ONLY AT THE SECOND TRY: test_it.py::test_unsteady" in said


def test_three_failures_are_not_tried_again(tmp_path: Path) -> None:
    status, said = run(tmp_path, UNSTEADY + BROKEN.format(1) + BROKEN.format(2))
    assert status == 1
    assert "second try" not in said
    assert "3 tests failed" in said


def test_a_file_that_cannot_be_read_fails_the_run(tmp_path: Path) -> None:
    assert run(tmp_path, "import nothing_of_that_name\n")[0] != 0

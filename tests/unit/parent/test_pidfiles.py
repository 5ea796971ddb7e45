"""PID files are whole, readable, and never follow a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyhad.common.states import ProcessName
from pyhad.parent.options import Options
from pyhad.parent.pidfiles import PidFiles


@pytest.mark.behaviour("PROC-2")
def test_each_process_has_its_file_below_the_run_directory(tmp_path: Path) -> None:
    files = PidFiles(Options(run_dir=str(tmp_path)))
    for number, name in enumerate(ProcessName, start=100):
        files.write(name, number)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "pyhad.pid": "100\n",
        "vrrp.pid": "101\n",
        "checkers.pid": "102\n",
        "ipvs.pid": "103\n",
        "control.pid": "104\n",
    }
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}
    files.remove(ProcessName.VRRP)
    assert not (tmp_path / "vrrp.pid").exists()
    files.remove_all()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.behaviour("CLI-19")
def test_a_path_of_the_command_line_wins(tmp_path: Path) -> None:
    files = PidFiles(Options(run_dir="/no/such", vrrp_pid_file=str(tmp_path / "mine")))
    files.write(ProcessName.VRRP, 7)
    assert (tmp_path / "mine").read_text() == "7\n"


def test_a_link_at_the_place_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    (tmp_path / "vrrp.pid").symlink_to(tmp_path / "precious")
    PidFiles(Options(run_dir=str(tmp_path))).write(ProcessName.VRRP, 7)
    assert (tmp_path / "precious").read_text() == "keep me"
    assert (tmp_path / "vrrp.pid").read_text() == "7\n"


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PidFiles(Options(run_dir=str(tmp_path / "none"))).write(ProcessName.VRRP, 7)

"""The commands on files, as a script calls them: no daemon, exit codes, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyhad.ctl.main import main

GOOD = """vrrp_instance VI_1 {
    interface lo0
    virtual_router_id 51
    virtual_ipaddress { 192.0.2.100/24 }
}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    """A good file, another good one, a broken one."""
    for name, text in (("a", GOOD), ("b", GOOD.replace("51", "52")), ("c", GOOD.replace("51", "512"))):
        (tmp_path / f"{name}.conf").write_text(text)
    return str(tmp_path / "a.conf"), str(tmp_path / "b.conf"), str(tmp_path / "c.conf")


def test_a_plan_between_two_files_needs_no_daemon(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--against", files[0], files[0]]) == 0
    assert capsys.readouterr().out == "Nothing would change.\n"
    assert main(["plan", "-j", "--against", files[0], files[1]]) == 0
    assert [one["verb"] for one in json.loads(capsys.readouterr().out)["changes"]] == ["removed", "added"]


def test_a_plan_of_a_broken_file_shows_its_errors(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--against", files[0], files[2]]) == 1
    assert "virtual_router_id: '512' is not" in capsys.readouterr().err


def test_a_plan_against_the_daemon_says_that_there_is_none(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--run-dir", str(tmp_path), files[0]]) == 4
    assert "pyhad is not running" in capsys.readouterr().err


def test_show_prints_a_file_with_its_defaults(files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--resolved", files[0]]) == 0
    assert "advert_int 1" in capsys.readouterr().out
    assert main(["config", "show", "-j", files[0]]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 1


def test_lint_ends_with_1_when_it_found_something(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "lint", files[0], files[1]]) == 1
    assert "both become master" in capsys.readouterr().out
    assert main(["config", "lint", "-j", files[2]]) == 1
    assert json.loads(capsys.readouterr().out)[0]["line"] == 3

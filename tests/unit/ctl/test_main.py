"""The command line: what is accepted, what is refused, what is said when nobody listens. No daemon is needed."""

from __future__ import annotations

import json
import pathlib

import pytest

from pyhad.ctl.main import main


@pytest.mark.parametrize(
    "words",
    [
        ["explode"],
        ["rs"],
        ["rs", "weight", "s", "r"],
        ["rs", "weight", "s", "r", "-1"],
        ["is-master"],
        ["status", "everything"],
        ["--timeout", "-1", "status"],
        ["reload", "--confirm", "0"],
        ["reload", "--confirm", "25h"],
        ["reload", "--confirm"],
        ["reload", "--confirm", "5", "confirm"],
        ["reload", "keep"],
    ],
)
def test_a_wrong_command_line_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: pyhadctl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["status"],
        ["status", "vs"],
        ["is-master", "VI_1"],
        ["reload"],
        ["reload", "--confirm", "1d"],
        ["reload", "confirm"],
        ["version"],
        ["rs", "drain", "s", "r"],
        ["vs"],
        ["diff"],
    ],
)
def test_without_a_daemon_every_command_ends_with_4(
    words: list[str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--run-dir", str(tmp_path), *words]) == 4
    expected = (
        f"pyhadctl: pyhad is not running: nothing listens on {tmp_path}/control. Start it with: systemctl start pyhad\n"
    )
    assert capsys.readouterr().err == expected


def test_options_may_stand_after_the_command(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--run-dir", "/nowhere", "-j", "status", "--run-dir", str(tmp_path)]) == 4
    out, err = capsys.readouterr()
    assert str(tmp_path) in err
    assert json.loads(out)["exit_code"] == 4


def test_version_says_its_own_version_even_without_a_daemon(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--run-dir", str(tmp_path), "version"])
    assert capsys.readouterr().out.startswith("pyhadctl ")

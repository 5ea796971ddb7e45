"""Programs that are there, and programs that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.ctl.lint_scripts import lint_scripts


def found(command: str) -> list[str]:
    text = f"vrrp_script s {{\nscript {command}\n}}\n"
    return [one.message for one in lint_scripts(compile_text(text, "t.conf", CompileOptions(config_id="n")))]


@pytest.mark.parametrize("command", ["/bin/true", "\"/bin/true a 'b c'\"", '"</dev/tcp/127.0.0.1/25"'])
def test_a_program_that_can_be_run_is_quiet(command: str) -> None:
    assert found(command) == []


def test_a_program_that_cannot_be_run_is_named_with_the_reason(tmp_path: Path) -> None:
    plain, open_to_all = tmp_path / "plain", tmp_path / "open"
    plain.write_text("")
    open_to_all.write_text("")
    open_to_all.chmod(0o777)
    assert found(f"{tmp_path}/none") == [f"script: {tmp_path}/none cannot be run: No such file or directory"]
    assert found(str(tmp_path)) == [f"script: {tmp_path} is not a plain file"]
    assert found(str(plain)) == [f"script: {plain} is not executable"]
    assert found(str(open_to_all)) == [f"script: {open_to_all} can be changed by everybody"]
    assert found("true") == ["script: true is no absolute path: which program that is depends on who runs it"]

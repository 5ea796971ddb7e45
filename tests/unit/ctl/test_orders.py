"""The orders of pyhadctl: what is accepted as a time, and what is said without a daemon."""

from __future__ import annotations

import argparse
import pathlib

import pytest

from pyhad.ctl.main import main
from pyhad.ctl.orders import time_s


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_a_time_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert time_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "m", "-5", "1.5h", "10 m", "1w"])
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        time_s(text)


@pytest.mark.parametrize("words", [["vrrp", "standby", "VI_1", "--for", "5m"], ["vrrp", "takeback", "all"]])
def test_without_a_daemon_an_order_ends_with_4(words: list[str], tmp_path: pathlib.Path) -> None:
    assert main(["--run-dir", str(tmp_path), *words]) == 4


@pytest.mark.parametrize("words", [["vrrp"], ["vrrp", "standby"], ["vrrp", "standby", "VI_1", "--for", "soon"]])
def test_half_an_order_is_a_wrong_command_line(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2

"""Where a dump goes, and that no link planted there is followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.config.model.process import DumpPlaces
from pyhad.parent.dumping import path_of, replace_file


@pytest.mark.behaviour("SIG-13")
def test_a_name_has_its_own_directory_or_lies_in_the_run_directory() -> None:
    nothing = DumpPlaces()
    assert path_of("data", nothing, "", "/run/pyhad") == "/run/pyhad/keepalived.data"
    assert path_of("clear", nothing, "", "/run/pyhad") == "/run/pyhad/keepalived.stats"
    assert path_of("json", DumpPlaces(json="/tmp/"), "", "/run/pyhad") == "/tmp/keepalived.json"
    assert path_of("json", DumpPlaces(json="/tmp/x.json"), "", "/run/pyhad") == "/tmp/x.json"
    assert path_of("data", DumpPlaces(state="x"), "", "/run/pyhad") == "/run/pyhad/x"


@pytest.mark.behaviour("SIG-13")
def test_the_name_of_the_daemon_stands_before_the_extension() -> None:
    assert path_of("json", DumpPlaces(), "ns_one", "/r") == "/r/keepalived.ns_one.json"


@pytest.mark.behaviour("SIG-11", "SIG-12")
def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "target"
    victim.write_text("precious")
    target.symlink_to(victim)
    before = os.umask(0o077)
    try:
        replace_file(str(target), b"dump")
    finally:
        os.umask(before)
    assert victim.read_text() == "precious"
    assert not target.is_symlink()
    assert target.read_bytes() == b"dump"
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["target", "victim"]


def test_nothing_is_left_where_it_cannot_be_put(tmp_path: Path) -> None:
    (tmp_path / "target" / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="target"):
        replace_file(str(tmp_path / "target"), b"dump")
    assert [one.name for one in tmp_path.iterdir()] == ["target"]

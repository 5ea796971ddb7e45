"""The file of last known addresses: what is written is read, and nothing else is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.known_names import KnownNames, load, save

KNOWN = KnownNames(
    names={("web.example", 4): "10.0.0.7", ("web.example", 6): "fd00::7"},
    servers={("10.0.0.1:80/tcp", "web.example:80"): "10.0.0.6"},
)


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "names")
    save(path, KNOWN)
    assert Path(path).read_text() == (
        '{"version": 1, "names": [["web.example", 4, "10.0.0.7"], ["web.example", 6, "fd00::7"]],'
        ' "servers": [["10.0.0.1:80/tcp", "web.example:80", "10.0.0.6"]]}'
    )
    assert load(path) == KNOWN
    assert os.listdir(tmp_path) == ["names"]


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "{", '{"version": 2, "names": [], "servers": []}', '{"version": 1, "names": []}',
        '{"version": 1, "names": [["web", 6, "10.0.0.7"]], "servers": []}',
        '{"version": 1, "names": [["web", 4, 167772167]], "servers": []}',
        '{"version": 1, "names": [[["web"], 4, "10.0.0.7"]], "servers": []}',
        '{"version": 1, "names": [["web", 4]], "servers": []}',
        '{"version": 1, "names": [], "servers": [["a", "b", "10.0.0.1; reboot"]]}',
        "[" * 100_000,
    ],
    ids=range(11),
)  # fmt: skip
def test_nothing_is_known_from_what_is_none_of_ours(tmp_path: Path, content: str) -> None:
    path = tmp_path / "names"
    path.write_text(content)
    assert load(str(path)) == KnownNames()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    save(str(tmp_path / "real"), KNOWN)
    os.mkfifo(tmp_path / "fifo")
    os.symlink(tmp_path / "real", tmp_path / "link")
    for name in ("fifo", "link", "missing", "."):
        assert load(str(tmp_path / name)) == KnownNames()

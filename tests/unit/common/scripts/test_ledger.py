"""The exchange of the file: whole, private, bounded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.scripts import ledger


def exchanged(path: Path, content: bytes) -> bytes:
    """What was there before."""
    fresh = os.memfd_create("fresh")
    try:
        os.write(fresh, content)
        before = ledger.exchange(str(path), fresh)
    finally:
        os.close(fresh)
    try:
        return os.pread(before, ledger.MOST_BYTES + 1, 0)
    finally:
        os.close(before)


def test_each_gets_what_the_one_before_left(tmp_path: Path) -> None:
    path = tmp_path / "installed"
    assert exchanged(path, b"one") == b""
    assert exchanged(path, b"") == b"one"
    assert exchanged(path, b"two") == b""
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["installed"]


def test_a_file_that_is_too_long_is_not_read_and_a_link_is_not_followed(tmp_path: Path) -> None:
    path, victim = tmp_path / "installed", tmp_path / "victim"
    path.write_bytes(bytes(ledger.MOST_BYTES + 1))
    assert exchanged(path, b"one") == b""
    victim.write_bytes(b"precious")
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        exchanged(path, b"two")
    assert victim.read_bytes() == b"precious"

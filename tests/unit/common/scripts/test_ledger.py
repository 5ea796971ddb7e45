"""The exchange of the file: whole, private, bounded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.scripts import ledger


def exchanged(path: Path, content: bytes) -> list[bytes]:
    """What was there before."""
    fresh = os.memfd_create("fresh")
    try:
        os.write(fresh, content)
        before = ledger.exchange(str(path), fresh)
    finally:
        os.close(fresh)
    try:
        return [os.pread(one, ledger.MOST_BYTES + 1, 0) for one in before]
    finally:
        for one in before:
            os.close(one)


def test_each_gets_what_the_one_before_left(tmp_path: Path) -> None:
    path = tmp_path / "installed"
    for content, before in ((b"one", [b"", b""]), (b"", [b"one"]), (b"two", [b""])):
        assert exchanged(path, content) == before
        ledger.settle(str(path))
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["installed"]


def test_what_nobody_saw_to_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "installed"
    exchanged(path, b"one")
    assert exchanged(path, b"two") == [b"one"]
    assert exchanged(path, b"three") == [b"one", b"two"]
    ledger.settle(str(path))
    assert exchanged(path, b"four") == [b"three"]


def test_a_file_that_is_too_long_is_not_read_and_a_link_is_not_followed(tmp_path: Path) -> None:
    path, victim = tmp_path / "installed", tmp_path / "victim"
    path.write_bytes(bytes(ledger.MOST_BYTES + 1))
    assert exchanged(path, b"one") == [b""]
    ledger.settle(str(path))
    victim.write_bytes(b"precious")
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        exchanged(path, b"two")
    assert victim.read_bytes() == b"precious"

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
        return ledger.notes_in(ledger.exchange(str(path), fresh))
    finally:
        os.close(fresh)


def test_each_gets_what_the_one_before_left(tmp_path: Path) -> None:
    path = tmp_path / "installed"
    for content, before in ((b"one", []), (b"", [b"one"]), (b"two", [])):
        assert exchanged(path, content) == before
        ledger.settle(str(path))
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["installed"]


def test_what_nobody_saw_to_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "installed"
    exchanged(path, b"one")
    assert exchanged(path, b"two") == [b"one"]
    assert exchanged(path, b"two") == [b"one", b"two"]
    assert exchanged(path, b"three") == [b"one", b"two"]
    assert exchanged(path, b"four") == [b"one", b"two", b"three"]
    ledger.settle(str(path))
    assert exchanged(path, b"five") == [b"four"]


def test_the_one_that_the_version_before_left_unread_is_a_note_too(tmp_path: Path) -> None:
    path, bare = tmp_path / "installed", b"\x92\xa5Noted" + bytes(100)
    (tmp_path / "installed.unread").write_bytes(bare)
    assert exchanged(path, b"one") == [bare]
    assert exchanged(path, b"two") == [bare, b"one"]


def test_of_more_notes_than_a_file_holds_the_oldest_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "installed"
    large = bytes(ledger.MOST_NOTE_BYTES - 10)
    for content in (b"one", large, b"last"):
        exchanged(path, content)
    assert exchanged(path, b"") == [large, b"last"]
    ledger.settle(str(path))
    whole = bytes(ledger.MOST_NOTE_BYTES)
    for content, before in ((whole, []), (b"last", [whole]), (b"", [b"last"])):
        assert exchanged(path, content) == before


def test_a_file_that_is_too_long_is_not_read_and_a_link_is_not_followed(tmp_path: Path) -> None:
    path, victim = tmp_path / "installed", tmp_path / "victim"
    path.write_bytes(bytes(ledger.MOST_BYTES + 1))
    assert exchanged(path, b"one") == []
    ledger.settle(str(path))
    victim.write_bytes(b"precious")
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        exchanged(path, b"two")
    assert victim.read_bytes() == b"precious"

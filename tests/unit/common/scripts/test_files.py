"""Tracked files: their numbers, and what is noticed of their changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyhad.common.config.model.tracking import TrackFile
from pyhad.common.loop import Loop
from pyhad.common.scripts.files import HelperFiles, parse_number
from pyhad.common.scripts.orders import Answer, FileRead, Follow, Trouble


@pytest.mark.behaviour("TRK-21")
@pytest.mark.parametrize(
    ("text", "value"),
    [(b"", 0), (b" \n", 0), (b"12\n", 12), (b"-0x10", -16), (b"010", 8), (b"+7 rest", 7), (b"0", 0), (b"abc", None),
     (b"2147483647", 2147483647), (b"2147483648", None), (b"-2147483648", -2147483648), (b"-2147483649", None),
     (b"99999999999", None), (b"08", None)],
)  # fmt: skip
def test_numbers_as_c_writes_them(text: bytes, value: int | None) -> None:
    assert parse_number(text) == value


class Bench:
    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        self.said: list[Answer] = []
        self.files = HelperFiles(self.loop, self.said.append)
        self.path = folder / "value"

    def follow(self, *, initialize: bool = False, initial: int | None = None, overwrite: bool = False) -> None:
        file = TrackFile(name="f", path=str(self.path), initial=initial, overwrite=overwrite)
        self.files.follow(Follow(files=(file,), initialize=initialize))

    def values(self) -> list[int]:
        self.loop.turn(0.2)
        return [answer.value for answer in self.said if isinstance(answer, FileRead)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.behaviour("TRK-21")
def test_writes_renames_and_removals_are_seen(bench: Bench, tmp_path: Path) -> None:
    bench.follow()
    assert bench.values() == [0]
    bench.path.write_text("5\n")
    assert bench.values() == [0, 5]
    (tmp_path / "other").write_text("6\n")
    (tmp_path / "other").rename(bench.path)
    assert bench.values() == [0, 5, 6]
    bench.path.unlink()
    assert bench.values() == [0, 5, 6, 0]


@pytest.mark.behaviour("TRK-21")
def test_a_bad_text_keeps_the_old_value_and_is_said_once(bench: Bench) -> None:
    bench.path.write_text("5\n")
    bench.follow()
    bench.path.write_text("five\n")
    bench.values()
    bench.path.write_text("six\n")
    assert bench.values() == [5]
    assert [answer.event for answer in bench.said if isinstance(answer, Trouble)] == ["track_file_holds_no_number"]


@pytest.mark.behaviour("REL-18")
@pytest.mark.behaviour("TRK-22")
def test_a_file_is_made_at_the_start_and_only_then(bench: Bench) -> None:
    bench.follow(initial=3)
    assert not bench.path.exists()
    bench.follow(initialize=True, initial=3)
    assert (bench.path.read_text(), bench.path.stat().st_mode & 0o777) == ("3\n", 0o600)
    bench.follow(initialize=True, initial=4)
    assert bench.path.read_text() == "3\n"
    bench.follow(initialize=True, initial=4, overwrite=True)
    assert bench.path.read_text() == "4\n"

"""Which files an include means (grammar.md section 9)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.config.includes import (
    ALL_CHECKS,
    Check,
    TooLarge,
    apply_include_check,
    decode,
    expand_braces,
    find_files,
    load,
)
from pyhad.common.errors import ConfigError


def make(directory: Path, *names: str) -> str:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
    return str(directory)


def names(directory: Path, pattern: str) -> list[str]:
    return [os.path.relpath(path, directory) for path in find_files(pattern, str(directory)).paths]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a{b,c}d", ["abd", "acd"]),
        ("{b,c}{1,2}", ["b1", "b2", "c1", "c2"]),
        ("a{b,{c,d}e}", ["ab", "ace", "ade"]),
        ("{a,}", ["a", ""]),
        ("a{b", ["a{b"]),
        ("a}b", ["a}b"]),
        (r"a\{b,c}", [r"a\{b,c}"]),
        ("plain", ["plain"]),
    ],
)
def test_braces_stand_for_their_alternatives_in_order(pattern: str, expected: list[str]) -> None:
    assert expand_braces(pattern) == expected


def test_a_bomb_of_braces_is_refused() -> None:
    assert len(expand_braces("{0,1,2,3,4,5,6,7,8,9}" * 3)) == 1000
    with pytest.raises(ConfigError, match="more than 1000 names"):
        expand_braces("{a,b}" * 10)
    with pytest.raises(ConfigError, match="more than 1000 names"):
        expand_braces("{a,b}" * 100)


def test_matches_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    make(tmp_path, "b.conf", "a.conf", "c.txt", ".d.conf", "sub/e.conf")
    assert names(tmp_path, "*.conf") == ["a.conf", "b.conf"]
    assert names(tmp_path, "*/*.conf") == ["sub/e.conf"]
    assert names(tmp_path, "{b,a}.conf") == ["b.conf", "a.conf"]
    assert names(tmp_path, "[^a].conf") == ["b.conf"]
    assert names(tmp_path, "[ab].c?nf") == ["a.conf", "b.conf"]
    assert names(tmp_path, ".*.conf") == [".d.conf"]
    assert names(tmp_path, "sub/../a.conf") == ["a.conf"]


def test_a_pattern_looks_at_a_bounded_number_of_names(tmp_path: Path) -> None:
    make(tmp_path, "a/1", "a/2", "b/3")
    assert len(find_files("*/*", str(tmp_path), most_entries=5).paths) == 3
    with pytest.raises(ConfigError, match="too many names"):
        find_files("*/*", str(tmp_path), most_entries=4)


def test_a_backslash_makes_a_wildcard_plain(tmp_path: Path) -> None:
    make(tmp_path, "a*b", "axb")
    assert names(tmp_path, r"a\*b") == ["a*b"]
    assert names(tmp_path, r"[a]\*b") == ["a*b"]


def test_wildcards_in_the_directory_of_the_including_file_are_plain(tmp_path: Path) -> None:
    make(tmp_path, "[x]/a.conf")
    assert names(tmp_path / "[x]", "*.conf") == ["a.conf"]


def test_missing_names_are_listed(tmp_path: Path) -> None:
    make(tmp_path, "a")
    found = find_files("{a,b}", str(tmp_path))
    assert (len(found.paths), found.missing, found.has_braces, found.has_wildcard) == (1, ("b",), True, False)
    found = find_files("z*", str(tmp_path))
    assert (found.paths, found.missing, found.has_wildcard) == ((), (), True)


def test_a_name_with_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="NUL"):
        find_files("a\0b", str(tmp_path))


def test_directories_executables_and_odd_files_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "run")
    (tmp_path / "run").chmod(0o744)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("nowhere")
    for name, reason in (
        (".", "is a directory"),
        ("run", "is executable"),
        ("fifo", "is not a regular file"),
        ("link", "No such file"),
    ):
        with pytest.raises(ConfigError, match=reason):
            load(str(tmp_path / name), 10)


def test_a_file_with_more_lines_than_are_left_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x\n" * 11)
    with pytest.raises(TooLarge):
        load(str(tmp_path / "a"), 10)


def test_line_ends_of_every_kind_are_removed() -> None:
    assert decode(b"a\r\nb\n\rc\r\r\nlast", "f", (0, 0)).lines == ["a", "b", "\rc", "last"]
    assert decode(b"", "f", (0, 0)).lines == []
    assert decode("\ufeffa".encode(), "f", (0, 0)).lines == ["a"]


def test_bytes_that_are_not_utf8_are_latin1() -> None:
    loaded = decode(b"M\xfcller", "f", (0, 0))
    assert (loaded.lines, loaded.is_utf8) == (["Müller"], False)
    assert decode("Müller".encode(), "f", (0, 0)).is_utf8


def test_a_line_holds_1023_bytes_and_no_more() -> None:
    exact, over = b"a" * 1023, b"a" * 1024
    wide_exact, wide_over = "ä".encode() * 511 + b"a", "ä".encode() * 512
    content = b"\n".join([exact, over, wide_exact, wide_over, exact + b"\r"])
    assert decode(content, "f", (0, 0)).too_long == {1, 3}
    assert decode(b"\xe4" * 1023, "f", (0, 0)).too_long == frozenset()


@pytest.mark.parametrize(
    ("current", "words", "expected"),
    [
        (Check.NONE, [], ALL_CHECKS),
        (Check.NONE, ["+match"], Check.MATCH),
        (Check.READ, ["+match"], Check.READ | Check.MATCH),
        (Check.READ, ["match"], Check.MATCH),
        (ALL_CHECKS, ["-read", "-match"], Check.WILDCARD_MATCH | Check.BRACE_MATCH),
        (Check.READ, ["match", "-match"], Check.NONE),
        (Check.READ, ["+bogus"], Check.READ),
    ],
)
def test_include_check_sets_adds_and_takes_away(current: Check, words: list[str], expected: Check) -> None:
    assert apply_include_check(current, words) == expected

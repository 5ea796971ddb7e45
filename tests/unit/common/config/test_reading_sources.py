"""Includes, their checks, and where lines came from (grammar.md section 9)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyhad.common.config.reader import ReaderOptions, Reading, read
from pyhad.common.config.source import Severity, Trouble

OPTIONS = ReaderOptions(config_id="node1")


def lay(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def read_main(directory: Path, options: ReaderOptions = OPTIONS) -> Reading:
    return read(str(directory / "main.conf"), options)


def words(reading: Reading) -> list[str]:
    return [" ".join(word.text for word in line.words) for line in reading.lines]


def outcome(reading: Reading) -> str:
    """`silent`, `log` or `error`, as in the table of section 9."""
    if not reading.diagnostics:
        return "silent"
    return "error" if any(found.severity is Severity.ERROR for found in reading.diagnostics) else "log"


@pytest.mark.behaviour("CLI-1")
def test_the_first_file_may_be_a_glob(tmp_path: Path) -> None:
    lay(tmp_path, {"a.conf": "a", "b.conf": "b", "c.txt": "c"})
    reading = read(str(tmp_path / "*.conf"), OPTIONS)
    assert words(reading) == ["a", "b"]
    assert reading.files == (str(tmp_path / "a.conf"), str(tmp_path / "b.conf"))


@pytest.mark.behaviour("CLI-1")
@pytest.mark.parametrize("pattern", ["nothing.conf", "nothing*.conf", "{nothing,nowhere}.conf"])
def test_a_first_file_that_is_not_there_is_an_error(tmp_path: Path, pattern: str) -> None:
    (found,) = read(str(tmp_path / pattern), OPTIONS).diagnostics
    assert (found.severity, found.trouble) == (Severity.ERROR, Trouble.FILE_NOT_FOUND)


@pytest.mark.behaviour("CLI-1")
def test_a_first_file_that_is_a_directory_is_an_error(tmp_path: Path) -> None:
    (found,) = read(str(tmp_path), OPTIONS).diagnostics
    assert (found.severity, found.trouble) == (Severity.ERROR, Trouble.INCLUDE)


def test_included_lines_stand_where_the_include_stood_and_tell_it(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"main.conf": "a\n include sub/*.conf # x\nb\n", "sub/1.conf": "c\n", "sub/2.conf": "include ../3.conf\n"},
    )
    lay(tmp_path, {"3.conf": "\nd\n"})
    reading = read_main(tmp_path)
    assert words(reading) == ["a", "c", "d", "b"]
    main, two, three = (str(tmp_path / name) for name in ("main.conf", "sub/2.conf", "3.conf"))
    assert (reading.lines[2].at.file, reading.lines[2].at.line) == (three, 2)
    assert reading.lines[2].at.via == (f"included at {main}:2", f"included at {two}:1")
    assert reading.lines[3].at.via == ()
    assert reading.files == (main, str(tmp_path / "sub/1.conf"), two, three)


def test_pwd_is_the_directory_of_the_file_being_read(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "a ${_PWD}\ninclude sub/x.conf\nc ${_PWD}\n", "sub/x.conf": "b ${_PWD}\n"})
    real = os.path.realpath(tmp_path)
    assert words(read_main(tmp_path)) == [f"a {real}", f"b {real}/sub", f"c {real}"]


def test_the_path_and_the_word_may_come_from_definitions(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"main.conf": "$D=sub\n$I=include\ninclude ${D}/x.conf\n$I $D/x.conf\n$I sub/x.conf\n", "sub/x.conf": "x\n"},
    )
    assert words(read_main(tmp_path)) == ["x", "x"]


def test_an_include_within_a_block_and_on_its_line(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "a {\n include x.conf\n}\nb { include x.conf }\nc { include {x,y}.conf }\n"})
    lay(tmp_path, {"x.conf": "x { y }\n", "y.conf": "z"})
    assert " ".join(words(read_main(tmp_path))) == "a { x { y } } b { x { y } } c { x { y } z }"


def test_a_block_may_begin_in_one_file_and_end_in_another(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "include x.conf\nb }\n", "x.conf": "a {\n"})
    reading = read_main(tmp_path)
    assert (words(reading), reading.diagnostics) == (["a", "{", "b", "}"], ())


def test_definitions_reach_into_and_out_of_includes(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "$A=1\ninclude x.conf\nk $B\n", "x.conf": "j $A\n$B=2\n"})
    assert words(read_main(tmp_path)) == ["j 1", "k 2"]


def test_a_definition_may_include(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"main.conf": "$A= \\\n a \\\n include x.conf \\\n b\n$A\n~SEQ(N,2) include x.conf\n", "x.conf": "x $N\n"},
    )
    assert words(read_main(tmp_path)) == ["a", "x $N", "b", "x 1", "x 2"]


def test_quotes_around_a_path_are_dropped(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": 'include "a b.conf"\n', "a b.conf": "x\n"})
    assert words(read_main(tmp_path)) == ["x"]


def test_an_include_without_a_path_is_an_error(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "include # x\n"})
    (found,) = read_main(tmp_path).diagnostics
    assert (found.severity, found.message) == (Severity.ERROR, "include names no file")


def test_words_that_only_begin_like_include_are_words(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "includeq x\ninclude_x\n"})
    assert words(read_main(tmp_path)) == ["includeq x", "include_x"]


def test_a_file_that_includes_itself_is_named_with_the_chain(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "a\ninclude x.conf\nb\n", "x.conf": "include sub/../main.conf\nc\n", "sub/y": ""})
    reading = read_main(tmp_path)
    assert words(reading) == ["a", "c", "b"]
    (found,) = reading.diagnostics
    main, other = str(tmp_path / "main.conf"), str(tmp_path / "x.conf")
    assert found.message == f"the file includes itself: {main} -> {other} -> {main}"
    assert (found.severity, found.at.file, found.at.line, found.at.column) == (Severity.ERROR, other, 1, 9)


def test_a_file_may_be_included_twice(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "include x.conf\ninclude x.conf\n", "x.conf": "x"})
    assert words(read_main(tmp_path)) == ["x", "x"]


TABLE = [
    ("include", "log", "log", "silent", "log"),
    ("includer", "error", "log", "silent", "log"),
    ("includem", "error", "error", "silent", "log"),
    ("includew", "error", "error", "error", "log"),
    ("includeb", "error", "log", "silent", "error"),
    ("includea", "error", "error", "error", "error"),
]


@pytest.mark.parametrize(("form", "unreadable", "missing", "unmatched", "alternative"), TABLE)
def test_what_each_form_makes_of_a_failure(
    tmp_path: Path, form: str, unreadable: str, missing: str, unmatched: str, alternative: str
) -> None:
    lay(tmp_path, {"run.sh": "x", "there": "y", "dir/z": ""})
    (tmp_path / "run.sh").chmod(0o755)
    cases = [
        ("run.sh", unreadable),
        ("dir", unreadable),
        ("gone", missing),
        ("gone*", unmatched),
        ("{there,gone}", alternative),
    ]
    for pattern, expected in cases:
        lay(tmp_path, {"main.conf": f"{form} {pattern}\n"})
        assert outcome(read_main(tmp_path)) == expected, pattern


def test_errors_of_includes_are_of_their_class(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "  includea gone\n"})
    (found,) = read_main(tmp_path).diagnostics
    assert (found.trouble, found.message, found.at.column) == (Trouble.INCLUDE, "no such file: gone", 12)
    assert found.hint == f"looked for in {tmp_path}"


@pytest.mark.behaviour("CLI-24")
def test_all_checks_may_be_asked_for(tmp_path: Path) -> None:
    lay(tmp_path, {"main.conf": "include gone*\n"})
    assert outcome(read_main(tmp_path, ReaderOptions(config_id="x", include_all=True))) == "error"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("global_defs {\n include_check\n}\ninclude gone*", "error"),
        ("global_defs {\n include_check match\n}\ninclude gone", "error"),
        ("global_defs {\n include_check match\n}\ninclude gone*", "silent"),
        ("global_defs {\n include_check match\n}\nincluder gone", "error"),
        ("global_defs {\n include_check match\n include_check read\n}\ninclude gone", "log"),
        ("global_defs {\n include_check match\n include_check +read\n}\ninclude gone", "error"),
        ("global_defs {\n include_check match -match\n}\ninclude gone", "log"),
        ("include gone\nglobal_defs {\n include_check match\n}", "log"),
        ("other {\n include_check match\n}\ninclude gone", "log"),
        ("global_defs {\n other {\n include_check match\n }\n}\ninclude gone", "log"),
    ],
)
def test_include_check_changes_the_includes_after_it(tmp_path: Path, text: str, expected: str) -> None:
    lay(tmp_path, {"main.conf": text})
    assert outcome(read_main(tmp_path)) == expected


def test_include_check_reaches_into_included_files_but_not_out_of_them(tmp_path: Path) -> None:
    check = "global_defs {\n include_check match\n}\n"
    lay(tmp_path, {"main.conf": f"{check}include x.conf\n", "x.conf": "include gone\n"})
    assert outcome(read_main(tmp_path)) == "error"
    lay(tmp_path, {"main.conf": "include x.conf\ninclude gone\n", "x.conf": check})
    assert outcome(read_main(tmp_path)) == "log"
    lay(tmp_path, {"main.conf": "includea x.conf\n", "x.conf": "include gone\n"})
    assert outcome(read_main(tmp_path)) == "log"


def test_files_have_a_bound(tmp_path: Path) -> None:
    lay(tmp_path, {f"d/{number}": "x" for number in range(6)} | {"main.conf": "include d/*\n"})
    reading = read_main(tmp_path, ReaderOptions(config_id="x", max_files=4))
    assert words(reading) == ["x"] * 3
    assert reading.diagnostics[-1].message == "more than 4 files: reading stops here"


def test_a_file_that_is_not_utf8_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "main.conf").write_bytes(b"a\nrouter_id M\xfcller # \xff\n")
    reading = read_main(tmp_path)
    assert words(reading) == ["a", "router_id Müller"]
    (found,) = reading.diagnostics
    assert (found.severity, found.at.line) == (Severity.NOTE, 2)

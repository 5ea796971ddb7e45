"""Durations, safe text, folding and columns."""

from __future__ import annotations

import pytest

from pyhad.ctl.words import Cell, Column, duration, fold, paint, safe, table, width_of

S = 1_000_000_000


@pytest.mark.parametrize(
    ("span_ns", "words"),
    [
        (-5, "0.0 s"),
        (0, "0.0 s"),
        (99_999_999, "0.0 s"),
        (4_250_000_000, "4.2 s"),
        (9_999_999_999, "9.9 s"),
        (10 * S, "10 s"),
        (59 * S, "59 s"),
        (60 * S, "1 min"),
        (310 * S, "5 min 10 s"),
        (3600 * S, "1 h"),
        (3659 * S, "1 h"),
        (11520 * S, "3 h 12 min"),
        (86400 * S, "1 d"),
        (352_800 * S, "4 d 2 h"),
        (40_000_000 * S, "462 d 23 h"),
    ],
)
def test_a_duration_has_two_units_at_most(span_ns: int, words: str) -> None:
    assert duration(span_ns) == words


def test_what_could_steer_a_terminal_becomes_a_question_mark() -> None:
    assert safe("a\x1b[31mb\nc\x9bd\u202ee\u00e9") == "a?[31mb?c?d?e\u00e9"


def test_wide_and_combining_characters_take_their_columns() -> None:
    assert width_of("ab") == 2
    assert width_of("東京") == 4
    assert width_of("e\u0301") == 1


def test_paint_leaves_text_alone_without_colour() -> None:
    assert paint("x", "31", False) == "x"
    assert paint("x", "", True) == "x"
    assert paint("", "31", True) == ""
    assert paint("x", "31", True) == "\033[31mx\033[0m"


def test_text_is_folded_at_spaces_and_long_words_stay_whole() -> None:
    assert fold("one two three", 7) == ["one two", "three"]
    assert fold("one 192.0.2.100/24 two", 7) == ["one", "192.0.2.100/24", "two"]
    assert fold("one two three", 7, "  ") == ["one two", "  three"]
    assert fold("one two three", 0) == ["one two three"]


def test_columns_are_as_wide_as_their_widest_cell_and_the_last_is_folded() -> None:
    columns = (Column("A"), Column("N", right=True), Column("LAST"))
    rows = [[Cell("abc"), Cell("7"), Cell("aaaa bbbb cccc dddd eeee")], [Cell("d"), Cell("1234"), Cell("x")]]
    assert table(columns, rows, 30, colour=False) == [
        "  A       N  LAST",
        "  abc     7  aaaa bbbb cccc",
        "             dddd eeee",
        "  d    1234  x",
    ]


def test_columns_that_may_go_go_when_the_terminal_is_narrow_the_greatest_number_first() -> None:
    columns = (Column("AAAAAAAAAA"), Column("BBBBBBBBBB", drop=1), Column("CCCCCCCCCC", drop=2), Column("D"))
    rows = [[Cell("a"), Cell("b"), Cell("c"), Cell("d")]]
    assert table(columns, rows, 39, colour=False)[0].split() == ["AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC", "D"]
    assert table(columns, rows, 38, colour=False)[0].split() == ["AAAAAAAAAA", "BBBBBBBBBB", "D"]
    assert table(columns, rows, 26, colour=False)[0].split() == ["AAAAAAAAAA", "D"]
    assert table(columns, rows, 5, colour=False)[0].split() == ["AAAAAAAAAA", "D"]

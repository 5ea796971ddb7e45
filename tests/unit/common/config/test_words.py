"""Comments, quotes, braces and words of one line (grammar.md sections 2, 3, 5)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pyhad.common.config.source import LineKind
from pyhad.common.config.words import Text, find_brace, is_scripted, plain_pieces, split_words, without_comment


def cleaned(line: str) -> str:
    return without_comment(Text.of_line(line))[0].text


def words(line: str) -> list[str]:
    return [word.text for word in split_words(Text.of_line(line))[0]]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("router_id A#B", "router_id A"),
        ("router_id A!B", "router_id A"),
        ('router_id "A#B"', 'router_id "A#B"'),
        ('router_id "A!B" # x', 'router_id "A!B"'),
        (r"router_id A\#B", "router_id A#B"),
        (r"router_id A\!B", "router_id A!B"),
        ("script 'x # y'", "script 'x"),
        (r'a "b\"c" # d', r'a "b\"c"'),
        (r'a "b\#c"', r'a "b\#c"'),
        (r"a\\#b", r"a\\"),
        ("# only", ""),
        ("  ! only", ""),
        ("\t both \f\v\r", "both"),
        ("ends with \\", "ends with \\"),
        ("", ""),
    ],
)
def test_a_comment_ends_where_no_string_and_no_backslash_holds_it(line: str, left: str) -> None:
    assert cleaned(line) == left


def test_a_quote_without_partner_is_pointed_at_and_cut_off() -> None:
    text, unclosed = without_comment(Text.of_line('  ab "c # d'))
    assert (text.text, unclosed) == ("ab", 5)


def test_a_backslash_keeps_a_quote_from_closing() -> None:
    assert without_comment(Text.of_line(r'ab "c\"d'))[1] == 3


def test_columns_survive_the_removal_of_a_backslash() -> None:
    text, _ = without_comment(Text.of_line(r"  a\#b c"))
    assert text.text == "a#b c"
    assert list(text.columns) == [3, 5, 6, 7, 8]


def test_what_is_put_in_has_the_column_of_what_it_replaces() -> None:
    text = Text.of_line("ab$X cd").replaced(2, 4, "long")
    assert text.text == "ablong cd"
    assert list(text.columns) == [1, 2, 3, 3, 3, 3, 5, 6, 7]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"a b"c d', ["a b", "c", "d"]),
        ('z"#"4', ["z", "#", "4"]),
        ('weight " 5"', ["weight", " 5"]),
        ('a ""', ["a", ""]),
        ("a\tb\fc\vd\re", ["a", "b", "c", "d", "e"]),
        ("a\u00a0b\u2003c", ["a\u00a0b\u2003c"]),
        (r'"a\"', ["a\\"]),
        ("a 'b c'", ["a", "'b", "c'"]),
    ],
)
def test_words_end_at_blanks_and_quotes(line: str, expected: list[str]) -> None:
    assert words(line) == expected


def test_a_quoted_word_says_so_and_has_the_column_of_its_quote() -> None:
    found, _ = split_words(Text.of_line('a "b"'))
    assert [(word.text, word.column, word.quoted) for word in found] == [("a", 1, False), ("b", 3, True)]


def test_an_unmatched_quote_drops_the_rest() -> None:
    found, unmatched = split_words(Text.of_line(r'router_id "c\"d" e'))
    assert ([word.text for word in found], unmatched) == (["router_id", "c\\", "d"], 15)


def test_behind_the_second_word_of_a_script_a_lone_quote_is_excused() -> None:
    assert split_words(Text.of_line(r'notify_master "c\"d" e'))[1] is None
    assert split_words(Text.of_line('notify_master "c'))[1] == 14


def test_scripted_keywords_are_those_of_the_second_pass() -> None:
    scripted = (
        "notify notify_master notify_fifo_script quorum_up quorum_down startup_script shutdown_script script misc_path"
    )
    assert all(is_scripted(word) for word in [*scripted.split(), "vrrp_notify_fifo_script", "regex"])
    assert not is_scripted("router_id")


@pytest.mark.parametrize(
    ("line", "position"),
    [
        ("a { b", 2),
        ("a } b", 2),
        ('"{" }', 4),
        (r'"\"{" {', 6),
        ("no", -1),
        ("a ${X}{", 6),
        ('"${X}" b', -1),
        ("${_RANDOM 1 2}", -1),
    ],
)
def test_a_brace_counts_outside_strings_and_names(line: str, position: int) -> None:
    assert find_brace(line)[0] == position


def test_names_nobody_expanded_are_handed_back() -> None:
    assert find_brace('a${X} "${Y}" ${Z_1}') == (-1, [(1, "X"), (13, "Z_1")])


def test_a_plain_line_is_split_at_its_braces() -> None:
    pieces = plain_pieces("virtual_ipaddress { 10.1.1.1/24 dev eth0 } # x")
    assert pieces is not None
    assert [(piece.kind, piece.raw, piece.column) for piece in pieces] == [
        (LineKind.TEXT, "virtual_ipaddress", 1),
        (LineKind.OPEN, "{", 19),
        (LineKind.TEXT, "10.1.1.1/24 dev eth0", 21),
        (LineKind.CLOSE, "}", 42),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "$A=1",
        "a ${B}",
        "@me a",
        "~SEQ(N,1) a",
        "include x",
        "a { include x",
        "a\\",
        "a\0",
        'a "b',
        "include_check",
        "random_seed 1",
    ],
)
def test_lines_that_mean_something_else_elsewhere_are_not_plain(line: str) -> None:
    assert plain_pieces(line) is None


@pytest.mark.parametrize("line", ["", "   ", "# x"])
def test_an_empty_line_is_plain_and_gives_nothing(line: str) -> None:
    assert plain_pieces(line) == ()


@given(st.text(alphabet="ab9.:/_- \t{}", max_size=24))
def test_the_short_way_of_simple_lines_leads_where_the_long_way_does(line: str) -> None:
    """A comment at the end takes the long way and changes nothing else."""
    assert plain_pieces(line) == plain_pieces(f"{line} # x")

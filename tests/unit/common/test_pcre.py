"""Patterns mean what PCRE2 says they mean, and no pattern and no body hold up the loop."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from pyhad.common.config.model import Regex
from pyhad.common.errors import ConfigError
from pyhad.common.pcre import MOST_STARTS, OPTIONS, Pattern

MEGABYTE = 1024 * 1024


def search(pattern: str, body: bytes, *options: str, low: int = 0, high: int = -1) -> bool | None:
    return Pattern(Regex(pattern=pattern, options=options, min_offset=low, max_offset=high)).search(body)


@pytest.mark.behaviour("CHK-23")
@pytest.mark.parametrize(
    ("pattern", "body", "option", "without", "with_it"),
    [
        ("abc", b"ABC", "caseless", False, True),
        ("a.b", b"a\nb", "dotall", False, True),
        ("^b", b"a\nb", "multiline", False, True),
        ("a b", b"ab", "extended", False, True),
        ("a$", b"a\n", "dollar_endonly", True, False),
        ("b", b"a\nb", "firstline", True, False),
        (r"^(a+)(a*)$(?(?=x)x|)", b"aa", "ungreedy", True, True),
        ("^.$", "é".encode(), "utf", False, True),
        (r"(a)?\1b", b"b", "match_unset_backref", False, True),
        ("(?<n>a)|(?<n>b)x", b"bx", "dupnames", None, True),
        ("[]a]|z", b"z", "allow_empty_class", True, True),
        (r"^(a)\1", b"aa", "no_auto_capture", True, None),
    ],
)
def test_each_option_means_what_pcre2_says(
    pattern: str, body: bytes, option: str, without: bool | None, with_it: bool | None
) -> None:
    for options, expected in (((), without), ((option,), with_it)):
        if expected is None:
            with pytest.raises(ConfigError):
                search(pattern, body, *options)
        else:
            assert search(pattern, body, *options) is expected


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_option_can_be_given(name: str) -> None:
    assert search("a", b"xa", name) in (True, False)


@pytest.mark.behaviour("CHK-23")
@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(0, -1, True), (5, -1, True), (6, -1, False), (0, 4, False), (0, 5, True), (5, 5, True), (99, -1, False)],
)
def test_a_match_starts_between_the_offsets(low: int, high: int, found: bool) -> None:
    assert search("needle", b"12345needle", low=low, high=high) is found


def test_what_lies_before_the_first_offset_can_be_looked_back_at() -> None:
    assert search("(?<=a)b", b"ab", low=1) is True
    assert search("^b", b"ab", low=1) is False


@pytest.mark.parametrize("place", [0, 1, 8, 9, 73, 600, 4096, 5000, MOST_STARTS * 3 + 17, MEGABYTE - 6])
def test_a_match_is_found_wherever_it_starts(place: int) -> None:
    body = bytearray(b"x" * MEGABYTE)
    body[place : place + 6] = b"needle"
    assert search("nee[d]le", bytes(body)) is True
    assert search("nee[d]les", bytes(body)) is False


def test_a_place_that_needs_many_steps_gets_them_wherever_it_is() -> None:
    assert search("(?s)q.*needle", b"x" * 100 + b"qneedle" + b"y" * 200_000) is True


def test_the_first_line_is_that_of_the_body_not_of_a_portion() -> None:
    assert search("b", b"\nxxb", "firstline") is False


def test_no_portion_begins_inside_a_character() -> None:
    assert search(r"[\x{80}-\x{bf}]", "é".encode() * 100, "utf", "no_start_optimize") is False


def test_a_match_at_the_very_end_and_in_nothing() -> None:
    assert search("$", b"abc", low=3) is True
    assert search("", b"") is True
    assert search("a", b"") is False


def test_text_is_searched_by_characters_and_other_bytes_are_not_decided() -> None:
    body = "é".encode() * 20_000 + "ü".encode()
    assert search("ü$", body, "utf") is True
    assert search("(*UTF)^é+ü$", body) is True
    assert search("ä", body, "utf", low=1) is False
    assert search("a", b"a\xff", "utf") is None
    assert search("a", b"a\xff") is True


@pytest.mark.parametrize(
    ("pattern", "body"),
    [
        (r"(a+)+$", b"a" * MEGABYTE + b"b"),
        (r"(a|aa)+$", b"a" * MEGABYTE + b"b"),
        (r"(?=.*a)(?=.*b)", b"x" * MEGABYTE),
        (r"(.*)(.*)(.*)(.*)(.*)[^x]y", b"x" * MEGABYTE),
        (r"((a{1,20}){1,20}){1,9}b|c", b"a" * 5000),
    ],
)
def test_a_search_without_end_is_given_up(pattern: str, body: bytes) -> None:
    assert search(pattern, body) is not True


def test_a_greedy_pattern_may_cross_the_longest_body_once() -> None:
    assert search("(?s)^.*needle", b"x" * (MEGABYTE - 6) + b"needle") is True
    assert search("(?s)^.*needle", b"x" * MEGABYTE) is False


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?<", "*", "\\"])
def test_a_pattern_that_is_none_is_refused_with_its_place(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"^regex: .* \(at character \d+\)$"):
        search(pattern, b"")


@settings(max_examples=200)
@given(st.text(alphabet="ab.*+?()[]{}^$|\\x1é", max_size=12), st.binary(max_size=200), st.sampled_from([(), ("utf",)]))
def test_any_pattern_ends_on_any_body(pattern: str, body: bytes, options: tuple[str, ...]) -> None:
    try:
        compiled = Pattern(Regex(pattern=pattern, options=options))
    except ConfigError:
        return
    assert compiled.search(body) in (True, False, None)

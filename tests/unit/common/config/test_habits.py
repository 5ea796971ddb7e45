"""What people bring from other languages, and the hint that they get."""

from __future__ import annotations

import pytest

from pyhad.common.config.habits import habit_hint


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("=", "there is no '=' here: a blank stands between a keyword and its value"),
        ("=100", "there is no '=' here: a blank stands between a keyword and its value"),
        ("BACKUP;", "a line ends without ';'"),
        ("priority:", "a keyword stands without ':'"),
        ("192.0.2.1/24,", "one entry per line, without ','"),
        ("1,5", "the decimal point is '.'"),
        ("10s", "a plain number, without a unit"),
        ("0x33", "a decimal number"),
        ("//", "a comment begins with # or !"),
        ("“eth0”", "these are typographic quotes: use plain ones or none"),
        ("[", "a block stands in { and }"),
        ("255.255.255.0", "a prefix length after the address: 192.0.2.1/24"),
        ("$ADMIN", "a definition has no blank before '=': $NAME=value"),
    ],
)
def test_a_known_habit_gets_its_hint(word: str, hint: str) -> None:
    assert habit_hint(word) == hint


@pytest.mark.parametrize("word", ["eth0", "100", "1.5", "VI_1", "192.0.2.1/24", "fd00::1", "hoch", "http://x/"])
def test_an_ordinary_word_gets_none(word: str) -> None:
    assert habit_hint(word) == ""

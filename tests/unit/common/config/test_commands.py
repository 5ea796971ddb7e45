"""The second pass for script-like keywords (grammar.md section 4)."""

from __future__ import annotations

import pytest

from pyhad.common.config.commands import is_readability_test, split_command, split_decoded
from pyhad.common.errors import ConfigError


def test_the_example_of_the_reference() -> None:
    raw = r"""notify "/usr/local/bin/ev.sh first 'second arg' '\x41\t\"q\"'" svc svcgrp"""
    argv, user, group = split_command(raw)
    assert argv == ["/usr/local/bin/ev.sh", "first", "second arg", 'A\t"q"']
    assert (user, group) == ("svc", "svcgrp")


def test_a_command_without_quotes_has_no_arguments_but_a_user() -> None:
    assert split_command("notify /bin/x svc") == (["/bin/x"], "svc", "")


def test_quotes_join_with_the_text_they_touch() -> None:
    assert split_decoded("""x ab"c d"e f'g h'""") == ["x", "abc de", "fg h"]


def test_a_quote_of_one_kind_is_literal_inside_the_other() -> None:
    assert split_decoded("""x "it's" 'a "b"'""") == ["x", "it's", 'a "b"']


def test_an_empty_argument_stays() -> None:
    assert split_command("""script "/bin/x '' a" """).argv == ["/bin/x", "", "a"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\a", "\a"),
        (r"\b", "\b"),
        (r"\E", "\x1b"),
        (r"\f", "\f"),
        (r"\n", "\n"),
        (r"\r", "\r"),
        (r"\t", "\t"),
        (r"\v", "\v"),
        (r"\101", "A"),
        (r"\1018", "A8"),
        (r"\7z", "\x07z"),
        (r"\x4", "\x04"),
        (r"\x41", "A"),
        (r"\x414", "A4"),
        (r"\xg", "xg"),
        (r"\cA", "\x01"),
        (r"\\", "\\"),
        (r"\ ", " "),
        (r"\'", "'"),
        (r"\q", "q"),
    ],
)
def test_escapes(written: str, meant: str) -> None:
    assert split_decoded(f"regex {written}") == ["regex", meant]


@pytest.mark.parametrize(
    ("raw", "column"),
    [
        ('notify "/bin/x', 8),
        ("notify '/bin/x", 8),
        ('notify "/bin/x \'a"', 16),
        ("notify /bin/x\\", 14),
        ('notify "/bin/x \\c"', 16),
        ('notify "/bin/x \\0"', 16),
        ("notify", 7),
        ('notify ""', 9),
        ("", 1),
    ],
)
def test_what_cannot_be_split_says_where(raw: str, column: int) -> None:
    with pytest.raises(ConfigError) as caught:
        split_command(raw)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("command", "is_test"),
    [("</dev/tcp/192.0.2.1/25", True), (" < /dev/tcp/x/1", True), ("/bin/x </dev/null", False), ("<x", False)],
)
def test_a_script_beginning_with_less_than_asks_for_readability(command: str, is_test: bool) -> None:
    assert is_readability_test(command) is is_test

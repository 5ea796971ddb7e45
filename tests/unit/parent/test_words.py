"""Command lines are read as getopt_long reads them."""

from __future__ import annotations

import pytest

from pyhad.parent.words import Argument, Given, Item, LeftOver, Spelling, Wrong, read_words

SPELLINGS = (
    Spelling(key="quiet", short="q", long="quiet"),
    Spelling(key="file", short="f", long="file", argument=Argument.NEEDED),
    Spelling(key="test", short="t", long="test", argument=Argument.OPTIONAL),
    Spelling(key="vrrp", short="P", long="vrrp"),
    Spelling(key="vrrp_pid", short="r", long="vrrp_pid", argument=Argument.NEEDED),
)


@pytest.mark.behaviour("CLI-36")
@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("-qP", [Given("quiet", None), Given("vrrp", None)]),
        ("-qfNAME", [Given("quiet", None), Given("file", "NAME")]),
        ("-qf NAME", [Given("quiet", None), Given("file", "NAME")]),
        ("-f -q", [Given("file", "-q")]),
        ("-tFILE", [Given("test", "FILE")]),
        ("-t FILE", [Given("test", None), LeftOver("FILE")]),
        ("--test=FILE", [Given("test", "FILE")]),
        ("--test FILE", [Given("test", None), LeftOver("FILE")]),
        ("--file NAME", [Given("file", "NAME")]),
        ("--file=NAME", [Given("file", "NAME")]),
        ("--file=", [Given("file", "")]),
        ("--fi=NAME", [Given("file", "NAME")]),
        ("--vrrp", [Given("vrrp", None)]),
        ("--vrrp_=x", [Given("vrrp_pid", "x")]),
        ("word -q", [LeftOver("word"), Given("quiet", None)]),
        ("-- -q", [LeftOver("-q")]),
        ("-", [LeftOver("-")]),
    ],
)
def test_options_and_left_over_words(line: str, items: list[Item]) -> None:
    assert list(read_words(line.split(), SPELLINGS)) == items


@pytest.mark.behaviour("CLI-34")
@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("-xq", [Wrong("unknown option -x"), Given("quiet", None)]),
        ("--nothing -q", [Wrong("unknown option --nothing"), Given("quiet", None)]),
        ("-f", [Wrong("option -f needs an argument")]),
        ("--file", [Wrong("option --file needs an argument")]),
        ("--quiet=yes", [Wrong("option --quiet takes no argument")]),
        ("--vr", [Wrong("option --vr can mean --vrrp --vrrp_pid")]),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_still_read(line: str, items: list[Item]) -> None:
    assert list(read_words(line.split(), SPELLINGS)) == items

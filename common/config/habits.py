"""Habits of other languages that people bring into keepalived.conf, and what to write instead. Pure."""

from __future__ import annotations

import re

_HABITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$\w+\Z"), "a definition has no blank before '=': $NAME=value"),
    (re.compile(r"=\Z|=\S"), "there is no '=' here: a blank stands between a keyword and its value"),
    (re.compile(r"//"), "a comment begins with # or !"),
    (
        re.compile(r"[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]"),
        "these are typographic quotes: use plain ones or none",
    ),
    (re.compile(r"[\[\](]\Z"), "a block stands in { and }"),
    (re.compile(r".+;\Z"), "a line ends without ';'"),
    (re.compile(r".+:\Z"), "a keyword stands without ':'"),
    (re.compile(r"[0-9]+,[0-9]+\Z"), "the decimal point is '.'"),
    (re.compile(r".+,\Z"), "one entry per line, without ','"),
    (re.compile(r"[0-9.]+ *(s|sec|ms|m|min)\Z"), "a plain number, without a unit"),
    (re.compile(r"0[xX][0-9a-fA-F]+\Z"), "a decimal number"),
    (re.compile(r"255(\.[0-9]{1,3}){3}\Z"), "a prefix length after the address: 192.0.2.1/24"),
)


def habit_hint(word: str) -> str:
    """What to write instead of `word`, empty when it is no known habit."""
    return next((hint for pattern, hint in _HABITS if pattern.match(word)), "")

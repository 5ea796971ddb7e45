"""Words of a command line to options and left-over words, as getopt_long does it. Knows no option itself.

Combined short options (`-nlD`), attached and separate arguments, optional arguments only attached (`-tFILE`,
`--config-test=FILE`), unique abbreviations of long options, `--`, options after left-over words (CLI-36).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

from pyhad.common.records import dataclass


class Argument(enum.Enum):
    """Whether an option takes an argument."""

    NONE = "none"
    NEEDED = "needed"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One option: its names and what follows it. `key` is what the reader of the result asks for."""

    key: str
    short: str = ""
    long: str = ""
    argument: Argument = Argument.NONE


@dataclass(frozen=True, slots=True)
class Given:
    """An option that was given; `value` is None without an argument."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A word that belongs to no option."""

    word: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is no option, or not used like one; the rest of the line is still read (CLI-34)."""

    message: str


Item = Given | LeftOver | Wrong


def read_words(words: Sequence[str], spellings: Sequence[Spelling]) -> Iterator[Item]:
    """All items of the command line `words` (without the program's name), in order."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            yield from (LeftOver(left) for left in rest)
            return
        if word.startswith("--"):
            yield _long(word[2:], rest, spellings)
        elif len(word) > 1 and word.startswith("-"):
            yield from _shorts(word[1:], rest, spellings)
        else:
            yield LeftOver(word)


def _shorts(letters: str, rest: list[str], spellings: Sequence[Spelling]) -> Iterator[Item]:
    by_letter = {spelling.short: spelling for spelling in spellings if spelling.short}
    while letters:
        letter, letters = letters[0], letters[1:]
        spelling = by_letter.get(letter)
        if spelling is None:
            yield Wrong(f"unknown option -{letter}")
        elif spelling.argument is Argument.NONE:
            yield Given(spelling.key, None)
        elif letters or spelling.argument is Argument.OPTIONAL:
            yield Given(spelling.key, letters or None)
            return
        elif rest:
            yield Given(spelling.key, rest.pop(0))
        else:
            yield Wrong(f"option -{letter} needs an argument")


def _long(text: str, rest: list[str], spellings: Sequence[Spelling]) -> Item:
    name, equals, value = text.partition("=")
    exact = [spelling for spelling in spellings if spelling.long == name]
    found = exact or [spelling for spelling in spellings if spelling.long and spelling.long.startswith(name)]
    if not found:
        return Wrong(f"unknown option --{name}")
    if len({spelling.key for spelling in found}) > 1:
        choices = " ".join(sorted(f"--{spelling.long}" for spelling in found))
        return Wrong(f"option --{name} can mean {choices}")
    spelling = found[0]
    if spelling.argument is Argument.NONE:
        return Wrong(f"option --{spelling.long} takes no argument") if equals else Given(spelling.key, None)
    if equals:
        return Given(spelling.key, value)
    if spelling.argument is Argument.OPTIONAL:
        return Given(spelling.key, None)
    return Given(spelling.key, rest.pop(0)) if rest else Wrong(f"option --{spelling.long} needs an argument")

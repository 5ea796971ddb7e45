"""The second pass over the lines of script-like keywords (grammar.md section 4). Runs nothing, looks up no file."""

from __future__ import annotations

import re
from typing import NamedTuple

from pyhad.common.config.words import BLANKS
from pyhad.common.errors import ConfigError

_PART = re.compile(r"""[^ \t\f\n\r\v"'\\]+""")
_SIMPLE = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OCTAL = re.compile(r"[0-7]{1,3}")
_HEX = re.compile(r"x([0-9A-Fa-f]{1,2})")
_READABILITY = re.compile(r"[ \t]*<[ \t]*/")


class Command(NamedTuple):
    """A program with its arguments, and as whom it runs; `user` and `group` are empty where the line names none."""

    argv: list[str]
    user: str
    group: str


def split_command(raw: str) -> Command:
    """Command line, user and group of a script-like keyword from the `raw` of its Line.

    Raises ConfigError with the column, counted from 1 in `raw`, of a quote nobody closes, a backslash at the end, or
    where the command is missing.
    """
    words = _split(raw, 0, decode=False)
    if len(words) < 2:
        raise ConfigError(f"{words[0][0] if words else 'the keyword'} names no program", column=len(raw) + 1)
    command, start = words[1]
    argv = [text for text, _ in _split(command, start, decode=True)]
    if not argv or not argv[0]:
        raise ConfigError(f"{words[0][0]} names no program", column=start + 1)
    user = words[2][0] if len(words) > 2 else ""
    group = words[3][0] if len(words) > 3 else ""
    return Command(argv, user, group)


def split_decoded(raw: str) -> list[str]:
    """The words of a line with escapes decoded at once, as `regex` wants it. Raises ConfigError as split_command."""
    return [text for text, _ in _split(raw, 0, decode=True)]


def is_readability_test(command: str) -> bool:
    """Whether a `script` only asks the shell to open a file for reading, such as `</dev/tcp/192.0.2.1/25`."""
    return _READABILITY.match(command) is not None


def _split(line: str, offset: int, *, decode: bool) -> list[tuple[str, int]]:
    """Words of `line` and where each begins; both kinds of quote join with the text they touch."""
    words: list[tuple[str, int]] = []
    parts: list[str] = []
    start = quote_at = -1
    position = 0
    while position < len(line):
        char = line[position]
        if char in BLANKS and quote_at < 0:
            if start >= 0:
                words.append(("".join(parts), start))
                parts, start = [], -1
            position += 1
            continue
        if start < 0:
            # The word begins behind its quote, so that columns inside it come out right.
            start = offset + position + (char in "\"'")
        if char == "\\":
            text, position = _escape(line, position, offset, decode)
            parts.append(text)
        elif char in "\"'" and (quote_at < 0 or line[quote_at] == char):
            quote_at = position if quote_at < 0 else -1
            position += 1
        else:
            plain = _PART.match(line, position)
            parts.append(plain[0] if plain else char)
            position += len(plain[0]) if plain else 1
    if quote_at >= 0:
        raise ConfigError(f"the quote {line[quote_at]} is not closed", column=offset + quote_at + 1)
    if start >= 0:
        words.append(("".join(parts), start))
    return words


def _escape(line: str, position: int, offset: int, decode: bool) -> tuple[str, int]:
    """What the backslash at `position` stands for, and where the line goes on."""
    following = line[position + 1 : position + 2]
    if not following:
        raise ConfigError("a backslash at the end stands for nothing", column=offset + position + 1, hint="write \\\\")
    if not decode:
        return line[position : position + 2], position + 2
    if octal := _OCTAL.match(line, position + 1):
        code, end = int(octal[0], 8) & 0xFF, octal.end()
    elif digits := _HEX.match(line, position + 1):
        code, end = int(digits[1], 16), digits.end()
    elif following == "c" and position + 2 < len(line):
        code, end = ord(line[position + 2]) & 0x1F, position + 3
    elif following == "c":
        raise ConfigError("\\c needs a character", column=offset + position + 1)
    else:
        return _SIMPLE.get(following, following), position + 2
    if not code:
        raise ConfigError("an argument cannot hold a NUL character", column=offset + position + 1)
    return chr(code), end

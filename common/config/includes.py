"""Which files an `include` means, and their text (grammar.md section 9). Decides nothing about what is in them.

Bounds: a pattern has at most MAX_ALTERNATIVES brace alternatives and looks at no more than MAX_ENTRIES directory
entries; a file has at most MAX_FILE_BYTES and must be regular, so that no read can block.
"""

from __future__ import annotations

import enum
import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from itertools import pairwise

from pyhad.common.config.definitions import MAX_LINE_BYTES
from pyhad.common.errors import ConfigError
from pyhad.common.records import dataclass

MAX_ALTERNATIVES = 1000
MAX_ENTRIES = 200_000
MAX_FILE_BYTES = 64 * 1024 * 1024

_MAGIC = re.compile(r"[*?\[]")
_ESCAPE = re.compile(r"\\(.)")


class Check(enum.Flag):
    """What makes a failing include an error; otherwise it is only said."""

    NONE = 0
    READ = enum.auto()
    """A file that is unreadable, a directory, executable, or not a regular file."""
    MATCH = enum.auto()
    """A plain name that does not exist."""
    WILDCARD_MATCH = enum.auto()
    """A wildcard that matches nothing."""
    BRACE_MATCH = enum.auto()
    """An alternative in braces that does not exist."""


ALL_CHECKS = Check.READ | Check.MATCH | Check.WILDCARD_MATCH | Check.BRACE_MATCH
FIRST_FILE_CHECKS = Check.READ | Check.MATCH | Check.WILDCARD_MATCH
FORMS = {
    "include": Check.NONE,
    "includer": Check.READ,
    "includem": Check.READ | Check.MATCH,
    "includew": Check.READ | Check.MATCH | Check.WILDCARD_MATCH,
    "includeb": Check.READ | Check.BRACE_MATCH,
    "includea": ALL_CHECKS,
}
CHECK_NAMES = {
    "read": Check.READ,
    "match": Check.MATCH,
    "wildcard_match": Check.WILDCARD_MATCH,
    "brace_match": Check.BRACE_MATCH,
}


def apply_include_check(current: Check, words: list[str]) -> Check:
    """The checks after `include_check WORDS`: bare all, `+x` adds, `-x` takes away, without a sign it starts anew.

    Words that are no check are left to the grammar.
    """
    if not words:
        return ALL_CHECKS
    checks = current if all(word[:1] in ("+", "-") for word in words) else Check.NONE
    for word in words:
        check = CHECK_NAMES.get(word.lstrip("+-"), Check.NONE)
        checks = checks & ~check if word.startswith("-") else checks | check
    return checks


class TooLarge(ConfigError):
    """A file that no include check excuses: it would break a bound."""


@dataclass(frozen=True, slots=True)
class Found:
    """Absolute paths in reading order, and what the pattern asked for in vain."""

    paths: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Plain names that do not exist."""
    has_braces: bool = False
    has_wildcard: bool = False


def find_files(pattern: str, directory: str, most_entries: int = MAX_ENTRIES) -> Found:
    """The files that `pattern` names, relative to `directory`. Raises ConfigError when it asks for too much."""
    if "\0" in pattern:
        raise ConfigError("a file name cannot hold a NUL character")
    alternatives = expand_braces(pattern)
    has_braces = alternatives != [pattern]
    entries = iter(range(most_entries))
    paths: list[str] = []
    missing: list[str] = []
    has_wildcard = False
    for alternative in alternatives:
        plain = os.path.join(directory, _ESCAPE.sub(r"\1", alternative))
        if _has_magic(alternative):
            has_wildcard = True
            # A wildcard in the name of the directory that we are in is a plain character.
            root = "/" if alternative.startswith("/") else directory
            paths.extend(sorted(_matches(root, [part for part in alternative.split("/") if part], entries)))
        elif os.path.lexists(plain):
            paths.append(plain)
        else:
            missing.append(alternative)
    return Found(tuple(os.path.normpath(path) for path in paths), tuple(missing), has_braces, has_wildcard)


def _has_magic(pattern: str) -> bool:
    return _MAGIC.search(_ESCAPE.sub("", pattern)) is not None


def expand_braces(pattern: str) -> list[str]:
    """`a{b,c}d` as `abd`, `acd`, from left to right, nested too. Raises ConfigError above MAX_ALTERNATIVES."""
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        text = waiting.pop()
        group = _first_group(text)
        if group is None:
            done.append(text)
        else:
            start, end, parts = group
            waiting.extend(text[:start] + part + text[end:] for part in reversed(parts))
        if len(done) + len(waiting) > MAX_ALTERNATIVES:
            raise ConfigError(f"the braces stand for more than {MAX_ALTERNATIVES} names")
    return done


def _first_group(text: str) -> tuple[int, int, list[str]] | None:
    """Start, end and alternatives of the first closed `{...}`."""
    opened: list[int] = []
    commas: list[tuple[int, int]] = []
    first: tuple[int, int, list[str]] | None = None
    skip = False
    for position, char in enumerate(text):
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif char == "{":
            opened.append(position)
        elif char == "," and opened:
            commas.append((opened[-1], position))
        elif char == "}" and opened:
            start = opened.pop()
            if first is None or start < first[0]:
                cuts = [start, *(at for owner, at in commas if owner == start), position]
                first = (start, position + 1, [text[a + 1 : b] for a, b in pairwise(cuts)])
            if not opened:
                break
    return first


def _matches(directory: str, parts: list[str], entries: Iterator[int]) -> Iterator[str]:
    """Paths below `directory` that match the components `parts`; `entries` is the budget of names to look at."""
    while parts and not _has_magic(parts[0]):
        directory = os.path.join(directory, _ESCAPE.sub(r"\1", parts[0]))
        parts = parts[1:]
    if not parts:
        if os.path.lexists(directory):
            yield directory
        return
    part, rest = parts[0], parts[1:]
    expression = re.compile(_translate(part))
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in sorted(names):
        if next(entries, None) is None:
            raise ConfigError("the pattern looks at too many names")
        if expression.match(name) and (part[0] == "." or name[0] != "."):
            yield from _matches(os.path.join(directory, name), rest, entries)


def _translate(part: str) -> str:
    """The shell's wildcards as a regular expression; `[^...]` is `[!...]`, and a backslash makes a character plain."""
    part = part.replace("[^", "[!")
    return fnmatch.translate(_ESCAPE.sub(lambda match: f"[{match[1]}]" if match[1] in "*?[" else match[1], part))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's physical lines without their ends. `path` is fit to be shown."""

    path: str
    lines: list[str]
    too_long: frozenset[int]
    """Indexes of lines above 1023 bytes."""
    identity: tuple[int, int]
    is_utf8: bool


def load(path: str, most_lines: int) -> Loaded:
    """Read one file. Raises ConfigError that says why it cannot be: it is to be skipped; TooLarge past a bound."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise ConfigError(os.strerror(error.errno or 0)) from None
    except ValueError:
        raise ConfigError("has a name that this system cannot write") from None
    try:
        status = os.fstat(fd)
        _refuse(status)
        with open(fd, "rb", closefd=False) as file:
            content = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(os.strerror(error.errno or 0)) from None
    finally:
        os.close(fd)
    if content.count(b"\n") > most_lines:
        raise TooLarge(f"has more lines than the {most_lines} that are left")
    shown = os.fsencode(path).decode("utf-8", "replace")
    return decode(content, shown, (status.st_dev, status.st_ino))


def _refuse(status: os.stat_result) -> None:
    """Raise ConfigError for what is no configuration file."""
    if stat.S_ISDIR(status.st_mode):
        raise ConfigError("is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError("is not a regular file")
    if status.st_mode & 0o111:
        raise ConfigError("is executable", hint="chmod a-x")
    if status.st_size > MAX_FILE_BYTES:
        raise TooLarge(f"is larger than {MAX_FILE_BYTES >> 20} MiB")


def decode(content: bytes, path: str, identity: tuple[int, int]) -> Loaded:
    """Bytes as lines: UTF-8, and where that is impossible Latin-1, so that every byte has a character."""
    is_utf8 = True
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text, is_utf8 = content.decode("latin-1"), False
    text = text.removeprefix("\ufeff")
    same: dict[str, str] = {}
    lines = [same.setdefault(line, line) for line in text.split("\n")]  # most lines of a large file stand there often
    if not lines[-1]:
        lines.pop()
    if "\r" in text:
        lines = [line.rstrip("\r") for line in lines]
    too_long: frozenset[int] = frozenset()
    if lines and len(max(lines, key=len)) > MAX_LINE_BYTES // 4:
        too_long = frozenset(
            index
            for index, line in enumerate(lines)
            if len(line) > MAX_LINE_BYTES // 4 and len(line.encode("utf-8" if is_utf8 else "latin-1")) > MAX_LINE_BYTES
        )
    return Loaded(path, lines, too_long, identity, is_utf8)
